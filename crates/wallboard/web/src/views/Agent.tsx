// One agent: what it does now, the day as a band of states, the day's figures, its contacts, and what was odd.
import { For, Show, createEffect, createMemo, createResource, createSignal, onCleanup, untrack, type JSX } from "solid-js";
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import type { AgentState, Anomaly } from "../gen/pegcount/v1/agents_pb";
import { clock, count, duration } from "../figures/format";
import { days, type Span } from "../figures/zone";
import { link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { heldAt, tick } from "../live/clock";
import { agents, words } from "../live/rpc";
import { watchView, type LiveTable, type View } from "../live/stream";
import { known as knownAt } from "../live/known";
import { Band, type Piece } from "../parts/Band";
import { DayChoice, useDate } from "../parts/Day";
import { Figure } from "../parts/Figure";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { standing } from "./agent-state";
import { Allowance, Lasts } from "./AgentTile";
import { CLOCKS, agentDay, type AgentDay, type HandledContact, type StateSpan } from "./agent-day";
import { loadLimits } from "./limits";

const FIGURES = ["handled", "contacts_per_hour", "aht", "occupancy", "talk_time", "acw_time"] as const;
const CLOCK_FIGURES = ["signed_in_clock", ...CLOCKS.map((state) => `${state}_clock` as const)] as const;
/** The day is asked for anew at most so often. */
const AGAIN_MS = 3_000;

export function Agent(): JSX.Element {
  const { who, site } = usePlace();
  const agent = createMemo(() => who.agent || route().what.get("agent") || "");
  const date = useDate();
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <Show when={agent()} fallback={<p class="note">{t().agent.none} <a href={link(site, "agents")}>{t().nav.agents}</a></p>}>
        <Show when={`${agent()} ${date()}`} keyed>
          {(_) => <OneDay agent={agent()} date={date()} />}
        </Show>
      </Show>
    </Show>
  );
}

function OneDay(props: { agent: string; date: string }): JSX.Element {
  const { site, zone, who, today } = usePlace();
  const day = days(props.date, 1, zone);
  const range = { fromUs: BigInt(day.from), toUs: BigInt(day.to), timeZone: zone, agents: [props.agent] };
  const isToday = props.date === untrack(today);
  const view = watchView(
    site,
    [
      { ...range, by: [Dimension.AGENT], columns: [...FIGURES, ...CLOCK_FIGURES] },
      { ...range, by: [Dimension.AGENT, Dimension.REASON], columns: ["away_clock"] },
    ],
    who.readsAgents && isToday,
  );
  const state = createMemo(() => (view.agents.version(), view.agents.states.get(props.agent)));
  return (
    <>
      <div class="headline">
        <h2>{props.agent} <small>{state()?.team}</small></h2>
        <DayChoice date={props.date} />
      </div>
      <Show when={who.agent}><p class="note">{t().may.own}</p></Show>
      <Show when={!view.refused()} fallback={<Refusal kind={t().may.refused} words={view.refused()} />}>
        <Now view={view} state={state()} agent={props.agent} from={day.from} isToday={isToday} />
        <Sums live={view.tables[0]!} agent={props.agent} />
        <Past agent={props.agent} day={day} state={state()} isToday={isToday} />
      </Show>
    </>
  );
}

/** What the agent does now, for how long, and the away time that is left. */
function Now(props: { view: View; state: AgentState | undefined; agent: string; from: number; isToday: boolean }): JSX.Element {
  const { site } = usePlace();
  const [limits] = createResource(() => loadLimits(site, props.from).catch(() => undefined));
  const known = createMemo(() => (props.state ? standing(props.state) : undefined));
  const team = () => props.state?.team ?? "";
  return (
    <Show when={props.isToday && !props.view.past}>
      <p class="now">
        <Show when={known()} fallback={t().agent.notThere}>
          {(one) => (
            <>
              <span class={`mark state-${one().kind}`} aria-hidden="true">{one().mark}</span> <b>{t().states[one().word]}</b> <span translate="no">{one().detail}</span>{" "}
              <Lasts standing={one()} limit={limits.latest?.limit(one(), props.agent, team())} />
            </>
          )}
        </Show>
        <Show when={limits.latest?.allowance(team())?.totalUs !== undefined}>
          <span class="allowed">{t().agent.allowance} <Allowance view={props.view} agent={props.agent} team={team()} limits={limits.latest} /></span>
        </Show>
      </p>
    </Show>
  );
}

function Sums(props: { live: LiveTable; agent: string }): JSX.Element {
  return (
    <dl class="tiles small">
      <For each={[...FIGURES, "signed_in_clock"] as const}>
        {(column) => (
          <div>
            <dt>{t().columns[column]}</dt>
            <dd><Figure live={props.live} table="agentDay" row={props.agent} column={column} /></dd>
          </div>
        )}
      </For>
      <For each={CLOCKS}>
        {(state) => (
          <div>
            <dt><span class={`mark state-${state}`} aria-hidden="true">■</span> {t().states[state]}</dt>
            <dd><Figure live={props.live} table="agentDay" row={props.agent} column={`${state}_clock`} /></dd>
          </div>
        )}
      </For>
    </dl>
  );
}

/** What has happened; of today it is asked for again when the agent's state has changed. */
function Past(props: { agent: string; day: Span; state: AgentState | undefined; isToday: boolean }): JSX.Element {
  const { site, zone, who } = usePlace();
  const [asked, ask] = createSignal(0);
  const [found] = createResource(asked, () => agentDay(site, props.agent, props.day, zone));
  const [odd] = createResource(asked, () => (who.readsAgents ? anomalies(site, props.agent, props.day) : []));
  let last = { version: props.state?.version, at: performance.now() };
  createEffect(() => {
    tick();
    const version = props.state?.version;
    if (heldAt() !== null || version === last.version || performance.now() - last.at < AGAIN_MS || untrack(() => found.loading)) return;
    last = { version, at: performance.now() };
    ask((before) => before + 1);
  });
  onCleanup(() => (last.at = Infinity));
  return (
    <Show when={!found.error} fallback={<Refusal kind={t().failed} words={words(found.error)} />}>
      <Show when={found.latest} fallback={<p class="note" aria-busy="true">{t().link.connecting}</p>}>
        {(known) => (
          <>
            <States day={known()} span={props.day} />
            <Contacts contacts={known().contacts} asOf={known().asOf} />
            <Show when={knownAt() === null} fallback={<p class="note">{t().travel.noPast}</p>}>
              <Odd anomalies={odd.error ? [] : (odd.latest ?? [])} />
            </Show>
          </>
        )}
      </Show>
    </Show>
  );
}

/** The odd facts of the day that the agent's state keeps. An agent that was never there has none. */
async function anomalies(site: string, agent: string, day: Span): Promise<Anomaly[]> {
  const known = await agents.getAgent({ site, agent });
  return known.anomalies.filter((one) => day.from <= Number(one.occurredAtUs) && Number(one.occurredAtUs) < day.to);
}

const named = (span: StateSpan): string => (span.reason ? `${t().states[span.state]}: ${span.reason}` : t().states[span.state]);

function States(props: { day: AgentDay; span: Span }): JSX.Element {
  const { zone } = usePlace();
  const a = () => t().agent;
  const shown = () => {
    const { spans } = props.day;
    // From the first hour with something in it to the last: a day's night says nothing.
    const hour = 3_600_000_000;
    const from = spans.length ? Math.floor(Math.min(...spans.map((one) => one.from)) / hour) * hour : props.span.from;
    const to = spans.length ? Math.ceil(Math.max(...spans.map((one) => one.to)) / hour) * hour : props.span.to;
    return { from: Math.max(from, props.span.from), to: Math.min(to, props.span.to) };
  };
  const pieces = (): Piece[] =>
    props.day.spans.map((span) => ({
      line: CLOCKS.indexOf(span.state),
      class: `fill state-${span.state}`,
      from: span.from,
      to: span.to,
      title: `${named(span)} ${clock(span.from, zone)}–${clock(span.to, zone)} (${duration(Number(span.amount))})`,
    }));
  return (
    <section class="states-of-day">
      <h3 id="band">{a().band} <small>{a().upTo(clock(props.day.asOf, zone))}</small></h3>
      <Show when={props.day.spans.length} fallback={<p class="note">{a().nothing}</p>}>
        <Band
          lines={CLOCKS.map((state) => ({ name: t().states[state], class: `state-${state}` }))}
          pieces={pieces()}
          {...shown()}
          zone={zone}
          label={`${a().band}: ${a().bandIs(count(props.day.spans.length))}`}
        />
        <Show when={props.day.more}><p class="note">{a().more}</p></Show>
        <details>
          <summary>{t().overview.curveTable}</summary>
          <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="band">
            <table class="spans">
              <thead>
                <tr><th scope="col">{t().explain.from}</th><th scope="col">{t().explain.to}</th><th scope="col" class="left">{t().columns.state}</th><th scope="col">{t().columns.since}</th></tr>
              </thead>
              <tbody>
                <For each={props.day.spans}>
                  {(span) => (
                    <tr data-state={span.state} data-amount={String(span.amount)}>
                      <th scope="row">{clock(span.from, zone)}</th>
                      <td>{clock(span.to, zone)}</td>
                      <td class="left"><span class={`mark state-${span.state}`} aria-hidden="true">■</span> {named(span)}</td>
                      <td>{duration(Number(span.amount))}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        </details>
      </Show>
    </section>
  );
}

function Contacts(props: { contacts: HandledContact[]; asOf: number }): JSX.Element {
  const { site, zone } = usePlace();
  const a = () => t().agent;
  const time = (us: bigint) => duration(Number(us));
  return (
    <section class="contacts-of-day">
      <h3 id="contacts">{a().contacts} <small>{count(props.contacts.length)}</small></h3>
      <Show when={props.contacts.length} fallback={<p class="note">{a().noContacts}</p>}>
        <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="contacts">
          <table class="handled" data-as-of={props.asOf}>
            <thead>
              <tr>
                <th scope="col">{a().answered}</th><th scope="col">{a().completed}</th><th scope="col" class="left">{t().columns.queue}</th>
                <th scope="col">{t().columns.talk_time}</th><th scope="col">{a().hold}</th><th scope="col">{t().columns.acw_time}</th>
                <th scope="col" class="left">{a().contact}</th>
              </tr>
            </thead>
            <tbody>
              <For each={props.contacts}>
                {(one) => (
                  <tr data-contact={one.contact} data-talk={String(one.talk)} data-hold={String(one.hold)} data-desk={String(one.desk)}>
                    <th scope="row">{clock(one.from, zone)}</th>
                    <td>{clock(one.to, zone)}</td>
                    <td class="left"><Show when={one.queue} fallback={t().columns.unknownQueue}><a href={link(site, "queue", { queue: one.queue })}>{one.queue}</a></Show></td>
                    <td>{time(one.talk)}</td>
                    <td>{time(one.hold)}</td>
                    <td>{time(one.desk)}</td>
                    <td class="left"><code>{one.contact || "–"}</code></td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  );
}

function Odd(props: { anomalies: Anomaly[] }): JSX.Element {
  const { zone } = usePlace();
  return (
    <section class="odd">
      <h3>{t().agent.odd} <small>{count(props.anomalies.length)}</small></h3>
      <Show when={props.anomalies.length} fallback={<p class="note">{t().agent.noOdd}</p>}>
        <ul>
          <For each={props.anomalies}>
            {(one) => <li>{clock(Number(one.occurredAtUs), zone)} #{count(one.position)} <span lang="en">{one.reason}</span></li>}
          </For>
        </ul>
      </Show>
    </section>
  );
}
