// One queue: the day's figures, who waits now, and how the day went, piece by piece.
import { For, Show, createMemo, createResource, untrack, type JSX } from "solid-js";
import { Dimension, type KpiRow } from "../gen/pegcount/v1/kpi_pb";
import { Channel } from "../gen/pegcount/v1/facts_pb";
import { clock, count, duration, minute, quotient } from "../figures/format";
import { days } from "../figures/zone";
import { go, link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { drawnAt } from "../live/clock";
import { watchView, type LiveTable, type View } from "../live/stream";
import { Curve } from "../parts/Curve";
import { DayChoice, other, useDate } from "../parts/Day";
import { Figure, value } from "../parts/Figure";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { Name } from "./AgentTile";
import { loadLimits } from "./limits";
import { watchWaiting } from "./queue-waiting";

const MINUTE_US = 60_000_000;
const HALF_HOUR_US = BigInt(30 * MINUTE_US);
const NOW = ["waiting", "longest_waiting"] as const;
const DAY = ["service_level", "abandon_rate", "asa", "aht", "offered", "answered", "abandoned"] as const;
const PIECE = ["offered", "answered", "abandoned", "abandon_rate", "service_level", "asa", "aht"] as const;
/** Lengths of pieces, in minutes. */
const LENGTHS = { "15": Dimension.INTERVAL15, "30": Dimension.INTERVAL30, "60": Dimension.HOUR } as const;
type Length = keyof typeof LENGTHS;

export function Queue(): JSX.Element {
  const { who, site } = usePlace();
  const queue = createMemo(() => route().what.get("queue") ?? "");
  const date = useDate();
  const length = createMemo((): Length => {
    const asked = route().what.get("by") ?? "";
    return asked in LENGTHS ? (asked as Length) : "30";
  });
  return (
    <Show when={who.readsFigures} fallback={<Refusal kind={t().may.figures(who.role)} />}>
      <Show when={queue()} fallback={<p class="note">{t().queue.none} <a href={link(site, "overview")}>{t().nav.overview}</a></p>}>
        <Show when={`${queue()} ${date()} ${length()}`} keyed>
          {(_) => <OneDay queue={queue()} date={date()} length={length()} />}
        </Show>
      </Show>
    </Show>
  );
}

function OneDay(props: { queue: string; date: string; length: Length }): JSX.Element {
  const { site, zone, today, who } = usePlace();
  const day = days(props.date, 1, zone);
  const isToday = props.date === untrack(today);
  const range = { fromUs: BigInt(day.from), toUs: BigInt(day.to), timeZone: zone, queues: [props.queue] };
  const view = watchView(
    site,
    [
      { ...range, by: [Dimension.QUEUE], columns: [...NOW, ...DAY] },
      { ...range, by: [LENGTHS[props.length]], columns: [...PIECE] },
      ...(isToday ? [{ lastUs: HALF_HOUR_US, timeZone: zone, queues: [props.queue], by: [Dimension.QUEUE], columns: ["service_level"] }] : []),
    ],
    false,
  );
  return (
    <>
      <div class="headline">
        <h2>{props.queue}</h2>
        <DayChoice date={props.date} />
      </div>
      <Show when={who.agent}><p class="note">{t().may.own}</p></Show>
      <Show when={!view.refused()} fallback={<Refusal kind={t().may.refused} words={view.refused()} />}>
        <Sums view={view} queue={props.queue} isToday={isToday} />
        <Show when={isToday}><Waits live={view.tables[0]!} queue={props.queue} from={day.from} /></Show>
        <Pieces live={view.tables[1]!} length={props.length} />
      </Show>
    </>
  );
}

function Sums(props: { view: View; queue: string; isToday: boolean }): JSX.Element {
  const live = () => props.view.tables[0]!;
  const waits = () => props.isToday && (quotient(value(live(), props.queue, "waiting")) ?? 0) > 0;
  return (
    <dl class="tiles small">
      <For each={[...(props.isToday ? NOW : []), ...DAY]}>
        {(column) => (
          <div classList={{ warn: column === "waiting" && waits() }}>
            <dt>{t().columns[column]}</dt>
            <dd><Figure live={live()} table="queueDay" row={props.queue} column={column} /></dd>
          </div>
        )}
      </For>
      <Show when={props.view.tables[2]}>
        {(window) => (
          <div>
            <dt>{t().columns.service_level_30}</dt>
            <dd><Figure live={window()} table="queueWindow" row={props.queue} column="service_level" /></dd>
          </div>
        )}
      </Show>
    </dl>
  );
}

const CHANNELS: Partial<Record<Channel, "voice" | "chat" | "email">> = { [Channel.VOICE]: "voice", [Channel.CHAT]: "chat", [Channel.EMAIL]: "email" };

/** Who waits now, and for how long; past the service level's threshold a mark says so. */
function Waits(props: { live: LiveTable; queue: string; from: number }): JSX.Element {
  const { site, zone } = usePlace();
  const q = () => t().queue;
  const { waiting, refused } = watchWaiting(site, props.queue, props.live);
  const [limits] = createResource(() => loadLimits(site, props.from).catch(() => undefined));
  const threshold = () => limits.latest?.threshold(props.queue);
  return (
    <section class="waiting-now">
      <h3 id="waiting">{q().waiting} <small>{waiting() ? count(waiting()!.length) : ""}</small></h3>
      <Show when={!refused()} fallback={<Refusal kind={q().mayNot} words={refused()} />}>
        <Show when={waiting()?.length} fallback={<p class="note">{waiting() ? q().nobody : t().link.connecting}</p>}>
          <div class="scroll some" tabIndex={0} role="region" aria-labelledby="waiting">
            <table class="waits">
              <thead>
                <tr>
                  <th scope="col">{q().entered}</th><th scope="col">{q().waits}</th><th scope="col" class="left">{q().channel}</th>
                  <th scope="col" class="left">{q().entry}</th><th scope="col" class="left">{q().rings}</th><th scope="col" class="left">{t().agent.contact}</th>
                </tr>
              </thead>
              <tbody>
                <For each={waiting()}>
                  {(one) => {
                    const waits = createMemo(() => Math.max(0, drawnAt() - one.since));
                    const past = () => threshold() !== undefined && waits() > threshold()!;
                    const channel = CHANNELS[one.channel];
                    return (
                      <tr data-contact={one.contact} data-since={one.since}>
                        <th scope="row">{clock(one.since, zone)}</th>
                        <td classList={{ warn: past() }}>
                          {duration(waits())}
                          <Show when={past()}> <span class="mark" role="img" title={q().past(duration(threshold()!))} aria-label={q().past(duration(threshold()!))}>⚠</span></Show>
                        </td>
                        <td class="left">{channel ? q().channels[channel] : q().channels.other}</td>
                        <td class="left">{one.entry || "–"}</td>
                        <td class="left"><Show when={one.rings} fallback="–"><Name agent={one.rings} /></Show></td>
                        <td class="left"><code>{one.contact}</code></td>
                      </tr>
                    );
                  }}
                </For>
              </tbody>
            </table>
          </div>
        </Show>
      </Show>
    </section>
  );
}

function Pieces(props: { live: LiveTable; length: Length }): JSX.Element {
  const { zone } = usePlace();
  const q = () => t().queue;
  const rows = createMemo((): KpiRow[] => {
    props.live.version();
    return [...props.live.table.all()].sort((a, b) => Number(a.fromUs - b.fromUs));
  });
  /** One piece after the other, from the first to the last; between two that have something lie some that have nothing. */
  const amounts = (column: string, none: number | null, times = 1) => {
    const told = new Map(rows().map((row) => [Number(row.fromUs), row]));
    const [first, last] = [rows()[0], rows().at(-1)];
    if (!first || !last) return { at: [], of: [] };
    const at: number[] = [];
    for (let from = Number(first.fromUs); from <= Number(last.fromUs); from += Number(props.length) * MINUTE_US) at.push(from);
    const now = Number(props.live.table.asOf);
    const of = at.map((from) => {
      // The piece that goes on would look like a fall, and is not drawn.
      if (from + Number(props.length) * MINUTE_US > now) return null;
      const row = told.get(from);
      const known = row ? quotient(value(props.live, "", column, row)) : none;
      return known === null ? null : known * times;
    });
    return { at, of };
  };
  const curve = (one: string, other: string | undefined, none: number | null, times = 1) => {
    const { at, of } = amounts(one, none, times);
    return { at, today: of, before: other ? amounts(other, none, times).of : at.map(() => null), whole: at.length };
  };
  return (
    <section class="pieces">
      <div class="headline">
        <h3 id="pieces">{q().pieces}</h3>
        <label>
          {q().length}{" "}
          <select id="length" onChange={(event) => go(other({ by: event.currentTarget.value }), true)}>
            <For each={Object.keys(LENGTHS)}>{(one) => <option value={one} selected={one === props.length}>{q().minutes(count(Number(one)))}</option>}</For>
          </select>
        </label>
      </div>
      <Show when={rows().length} fallback={<p class="note">{q().nothing}</p>}>
        <div class="two">
          <figure>
            <figcaption class="legend">
              <span class="line solid" aria-hidden="true" /> {t().columns.offered} <span class="line dashed" aria-hidden="true" /> {t().columns.answered}
            </figcaption>
            <Curve points={curve("offered", "answered", 0)} names={[t().columns.offered, t().columns.answered]} label={`${t().columns.offered}, ${t().columns.answered}`} zone={zone} />
          </figure>
          <figure>
            <figcaption class="legend"><span class="line solid" aria-hidden="true" /> {q().levelCurve}</figcaption>
            <Curve points={curve("service_level", undefined, null, 100)} names={[q().levelCurve, ""]} label={q().levelCurve} zone={zone} />
          </figure>
        </div>
        <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="pieces">
          <table class="intervals">
            <thead>
              <tr><th scope="col">{t().overview.from}</th><For each={PIECE}>{(column) => <th scope="col">{column === "service_level" ? t().overview.serviceLevel : t().columns[column]}</th>}</For></tr>
            </thead>
            <tbody>
              <For each={rows().map((row) => row.fromUs)}>
                {(from) => {
                  const row = () => rows().find((one) => one.fromUs === from) ?? rows()[0]!;
                  return (
                    <tr data-from={String(from)}>
                      <th scope="row">{minute(Number(from), zone)}</th>
                      <For each={PIECE}>{(column) => <td><Figure live={props.live} table="queuePieces" piece={row()} column={column} /></td>}</For>
                    </tr>
                  );
                }}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  );
}
