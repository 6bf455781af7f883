// A trend's answer: its chart, and the table that says the same to the last digit.
import { For, Index, Show, createMemo, type JSX } from "solid-js";
import { Unit } from "../gen/pegcount/v1/kpi_pb";
import { ABSENT, count, date, figure, minute, month, plain, quotient, signed } from "../figures/format";
import { addDays, startOf } from "../figures/zone";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { COLOURS, Lines, MARKS, type DrawnLine } from "../parts/Lines";
import { t } from "../text";
import { columnName } from "../text/columns";
import type { Choices, Source } from "./trends-question";
import { address, difference, type Line, type Trend } from "./trends-table";

export function TrendShown(props: { trend: Trend; chosen: Choices; sources: Source[] }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().trends;
  const column = () => props.trend.column ?? { name: props.chosen.column, unit: Unit.COUNT };
  const pieces = createMemo(() => props.trend.lines.filter((line) => line.place));
  const last = () => props.sources.length - 1;
  const keyName = (key: string) => key || (props.chosen.by ? w().noKey : w().together);
  /** The keys of most weight over the whole: so many as lines can be told apart. */
  const drawn = createMemo(() => {
    const worth = (key: string) => quotient(props.trend.cell(last(), "", key)?.value) ?? 0;
    return [...props.trend.keys].sort((a, b) => worth(b) - worth(a)).slice(0, MARKS.length);
  });
  const lines = createMemo((): DrawnLine[] =>
    drawn().flatMap((key, kind) =>
      props.sources.map((source, place) => ({
        name: `${keyName(key)} ${sourceName(source, props, zone)}`,
        kind,
        dashed: place !== last(),
        points: pieces().map((line) => quotient(props.trend.cell(place, line.place, key)?.value)),
      })),
    ),
  );
  const names = createMemo(() => pieces().map((line) => pieceName(line, props.chosen, zone, true)));
  return (
    <>
      <h3 id="trend">{columnName(props.chosen.column)}</h3>
      <Show when={props.trend.keys.length} fallback={<p class="note">{w().none}</p>}>
        <Legend drawn={drawn()} sources={props.sources} trend={props.trend} name={keyName} chosen={props.chosen} zone={zone} />
        <Show when={pieces().length > 1}>
          <Lines lines={lines()} names={names()} label={`${columnName(props.chosen.column)}: ${drawn().map(keyName).join(", ")}`} amount={(value) => plain(column(), value)} />
        </Show>
        <Table {...props} name={keyName} zone={zone} />
      </Show>
    </>
  );
}

/** How a source is called: by its days, or by its formula. */
function sourceName(source: Source, { chosen }: { chosen: Choices }, zone: string): string {
  if (chosen.compared === "formula") return t().trends.version(String(source.formula));
  const { first, count: length } = source.period;
  const day = (of: string) => date(startOf(of, zone) + 43_200_000_000, zone);
  return length === 1 ? day(first) : t().trends.days(day(first), day(addDays(first, length - 1)));
}

/** What a line of the table is called; in short for an axis. */
function pieceName(line: Line, chosen: Choices, zone: string, short: boolean): string {
  if (!line.place) return t().trends.whole;
  const at = line.at.findLast((one) => one !== undefined) ?? 0;
  if (chosen.each === "month") return month(at, zone);
  if (chosen.each === "day" || chosen.each === "week") return date(at, zone);
  const oneDay = ["today", "yesterday"].includes(chosen.range);
  return oneDay || (short && minute(at, zone) !== "00:00") ? minute(at, zone) : short ? date(at, zone) : `${date(at, zone)} ${minute(at, zone)}`;
}

function Legend(props: { drawn: string[]; sources: Source[]; trend: Trend; name: (key: string) => string; chosen: Choices; zone: string }): JSX.Element {
  const w = () => t().trends;
  return (
    <>
      <ul class="legend">
        <For each={props.drawn}>
          {(key, place) => (
            <li><span class="mark" style={{ color: `var(${COLOURS[place() % COLOURS.length]})` }} aria-hidden="true">{MARKS[place() % MARKS.length]}</span> {props.name(key)}</li>
          )}
        </For>
        <Show when={props.sources.length > 1}>
          <li><span class="line" aria-hidden="true" /> {sourceName(props.sources.at(-1)!, props, props.zone)}</li>
          <li><span class="line dashed" aria-hidden="true" /> {sourceName(props.sources[0]!, props, props.zone)}</li>
        </Show>
      </ul>
      <Show when={props.drawn.length < props.trend.keys.length}>
        <p class="note">{w().drawn(count(props.drawn.length), count(props.trend.keys.length))}</p>
      </Show>
    </>
  );
}

function Table(props: { trend: Trend; chosen: Choices; sources: Source[]; name: (key: string) => string; zone: string }): JSX.Element {
  const w = () => t().trends;
  const compared = () => props.sources.length > 1;
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-labelledby="trend">
      <table class="trend">
        <thead>
          <tr>
            <th scope="col">{w().piece}</th>
            <For each={props.trend.keys}>
              {(key) => (
                <>
                  <For each={props.sources}>
                    {(source) => (
                      <th scope="col">
                        {props.name(key)}
                        <Show when={compared()}><small>{sourceName(source, props, props.zone)}</small></Show>
                      </th>
                    )}
                  </For>
                  <Show when={compared()}><th scope="col">{props.name(key)}<small>{w().difference}</small></th></Show>
                </>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={props.trend.lines}>
            {(line) => (
              <tr classList={{ whole: !line.place }} data-place={line.place || "whole"}>
                <th scope="row">{pieceName(line, props.chosen, props.zone, false)}</th>
                <For each={props.trend.keys}>{(key) => <Cells {...props} line={line} key={key} />}</For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function Cells(props: { trend: Trend; chosen: Choices; sources: Source[]; line: Line; key: string }): JSX.Element {
  const { site } = usePlace();
  const cell = (source: number) => props.trend.cell(source, props.line.place, props.key);
  const apart = () => difference(cell(0), cell(1));
  return (
    <>
      <Index each={props.sources}>
        {(source, place) => (
          <td>
            <Show when={cell(place)} fallback={ABSENT}>
              {(known) => (
                <a
                  class="figure"
                  href={link(site, "explain", address(props.chosen, props.key, known()))}
                  data-key={props.key}
                  data-source={place}
                  data-formula={source().formula}
                  data-from={String(known().row.fromUs)}
                  data-to={String(known().row.toUs)}
                >
                  {props.trend.column ? figure(props.trend.column, known().value) : ABSENT}
                </a>
              )}
            </Show>
          </td>
        )}
      </Index>
      <Show when={props.sources.length > 1}>
        <td class="difference" data-key={props.key} data-difference={apart() ?? ""}>{props.trend.column ? signed(props.trend.column, apart()) : ABSENT}</td>
      </Show>
    </>
  );
}
