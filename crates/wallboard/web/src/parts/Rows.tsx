// A long list of which only what is in sight is in the page. Every row is as high as the others.
import { For, createMemo, createSignal, onCleanup, onMount, type JSX } from "solid-js";

/** Rows kept above and below what is in sight. */
const SPARE = 8;

export function Rows(props: {
  keys: string[];
  head: JSX.Element;
  label: string;
  columns: number;
  /** The style's class; `agents` unless said. */
  class?: string;
  row: (key: string, place: () => number) => JSX.Element;
}): JSX.Element {
  let box!: HTMLDivElement;
  const [top, setTop] = createSignal(0);
  const [height, setHeight] = createSignal(800);
  const [rowHeight, setRowHeight] = createSignal(36);
  onMount(() => {
    const measure = () => {
      setHeight(box.clientHeight);
      const row = box.querySelector("tbody tr.row");
      if (row) setRowHeight(Math.max(1, row.getBoundingClientRect().height));
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(box);
    requestAnimationFrame(measure);
    onCleanup(() => watcher.disconnect());
  });
  const first = createMemo(() => Math.max(0, Math.min(Math.floor(top() / rowHeight()) - SPARE, props.keys.length)));
  const last = createMemo(() => Math.min(props.keys.length, Math.ceil((top() + height()) / rowHeight()) + SPARE));
  const seen = createMemo(() => props.keys.slice(first(), last()));
  return (
    <div class={`scroll tall ${props.class ?? "agents"}`} ref={box} tabIndex={0} role="region" aria-label={props.label} onScroll={() => setTop(box.scrollTop)}>
      <table aria-rowcount={props.keys.length + 1}>
        <thead>{props.head}</thead>
        <tbody>
          <Gap height={first() * rowHeight()} columns={props.columns} />
          <For each={seen()}>{(key, place) => props.row(key, () => first() + place())}</For>
          <Gap height={(props.keys.length - last()) * rowHeight()} columns={props.columns} />
        </tbody>
      </table>
    </div>
  );
}

function Gap(props: { height: number; columns: number }): JSX.Element {
  return (
    <tr class="gap" aria-hidden="true" hidden={props.height <= 0}>
      <td colSpan={props.columns} style={{ height: `${props.height}px` }} />
    </tr>
  );
}
