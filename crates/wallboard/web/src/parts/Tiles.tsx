// A long list as tiles, of which only those in sight are in the page. Every tile is as large as the others.
import { For, createMemo, createSignal, onCleanup, onMount, type JSX } from "solid-js";

/** Lines of tiles kept above and below what is in sight. */
const SPARE = 2;
/** How wide a tile is at least, and the gap between two, in rem; the style sheet has the same. */
const [WIDTH_REM, GAP_REM] = [15, 0.5];

export function Tiles(props: { keys: string[]; label: string; tile: (key: string, place: () => number) => JSX.Element }): JSX.Element {
  let box!: HTMLDivElement;
  const [top, setTop] = createSignal(0);
  const [size, setSize] = createSignal({ width: 1000, height: 800, rem: 16 });
  const [line, setLine] = createSignal(120);
  onMount(() => {
    const measure = () => {
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      setSize({ width: box.clientWidth, height: box.clientHeight, rem });
      const tile = box.querySelector("li");
      if (tile) setLine(Math.max(1, tile.getBoundingClientRect().height + GAP_REM * rem));
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(box);
    requestAnimationFrame(measure);
    onCleanup(() => watcher.disconnect());
  });
  const across = createMemo(() => {
    const { width, rem } = size();
    return Math.max(1, Math.floor((width - GAP_REM * rem) / ((WIDTH_REM + GAP_REM) * rem)));
  });
  const lines = createMemo(() => Math.ceil(props.keys.length / across()));
  const first = createMemo(() => Math.max(0, Math.min(Math.floor(top() / line()) - SPARE, lines())));
  const last = createMemo(() => Math.min(lines(), Math.ceil((top() + size().height) / line()) + SPARE));
  const seen = createMemo(() => props.keys.slice(first() * across(), last() * across()));
  return (
    <div class="scroll tall floor" ref={box} tabIndex={0} role="region" aria-label={props.label} onScroll={() => setTop(box.scrollTop)}>
      <ul
        style={{
          "grid-template-columns": `repeat(${across()}, minmax(0, 1fr))`,
          "padding-top": `calc(${GAP_REM}rem + ${first() * line()}px)`,
          "padding-bottom": `calc(${GAP_REM}rem + ${(lines() - last()) * line()}px)`,
        }}
      >
        <For each={seen()}>{(key, place) => props.tile(key, () => first() * across() + place())}</For>
      </ul>
    </div>
  );
}
