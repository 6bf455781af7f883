// A day as bands: one line for each state, so that states are told apart by their place and not by colour alone. What it shows
// stands in a table beside it.
import { For, type JSX } from "solid-js";
import { minute } from "../figures/format";

export interface Piece {
  /** Which line, from 0. */
  line: number;
  /** The style's class. */
  class: string;
  /** Microseconds UTC. */
  from: number;
  to: number;
  title: string;
}

const [WIDTH, LINE, FOOT] = [1000, 22, 18];

export function Band(props: { lines: { name: string; class: string }[]; pieces: Piece[]; from: number; to: number; zone: string; label: string }): JSX.Element {
  const x = (at: number) => ((at - props.from) / Math.max(1, props.to - props.from)) * WIDTH;
  const height = () => props.lines.length * LINE;
  /** Whole hours, as many as fit. */
  const hours = () => {
    const hour = 3_600_000_000;
    const step = [1, 2, 3, 6].find((one) => (props.to - props.from) / (one * hour) <= 12) ?? 6;
    const marks: number[] = [];
    for (let at = Math.ceil(props.from / hour) * hour; at <= props.to; at += step * hour) marks.push(at);
    return marks;
  };
  return (
    <div class="day-band">
      <ul aria-hidden="true" style={{ "grid-auto-rows": `${LINE / 16}rem` }}>
        <For each={props.lines}>{(line) => <li class={line.class}><span>{line.name}</span></li>}</For>
      </ul>
      <div class="drawn">
        <svg viewBox={`0 0 ${WIDTH} ${height()}`} preserveAspectRatio="none" style={{ height: `${height() / 16}rem` }} role="img" aria-label={props.label}>
          <For each={props.lines}>{(_, place) => <rect class="rail" x="0" y={place() * LINE + 4} width={WIDTH} height={LINE - 8} />}</For>
          <For each={hours()}>{(at) => <line class="hour" x1={x(at)} x2={x(at)} y1="0" y2={height()} />}</For>
          <For each={props.pieces}>
            {(piece) => (
              <rect class={piece.class} x={x(piece.from)} y={piece.line * LINE + 3} width={Math.max(1.2, x(piece.to) - x(piece.from))} height={LINE - 6}>
                <title>{piece.title}</title>
              </rect>
            )}
          </For>
        </svg>
        <div class="hours" aria-hidden="true" style={{ height: `${FOOT / 16}rem` }}>
          <For each={hours()}>{(at) => <span style={{ left: `${x(at) / 10}%` }}>{minute(at, props.zone)}</span>}</For>
        </div>
      </div>
    </div>
  );
}
