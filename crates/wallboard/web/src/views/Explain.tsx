// Why a figure is what it is: its formula, the formula in numbers, what it is the sum of, and the events behind that.
import { For, Show, createMemo, createResource, createSignal, type JSX } from "solid-js";
import { TermRole, Unit, type ExplainKpiResponse, type KpiItem, type KpiTerm, type KpiColumn, type KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { ABSENT, count, duration, figure, moment, unitWord } from "../figures/format";
import { days } from "../figures/zone";
import { link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { known } from "../live/known";
import { kpis, words } from "../live/rpc";
import { watchView } from "../live/stream";
import { FormulaText, otherColumn } from "../parts/FormulaText";
import { Refusal } from "../parts/Refusal";
import { language, t } from "../text";
import { columnName, meaning } from "../text/columns";
import { COUNTED_FROM, standing } from "./explain-gauge";
import { question, type Question } from "./explain-question";

const PAGE = 100;

export function Explain(): JSX.Element {
  const { who, site, zone, today } = usePlace();
  // Only to hear that the server is there.
  if (who.readsFigures) watchView(site, [], false);
  const asked = createMemo(() => question(route().what, site, zone, days(today(), 1, zone)));
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <h2>{t().explain.title}</h2>
      <Show when={asked()} fallback={<p class="note">{t().explain.none}</p>}>
        {/* The whole address, so that another day's begin does not ask again. */}
        <Show when={route().what.toString()} keyed>
          {(_) => <Asked question={asked()!} />}
        </Show>
      </Show>
    </Show>
  );
}

interface Answer {
  column: KpiColumn | undefined;
  value: KpiValue | undefined;
  /** Of an amount over the range. */
  explained?: ExplainKpiResponse;
  /** Of a value at an instant: what stood so then, if it can be listed. */
  standing?: KpiItem[];
  /** To which instant, microseconds UTC. */
  asOfUs: bigint;
}

/** A value at an instant is counted, not summed: it is asked for, and so is what stood so then. */
async function answer(asked: Question): Promise<Answer> {
  const { columns } = await kpis.describeKpis({});
  const column = columns.find((known) => known.name === asked.column);
  if (column?.gauge) {
    const by = asked.cell.map((one) => one.dimension);
    const table = await kpis.queryKpi({ ...asked.query, by, columns: [asked.column] });
    const row = table.rows.find((known) => known.keys.every((key, place) => key === asked.cell[place]?.value));
    return { column, value: row?.values[0], ...(await standing(asked, row?.values[0], table)) };
  }
  const explained = await kpis.explainKpi({ query: asked.query, column: asked.column, cell: asked.cell, pageSize: PAGE });
  return { column: explained.column, value: explained.value, explained, asOfUs: explained.asOfUs };
}

function Asked(props: { question: Question }): JSX.Element {
  const [found, { refetch }] = createResource(() => answer(props.question));
  return (
    <Show when={!found.error} fallback={<Failed error={found.error} again={refetch} />}>
      <Show when={found()} fallback={<p class="note" aria-busy="true">{t().link.connecting}</p>}>
        {(known) => <Explained answer={known()} question={props.question} />}
      </Show>
    </Show>
  );
}

function Failed(props: { error: unknown; again: () => void }): JSX.Element {
  return (
    <>
      <Refusal kind={t().failed} words={words(props.error)} />
      <button type="button" onClick={() => props.again()}>{t().again}</button>
    </>
  );
}

function Explained(props: { answer: Answer; question: Question }): JSX.Element {
  const e = () => t().explain;
  const { column, value, explained } = props.answer;
  return (
    <article classList={{ then: props.question.then }}>
      <Show when={props.question.then}>
        <p class="past-mark"><span aria-hidden="true">◀◀</span> {t().travel.then(count(props.question.position))}</p>
      </Show>
      <h3>
        {columnName(props.question.column)} <code>{props.question.column}</code>
        <For each={props.question.cell}>{(one) => <small> · {one.value || t().columns.unknownQueue}</small>}</For>
      </h3>
      <p class="note"><Range question={props.question} asOf={props.answer.asOfUs} gauge={column?.gauge} /><Show when={column}>{(known) => <> · {t().trends.units[unitWord(known())]}</>}</Show></p>
      <p class="value" data-value={value ? `${value.amount}/${value.denominator}` : ""}>
        {column ? figure(column, value) : ABSENT}
      </p>
      <Show when={value?.absent}><p>{e().absent}</p></Show>
      <Show when={column?.meaning}><p><b>{e().meaning}</b> <span lang={meaning(column!).lang}>{meaning(column!).words}</span></p></Show>
      <Show when={explained} fallback={<Standing answer={props.answer} column={props.question.column} />}>
        {(known) => (
          <>
            <Formula explained={known()} />
            <Items first={known()} question={props.question} />
          </>
        )}
      </Show>
      <Links question={props.question} />
    </article>
  );
}

function Range(props: { question: Question; asOf: bigint; gauge: boolean | undefined }): JSX.Element {
  const { zone } = usePlace();
  const { query } = props.question;
  const at = () => moment(Number(query.asOfUs ?? props.asOf), zone);
  return (
    <>
      {props.gauge ? moment(Number(props.asOf), zone) : query.lastUs === undefined
        ? t().explain.range(moment(Number(query.fromUs), zone), moment(Number(query.toUs), zone))
        : t().explain.lastMinutes(count(Number(query.lastUs) / 60e6), at())}
    </>
  );
}

const amount = (unit: Unit, of: bigint): string => (unit === Unit.MICROSECONDS ? duration(Number(of)) : count(of));

const ROLES: Partial<Record<TermRole, "itself" | "plus" | "minus" | "over" | "overMinus">> = {
  [TermRole.ITSELF]: "itself",
  [TermRole.PLUS]: "plus",
  [TermRole.MINUS]: "minus",
  [TermRole.OVER]: "over",
  [TermRole.OVER_MINUS]: "overMinus",
};

/** The formula with its amounts in place of its names; each is a link to its own explanation. */
function InNumbers(props: { terms: KpiTerm[] }): JSX.Element {
  const of = (...roles: TermRole[]) => props.terms.filter((term) => roles.includes(term.role));
  const above = () => of(TermRole.PLUS, TermRole.MINUS);
  const below = () => of(TermRole.OVER, TermRole.OVER_MINUS);
  const terms = (all: KpiTerm[], between: string) => (
    <For each={all}>
      {(term, place) => (
        <>
          {[TermRole.MINUS, TermRole.OVER_MINUS].includes(term.role) ? " − " : place() ? between : ""}
          {term.measure && <a href={otherColumn(term.measure)} data-measure={term.measure}>{measureName(term.measure)} {amount(term.unit, term.amount)}</a>}
        </>
      )}
    </For>
  );
  return (
    <Show when={above().length} fallback={terms(props.terms, ", ")}>
      <Show when={below().length} fallback={terms(above(), " + ")}>({terms(above(), " + ")}) / <Show when={below().length > 1} fallback={terms(below(), " + ")}>({terms(below(), " + ")})</Show></Show>
    </Show>
  );
}

/** In English a measure goes by its own name, as in its formula. */
const measureName = (measure: string): string => (language() === "en" ? measure : columnName(measure));

/** A value at an instant: what stood so then, and what it is counted from. */
function Standing(props: { answer: Answer; column: string }): JSX.Element {
  const e = () => t().explain;
  return (
    <>
      <p class="note">
        {e().gauge} {t().travel.countedFrom}{" "}
        <For each={COUNTED_FROM[props.column] ?? []}>{(measure) => <><a href={otherColumn(measure)} data-measure={measure}>{columnName(measure)}</a>{" "}</>}</For>
      </p>
      <Show when={props.answer.standing}>
        {(items) => (
          <>
            <h4 id="standing">{t().travel.standing}</h4>
            <p>{e().shown(count(items().length), count(items().length))}</p>
            <ItemTable items={items()} labelledBy="standing" amount={t().columns.since} unit={() => Unit.MICROSECONDS} />
          </>
        )}
      </Show>
    </>
  );
}

function Formula(props: { explained: ExplainKpiResponse }): JSX.Element {
  const { zone } = usePlace();
  const e = () => t().explain;
  return (
    <>
      <Show when={props.explained.column?.formula}>
        <p class="formula"><b>{e().formula}</b> <FormulaText name={props.explained.column!.name} formula={props.explained.column!.formula} /></p>
        <p class="numbers"><b>{e().inNumbers}</b> <code lang={language()}><InNumbers terms={props.explained.terms} /></code></p>
      </Show>
      <h4 id="sums">{e().sums}</h4>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="sums">
        <table class="terms">
          <thead>
            <tr><th scope="col">{e().measure}</th><th scope="col" class="left">{e().part}</th><th scope="col">{e().amount}</th><th scope="col">{e().items}</th></tr>
          </thead>
          <tbody>
            <For each={props.explained.terms}>
              {(term) => (
                <tr data-measure={term.measure} data-amount={String(term.amount)}>
                  <th scope="row"><a href={otherColumn(term.measure)}><code>{term.measure}</code></a> <Show when={language() !== "en"}>{columnName(term.measure)}</Show></th>
                  <td class="left">{e().role[ROLES[term.role] ?? "itself"]}</td>
                  <td>{amount(term.unit, term.amount)}</td>
                  <td>{count(term.itemCount)}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
      <p class="note">{e().standing(moment(Number(props.explained.asOfUs), zone), count(props.explained.position), count(props.explained.formulaVersion))}</p>
    </>
  );
}

function Items(props: { first: ExplainKpiResponse; question: Question }): JSX.Element {
  const e = () => t().explain;
  const [items, setItems] = createSignal(props.first.items);
  const [next, setNext] = createSignal(props.first.nextPageToken);
  const [moved, setMoved] = createSignal(false);
  const [failed, setFailed] = createSignal("");
  const units = new Map(props.first.terms.map((term) => [term.measure, term.unit]));
  const more = async () => {
    const { query, column, cell } = props.question;
    try {
      const page = await kpis.explainKpi({ query, column, cell, pageSize: PAGE, pageToken: next() as Uint8Array<ArrayBuffer> });
      setFailed("");
      setItems([...items(), ...page.items]);
      setMoved(page.movedOn);
      setNext(page.nextPageToken);
    } catch (error) {
      setFailed(words(error));
    }
  };
  return (
    <>
      <h4 id="contributions">{e().contributions}</h4>
      <p>{e().shown(count(items().length), count(props.first.itemCount))}</p>
      <Show when={moved()}><p class="note">{e().movedOn}</p></Show>
      <ItemTable items={items()} labelledBy="contributions" unit={(measure) => units.get(measure) ?? Unit.COUNT} />
      <Show when={failed()}><Refusal kind={t().failed} words={failed()} /></Show>
      <Show when={next().length}><button type="button" class="more" onClick={() => void more()}>{e().more}</button></Show>
    </>
  );
}

function ItemTable(props: { items: KpiItem[]; labelledBy: string; amount?: string; unit: (measure: string) => Unit }): JSX.Element {
  const e = () => t().explain;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby={props.labelledBy}>
      <table class="items">
        <thead>
          <tr>
            <th scope="col">{e().measure}</th><th scope="col">{props.amount ?? e().amount}</th><th scope="col">{e().from}</th><th scope="col">{e().to}</th>
            <th scope="col" class="left">{e().who}</th><th scope="col" class="left">{e().where}</th><th scope="col" class="left">{e().events}</th>
          </tr>
        </thead>
        <tbody><For each={props.items}>{(item) => <Item item={item} unit={props.unit(item.measure)} />}</For></tbody>
      </table>
    </div>
  );
}

function Item(props: { item: KpiItem; unit: Unit }): JSX.Element {
  const { zone } = usePlace();
  const { item } = props;
  const at = (us: bigint) => moment(Number(us), zone);
  return (
    <tr class="item" data-measure={item.measure} data-amount={String(item.amount)}>
      <th scope="row"><code>{measureName(item.measure)}</code></th>
      <td>{amount(props.unit, item.amount)}</td>
      <td>{at(item.fromUs)}</td>
      <td>{at(item.toUs)}</td>
      <td class="left">{item.agent}</td>
      <td class="left">{item.queue}</td>
      <td class="left">
        <ul class="events">
          <For each={item.events}>
            {(event) => (
              <li title={t().explain.by(event.source, event.actor)} data-position={String(event.position)}>
                <span lang="en">{t().explain.event(count(event.position), event.type, at(event.occurredAtUs))}</span>
              </li>
            )}
          </For>
          <Show when={item.eventCount > BigInt(item.events.length)}>
            <li>{t().explain.moreEvents(count(item.eventCount - BigInt(item.events.length)))}</li>
          </Show>
          <For each={item.notes}>{(note) => <li lang="en">{note}</li>}</For>
        </ul>
      </td>
    </tr>
  );
}

function Links(props: { question: Question }): JSX.Element {
  const { site } = usePlace();
  const [copied, setCopied] = createSignal(false);
  const other = () => {
    const what = new URLSearchParams(route().what);
    if (props.question.then || known() !== null) what.set("known", "");
    else what.set("known", "then");
    return link(site, "explain", what);
  };
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
  };
  return (
    <p class="links">
      <Show when={props.question.position > 0n}>
        <a href={other()}>{props.question.then || known() !== null ? t().explain.knownNow : t().explain.knownThen}</a>
      </Show>
      <button type="button" onClick={() => void copy()}>{copied() ? t().explain.copied : t().explain.copy}</button>
    </p>
  );
}
