// Several lines over the same pieces of time, told apart by colour, mark and dash. What it shows stands in the table beside it.
import { createEffect, onCleanup, onMount, type JSX } from "solid-js";
import uPlot from "uplot";
import { look } from "../frame/look";
import { language } from "../text";

/** So many lines can be told apart. */
export const MARKS = ["●", "■", "▲", "◆", "✚", "✖"] as const;
export const COLOURS = ["--accent", "--ringing", "--ready", "--dialing", "--lost", "--away"] as const;
/** Of more points only the last one of each line is marked. */
const MARKED = 62;

export interface DrawnLine {
  name: string;
  /** Its place among marks and colours. */
  kind: number;
  /** Drawn in dashes: what the others are compared with. */
  dashed: boolean;
  points: (number | null)[];
}

export function Lines(props: { lines: DrawnLine[]; names: string[]; label: string; amount: (value: number) => string; ceiling?: number }): JSX.Element {
  let box!: HTMLDivElement;
  let plot: uPlot | undefined;
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const size = () => ({ width: Math.max(200, box.clientWidth - 2), height: Math.max(180, Math.min(640, box.clientWidth / 3)) });
  /** A little above the highest point; not above what a figure can be. */
  const highest = (most: number) => {
    const above = Math.max(most, 0) * 1.1 || 1;
    return props.ceiling !== undefined && most <= props.ceiling ? Math.min(above, props.ceiling * 1.02) : above;
  };
  const marks = (drawn: uPlot) => {
    const { ctx } = drawn;
    ctx.save();
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.font = `${parseFloat(getComputedStyle(box).fontSize) * devicePixelRatio * 0.95}px sans-serif`;
    props.lines.forEach(({ kind, points }) => {
      ctx.fillStyle = colour(COLOURS[kind % COLOURS.length]!);
      const last = points.findLastIndex((point) => point !== null);
      points.forEach((point, place) => {
        if (point === null || (props.names.length > MARKED && place !== last)) return;
        ctx.fillText(MARKS[kind % MARKS.length]!, drawn.valToPos(place, "x", true), drawn.valToPos(point, "y", true));
      });
    });
    ctx.restore();
  };
  const draw = () => {
    plot?.destroy();
    const rem = parseFloat(getComputedStyle(box).fontSize);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: `${rem * 0.85}px system-ui, sans-serif` };
    const whole = (_: uPlot, splits: number[]) => splits.map((at) => (Number.isInteger(at) ? (props.names[at] ?? "") : ""));
    plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: (_, least, most) => [least - 0.3, most + 0.3] }, y: { range: (_, least, most) => [Math.min(0, least), highest(most)] } },
        axes: [
          { ...axis, space: rem * 7, size: rem * 2.2, incrs: [1, 2, 3, 4, 6, 7, 8, 12, 14, 24, 28, 48, 96, 168, 336, 672, 1344], values: whole },
          { ...axis, size: rem * 5, values: (_, splits) => splits.map(props.amount) },
        ],
        series: [
          {},
          ...props.lines.map(({ name, kind, dashed }): uPlot.Series => ({
            label: name, stroke: colour(COLOURS[kind % COLOURS.length]!), width: dashed ? 2 : 3, points: { show: false }, ...(dashed ? { dash: [8, 6] } : {}),
          })),
        ],
        hooks: { draw: [marks] },
      },
      [props.names.map((_, place) => place), ...props.lines.map((line) => line.points)],
      box,
    );
  };
  onMount(() => {
    createEffect(() => {
      look();
      language();
      void [props.lines, props.names, props.amount];
      queueMicrotask(draw);
    });
    const watcher = new ResizeObserver(() => plot?.setSize(size()));
    watcher.observe(box);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    onCleanup(() => {
      watcher.disconnect();
      scheme.removeEventListener("change", draw);
      plot?.destroy();
    });
  });
  return <div class="curve" ref={box} role="img" aria-label={props.label} />;
}
