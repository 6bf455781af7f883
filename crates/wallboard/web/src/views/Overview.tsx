// The overview: all queues, each queue, agents by state, today's curve against the same weekday.
import { For, Show, createMemo, createResource, type JSX } from "solid-js";
import { count, minute, percent, quotient, weekday, ABSENT } from "../figures/format";
import { addDays, days } from "../figures/zone";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { kpis } from "../live/rpc";
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import { Curve, type Points } from "../parts/Curve";
import { Figure, value } from "../parts/Figure";
import { Refusal } from "../parts/Refusal";
import { Said } from "../parts/Said";
import { t } from "../text";
import { AGENT_STATES, overviewTables } from "./overview-tables";
import type { LiveTable } from "../live/stream";

const HALF_HOUR_US = 1_800_000_000;

type Tables = ReturnType<typeof overviewTables>;

export function Overview(): JSX.Element {
  const { who, today } = usePlace();
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <h2 class="unseen">{t().overview.title}</h2>
      <Show when={who.agent}>
        <p class="note">{t().may.own}</p>
      </Show>
      {/* Another day is another stream. */}
      <Show when={today()} keyed>
        {(date) => <Day date={date} />}
      </Show>
    </Show>
  );
}

function Day(props: { date: string }): JSX.Element {
  const { site, zone } = usePlace();
  const tables = overviewTables(site, props.date, zone);
  return (
    <Show when={!tables.view.refused()} fallback={<Refusal kind={t().may.refused} words={tables.view.refused()} />}>
      <Show when={(tables.totalDay.version(), tables.totalDay.table.olderDefinitions > 0n)}>
        <p class="note" role="status">{t().link.folding}</p>
      </Show>
      <Tiles tables={tables} />
      <Queues tables={tables} />
      <AgentsByState table={tables.totalDay} />
      <TodaysCurve tables={tables} date={props.date} />
    </Show>
  );
}

/** How a row's first-contact resolution is reckoned: by issues, or by repeat contacts where there are none. */
function resolution(live: LiveTable, key: string): { rate: string; final: string; repeats: boolean } {
  const repeats = !quotient(value(live, key, "fcr_eligible"));
  return repeats
    ? { rate: "fcr_repeat_form", final: "repeat_final_share", repeats }
    : { rate: "fcr_rate", final: "fcr_final_share", repeats };
}

function provisional(live: LiveTable, key: string): string {
  const share = quotient(value(live, key, resolution(live, key).final));
  return share === null ? ABSENT : percent(1 - share);
}

function Tiles(props: { tables: Tables }): JSX.Element {
  const o = () => t().overview;
  const { totalDay, totalWindow, totalWeek } = props.tables;
  const reckoned = createMemo(() => resolution(totalWeek, ""));
  const noFcr = () => quotient(value(totalWeek, "", reckoned().rate)) === null;
  return (
    <section class="totals">
      <dl class="tiles">
        <div classList={{ warn: (quotient(value(totalDay, "", "waiting")) ?? 0) > 0 }}>
          <dt>{o().waiting}</dt>
          <dd><Figure live={totalDay} table="totalDay" column="waiting" /></dd>
          <dd class="beside"><Said words={o().longest} figures={[<Figure live={totalDay} table="totalDay" column="longest_waiting" />]} /></dd>
        </div>
        <div>
          <dt>{o().serviceLevel}</dt>
          <dd><Figure live={totalWindow} table="totalWindow" column="service_level" /></dd>
          <dd class="beside">
            {o().lastHalfHour}; {o().today} <Figure live={totalDay} table="totalDay" column="service_level" />
          </dd>
        </div>
        <div>
          <dt>{o().abandon}</dt>
          <dd><Figure live={totalDay} table="totalDay" column="abandon_rate" /></dd>
          <dd class="beside">
            <Said
              words={o().abandonNote}
              figures={[<Figure live={totalDay} table="totalDay" column="abandoned" />, <Figure live={totalDay} table="totalDay" column="offered" />]}
            />
          </dd>
        </div>
        <div>
          <dt>{o().asa}</dt>
          <dd><Figure live={totalDay} table="totalDay" column="asa" /></dd>
        </div>
        <div>
          <dt>{o().aht}</dt>
          <dd><Figure live={totalDay} table="totalDay" column="aht" /></dd>
        </div>
        <div>
          <dt>{o().fcr}</dt>
          <dd><Figure live={totalWeek} table="totalWeek" column={reckoned().rate} /></dd>
          <dd class="beside">{noFcr() ? o().fcrNone : o().fcrNote(provisional(totalWeek, ""), reckoned().repeats)}</dd>
        </div>
      </dl>
    </section>
  );
}

function Queues(props: { tables: Tables }): JSX.Element {
  const o = () => t().overview;
  const c = () => t().columns;
  const { site } = usePlace();
  const { queuesDay, queuesWindow, queuesWeek } = props.tables;
  const keys = createMemo(() => {
    queuesDay.version();
    return queuesDay.table.keys().filter((key) => key !== "");
  });
  const waits = (key: string) => (quotient(value(queuesDay, key, "waiting")) ?? 0) > 0;
  const day = ["abandon_rate", "asa", "aht", "offered", "answered", "abandoned"] as const;
  return (
    <section class="by-queue">
      <h2 id="queues">{o().queues}</h2>
      <Show when={keys().length} fallback={<p class="note">{o().noQueues}</p>}>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="queues">
          <table class="queues">
            <thead>
              <tr>
                <th scope="col">{c().queue}</th>
                <th scope="col">{c().waiting}</th>
                <th scope="col">{c().longest_waiting}</th>
                <th scope="col">{c().service_level_30}</th>
                <th scope="col">{c().service_level}</th>
                <For each={day}>{(column) => <th scope="col">{c()[column]}</th>}</For>
                <th scope="col">{c().fcr}</th>
              </tr>
            </thead>
            <tbody>
              <For each={keys()}>
                {(key) => (
                  <tr data-queue={key}>
                    <th scope="row"><a class="name" href={link(site, "queue", { queue: key })}>{key}</a></th>
                    <td classList={{ warn: waits(key) }}>
                      <Figure live={queuesDay} table="queuesDay" row={key} column="waiting" />
                    </td>
                    <td><Figure live={queuesDay} table="queuesDay" row={key} column="longest_waiting" /></td>
                    <td><Figure live={queuesWindow} table="queuesWindow" row={key} column="service_level" /></td>
                    <td><Figure live={queuesDay} table="queuesDay" row={key} column="service_level" /></td>
                    <For each={day}>
                      {(column) => <td><Figure live={queuesDay} table="queuesDay" row={key} column={column} /></td>}
                    </For>
                    <td>
                      <Figure live={queuesWeek} table="queuesWeek" row={key} column={resolution(queuesWeek, key).rate} />
                      <Show when={provisional(queuesWeek, key) !== ABSENT}>
                        <small>{provisional(queuesWeek, key)} {o().provisional}</small>
                      </Show>
                    </td>
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

/** A mark for each state: never colour alone. */
const STATE_MARKS: Record<(typeof AGENT_STATES)[number], string> = {
  ready: "○", occupied: "●", ringing: "◔", dialing: "◑", away: "△", lost: "✕",
};

function AgentsByState(props: { table: LiveTable }): JSX.Element {
  const o = () => t().overview;
  const shares = createMemo(() => {
    const counts = AGENT_STATES.map((state) => quotient(value(props.table, "", `agents_${state}`)) ?? 0);
    const all = counts.reduce((sum, one) => sum + one, 0);
    return counts.map((one) => (all ? one / all : 0));
  });
  return (
    <section class="by-state">
      <h2 id="states">{o().agents} <small><Said words={o().signedIn} figures={[<Figure live={props.table} table="totalDay" column="agents_signed_in" />]} /></small></h2>
      <div class="band" aria-hidden="true">
        <For each={AGENT_STATES}>
          {(state, place) => <span class={`state-${state}`} style={{ "flex-grow": shares()[place()] }} />}
        </For>
      </div>
      <ul class="states">
        <For each={AGENT_STATES}>
          {(state) => (
            <li>
              <span class={`mark state-${state}`} aria-hidden="true">{STATE_MARKS[state]}</span> {t().states[state]}{" "}
              <Figure live={props.table} table="totalDay" column={`agents_${state}`} />
            </li>
          )}
        </For>
      </ul>
    </section>
  );
}

function TodaysCurve(props: { tables: Tables; date: string }): JSX.Element {
  const { site, zone } = usePlace();
  const o = () => t().overview;
  const before = days(addDays(props.date, -7), 1, zone);
  const [past] = createResource(async () => {
    const table = await kpis.queryKpi({
      site, timeZone: zone, by: [Dimension.INTERVAL30], columns: ["offered"], fromUs: BigInt(before.from), toUs: BigInt(before.to),
    });
    return new Map(table.rows.map((row) => [Number(row.fromUs) - before.from, Number(row.values[0]?.amount ?? 0n)]));
  });
  const points = createMemo((): Points => {
    const { curve, day } = props.tables;
    curve.version();
    const now = Number(curve.table.asOf);
    const told = new Map<number, number>();
    for (const row of curve.table.all()) told.set(Number(row.fromUs), Number(row.values[0]?.amount ?? 0n));
    const at: number[] = [];
    for (let piece = day.from; piece < day.to; piece += HALF_HOUR_US) at.push(piece);
    const week = past.state === "ready" ? past() : undefined;
    return {
      at,
      today: at.map((piece) => (piece <= now ? (told.get(piece) ?? 0) : null)),
      // A day on which nothing was counted is no day of zeros.
      before: at.map((piece) => (week?.size ? (week.get(piece - day.from) ?? 0) : null)),
      whole: at.filter((piece) => piece + HALF_HOUR_US <= now).length,
    };
  });
  const names = (): [string, string] => [o().curveToday, o().curveBefore(weekday(before.from + 43_200_000_000, zone))];
  return (
    <section class="by-time">
      <h2 id="curve">{o().curve}</h2>
      <p class="legend">
        <span class="line solid" aria-hidden="true" /> {names()[0]} <span class="line dashed" aria-hidden="true" /> {names()[1]}
        <Show when={past.state === "ready" && !past()?.size}>{` (${o().curveNone})`}</Show>
      </p>
      <Curve points={points()} names={names()} label={`${o().curve}: ${names().join(", ")}`} zone={zone} />
      <details>
        <summary>{o().curveTable}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="curve">
          <table>
            <thead>
              <tr><th scope="col">{o().from}</th><th scope="col">{names()[0]}</th><th scope="col">{names()[1]}</th></tr>
            </thead>
            <tbody>
              <For each={points().at}>
                {(at, place) => (
                  <tr>
                    <th scope="row">{minute(at, zone)}</th>
                    <td>{shown(points().today[place()])}</td>
                    <td>{shown(points().before[place()])}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

const shown = (amount: number | null | undefined): string => (amount === null || amount === undefined ? ABSENT : count(amount));
