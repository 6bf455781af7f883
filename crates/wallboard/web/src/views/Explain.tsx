// Why a figure is what it is: its formula, the formula in numbers, what it is the sum of, and the events behind that.
import { For, Show, createMemo, createResource, createSignal, type JSX } from "solid-js";
import { TermRole, Unit, type ExplainKpiResponse, type KpiItem, type KpiTerm, type KpiColumn, type KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { count, duration, figure, moment } from "../figures/format";
import { days } from "../figures/zone";
import { link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { kpis, words } from "../live/rpc";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { question, type Question } from "./explain-question";

const PAGE = 100;

export function Explain(): JSX.Element {
  const { who, site, zone, today } = usePlace();
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
  explained: ExplainKpiResponse | undefined;
}

/** A value at an instant is counted, not summed: it is asked for, and has no items. */
async function answer(asked: Question): Promise<Answer> {
  const { columns } = await kpis.describeKpis({});
  const column = columns.find((known) => known.name === asked.column);
  if (column?.gauge) {
    const by = asked.cell.map((one) => one.dimension);
    const table = await kpis.queryKpi({ ...asked.query, by, columns: [asked.column] });
    const row = table.rows.find((known) => known.keys.every((key, place) => key === asked.cell[place]?.value));
    return { column, value: row?.values[0], explained: undefined };
  }
  const explained = await kpis.explainKpi({ query: asked.query, column: asked.column, cell: asked.cell, pageSize: PAGE });
  return { column: explained.column, value: explained.value, explained };
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
  const name = () => (t().columns as Record<string, unknown>)[props.question.column];
  return (
    <article>
      <h3>
        <code>{props.question.column}</code> <Show when={typeof name() === "string"}>{String(name())}</Show>
        <For each={props.question.cell}>{(one) => <small> · {one.value || t().columns.unknownQueue}</small>}</For>
      </h3>
      <p class="note"><Range question={props.question} asOf={explained?.asOfUs} /></p>
      <p class="value" data-value={value ? `${value.amount}/${value.denominator}` : ""}>
        {column ? figure(column, value) : "–"}
      </p>
      <Show when={value?.absent}><p>{e().absent}</p></Show>
      <Show when={column?.meaning}><p><b>{e().meaning}</b> <span lang="en">{column?.meaning}</span></p></Show>
      <Show when={explained} fallback={<p class="note">{e().gauge}</p>}>
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

function Range(props: { question: Question; asOf: bigint | undefined }): JSX.Element {
  const { zone } = usePlace();
  const { query } = props.question;
  const at = () => moment(Number(query.asOfUs ?? props.asOf ?? 0n), zone);
  return (
    <>
      {query.lastUs === undefined
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

/** The formula with its amounts in place of its names. */
function inNumbers(terms: KpiTerm[]): string {
  const part = (plus: TermRole, minus: TermRole) => {
    const of = terms.filter((term) => term.role === plus || term.role === minus);
    return of.map((term, place) => `${term.role === minus ? "− " : place ? "+ " : ""}${term.measure} ${amount(term.unit, term.amount)}`).join(" ");
  };
  const above = part(TermRole.PLUS, TermRole.MINUS);
  const below = part(TermRole.OVER, TermRole.OVER_MINUS);
  if (!above) return terms.map((term) => `${term.measure} ${amount(term.unit, term.amount)}`).join(", ");
  return below ? `(${above}) / (${below})` : above;
}

function Formula(props: { explained: ExplainKpiResponse }): JSX.Element {
  const { zone } = usePlace();
  const e = () => t().explain;
  return (
    <>
      <Show when={props.explained.column?.formula}>
        <p><b>{e().formula}</b> <code lang="en">{props.explained.column?.name} = {props.explained.column?.formula}</code></p>
        <p><b>{e().inNumbers}</b> <code lang="en">{inNumbers(props.explained.terms)}</code></p>
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
                  <th scope="row"><code>{term.measure}</code></th>
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
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="contributions">
        <table class="items">
          <thead>
            <tr>
              <th scope="col">{e().measure}</th><th scope="col">{e().amount}</th><th scope="col">{e().from}</th><th scope="col">{e().to}</th>
              <th scope="col" class="left">{e().who}</th><th scope="col" class="left">{e().where}</th><th scope="col" class="left">{e().events}</th>
            </tr>
          </thead>
          <tbody><For each={items()}>{(item) => <Item item={item} unit={units.get(item.measure) ?? Unit.COUNT} />}</For></tbody>
        </table>
      </div>
      <Show when={failed()}><Refusal kind={t().failed} words={failed()} /></Show>
      <Show when={next().length}><button type="button" class="more" onClick={() => void more()}>{e().more}</button></Show>
    </>
  );
}

function Item(props: { item: KpiItem; unit: Unit }): JSX.Element {
  const { zone } = usePlace();
  const { item } = props;
  const at = (us: bigint) => moment(Number(us), zone);
  return (
    <tr class="item" data-measure={item.measure} data-amount={String(item.amount)}>
      <th scope="row"><code>{item.measure}</code></th>
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
    if (props.question.then) what.delete("known");
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
        <a href={other()}>{props.question.then ? t().explain.knownNow : t().explain.knownThen}</a>
      </Show>
      <button type="button" onClick={() => void copy()}>{copied() ? t().explain.copied : t().explain.copy}</button>
    </p>
  );
}
