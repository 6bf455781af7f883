// A trend's answer: its chart, and the table that says the same to the last digit.
import { For, Show, createMemo, type JSX } from "solid-js";
import { Unit } from "../gen/pegcount/v1/kpi_pb";
import { count, plain, quotient, unitWord } from "../figures/format";
import { usePlace } from "../frame/site";
import { COLOURS, Lines, MARKS, type DrawnLine } from "../parts/Lines";
import { t } from "../text";
import { columnName } from "../text/columns";
import type { Choices, Source } from "./trends-question";
import { pieceName, sourceName } from "./trend-names";
import { PiecesTable, WholeTable } from "./TrendTables";
import type { Cell, Trend } from "./trends-table";

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
        points: pieces().map((line) => {
          const cell = props.trend.cell(place, line.place, key);
          return isRunning(cell) ? null : quotient(cell?.value);
        }),
      })),
    ),
  );
  const running = () => drawn().some((key) => pieces().some((line) => isRunning(props.trend.cell(last(), line.place, key))));
  const names = createMemo(() => pieces().map((line) => pieceName(line, props.chosen, zone, true)));
  return (
    <>
      <h3 id="trend">{columnName(props.chosen.column)} <small class="unit">{w().units[unitWord(column())]}</small></h3>
      <Show when={props.trend.keys.length} fallback={<p class="note">{w().none}</p>}>
        <Legend drawn={drawn()} sources={props.sources} trend={props.trend} name={keyName} chosen={props.chosen} zone={zone} />
        <Show when={pieces().length > 1}>
          <Lines lines={lines()} names={names()} label={`${columnName(props.chosen.column)}: ${drawn().map(keyName).join(", ")}`} amount={(value) => plain(column(), value)} ceiling={unitWord(column()) === "share" ? 1 : undefined} />
        </Show>
        <Show when={pieces().length > 1 && running()}><p class="note">{w().running}</p></Show>
        <Show when={pieces().length} fallback={<WholeTable {...props} name={keyName} zone={zone} />}>
          <PiecesTable {...props} name={keyName} zone={zone} />
        </Show>
      </Show>
    </>
  );
}

/** An amount of a piece that is not over: so much, and more to come. */
const isRunning = (cell: Cell | undefined): boolean => cell !== undefined && cell.value?.denominator === 0n && cell.row.toUs > cell.table.asOfUs;

function Legend(props: { drawn: string[]; sources: Source[]; trend: Trend; name: (key: string) => string; chosen: Choices; zone: string }): JSX.Element {
  const w = () => t().trends;
  return (
    <>
      <ul class="legend">
        <For each={props.chosen.by ? props.drawn : []}>
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
