// Two curves over the time of day, drawn by uPlot; what it shows stands in a table beside it.
import { createEffect, onCleanup, onMount, type JSX } from "solid-js";
import uPlot from "uplot";
import { minute } from "../figures/format";
import { look } from "../frame/look";
import { language } from "../text";

export interface Points {
  /** Begins of the pieces, microseconds UTC. */
  at: number[];
  today: (number | null)[];
  before: (number | null)[];
  /** How many of today's pieces are over: the one that goes on would look like a fall, and is not drawn. */
  whole: number;
}

export function Curve(props: { points: Points; names: [string, string]; label: string; zone: string }): JSX.Element {
  let box!: HTMLDivElement;
  let plot: uPlot | undefined;
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const size = () => ({ width: Math.max(200, box.clientWidth), height: Math.max(160, Math.min(320, box.clientWidth / 3)) });
  const data = (): uPlot.AlignedData => {
    const { at, today, before, whole } = props.points;
    return [at.map((one) => one / 1e6), today.map((amount, place) => (place < whole ? amount : null)), before];
  };

  const draw = () => {
    plot?.destroy();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: `${getComputedStyle(box).fontSize} system-ui, sans-serif` };
    plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [
          { ...axis, space: 70, values: (_, splits) => splits.map((at) => minute(at * 1e6, props.zone)), incrs: [3600, 7200, 10800, 14400, 21600] },
          { ...axis, size: 56 },
        ],
        series: [
          {},
          { label: props.names[0], stroke: colour("--accent"), width: 3, points: { show: false }, fill: colour("--accent-soft") },
          // Told apart by its dashes too.
          { label: props.names[1], stroke: colour("--soft"), width: 2, dash: [8, 6], points: { show: false } },
        ],
      },
      data(),
      box,
    );
  };
  onMount(() => {
    draw();
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
  createEffect(() => {
    look();
    language();
    if (plot) queueMicrotask(draw);
  });
  createEffect(() => plot?.setData(data()));
  return <div class="curve" ref={box} role="img" aria-label={props.label} />;
}
