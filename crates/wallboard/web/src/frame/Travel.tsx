// Travel in time: a slider over the day and a date with its time say "as it was known at"; the page follows. Now is one key away.
import { Show, createEffect, createMemo, createSignal, onCleanup, on, type JSX } from "solid-js";
import { duration, moment } from "../figures/format";
import { addDays, atLocalTime, days, localDate, localTime } from "../figures/zone";
import { hold, serverNow, tick } from "../live/clock";
import { known, pending, withoutPast } from "../live/known";
import { t } from "../text";
import { travel } from "./route";

const MINUTE_US = 60_000_000;
/** So long after the last move the page asks. */
const SETTLED_MS = 400;

const [open, setOpen] = createSignal(false);

/** Shows or hides the way into the past; where it is shown it has the focus. */
export function toggleTravel(): void {
  setOpen(!open());
  if (open()) document.getElementById("travel-slider")?.focus();
}

export const goNow = (): void => {
  setOpen(false);
  travel(null);
};

export const travelOpen = (): boolean => open() || known() !== null;

export function Travel(props: { zone: string }): JSX.Element {
  return (
    <Show when={travelOpen()}>
      <Controls zone={props.zone} />
    </Show>
  );
}

function Controls(props: { zone: string }): JSX.Element {
  const w = () => t().travel;
  // Where the slider is, ahead of what is shown while it moves.
  const [moved, setMoved] = createSignal<number | null>(null);
  const now = createMemo(() => (tick(), Math.floor(serverNow() / MINUTE_US) * MINUTE_US));
  const at = () => moved() ?? known() ?? now();
  const day = createMemo(() => days(localDate(at(), props.zone), 1, props.zone), undefined, { equals: (a, b) => a.from === b.from });
  const last = () => Math.min(day().to, Math.max(now(), day().from));
  let settled = 0;
  const go = (to: number) => {
    hold(false);
    setMoved(to);
    clearTimeout(settled);
    settled = window.setTimeout(() => {
      travel(to >= now() ? null : to);
      setMoved(null);
    }, SETTLED_MS);
  };
  createEffect(on(known, () => setMoved(null), { defer: true }));
  onCleanup(() => clearTimeout(settled));
  const shift = (by: number) => {
    const [date = "", time] = localTime(at(), props.zone).split("T");
    const to = atLocalTime(`${addDays(date, by)}T${time}`, props.zone);
    if (to !== null) go(to);
  };
  return (
    <div id="travel" role="group" aria-label={w().title}>
      <span>{w().title}</span>
      <button type="button" aria-label={w().dayBefore} title={w().dayBefore} onClick={() => shift(-1)}>◀</button>
      <input
        type="range"
        id="travel-slider"
        min={day().from / MINUTE_US}
        max={last() / MINUTE_US}
        step="1"
        value={at() / MINUTE_US}
        aria-label={w().slider}
        aria-valuetext={moment(at(), props.zone)}
        onInput={(event) => go(event.currentTarget.valueAsNumber * MINUTE_US)}
      />
      <button type="button" aria-label={w().dayAfter} title={w().dayAfter} disabled={day().to > now()} onClick={() => shift(1)}>▶</button>
      <label>
        <span class="unseen">{w().time}</span>
        <input
          type="datetime-local"
          id="travel-time"
          step="1"
          max={localTime(now() + MINUTE_US, props.zone)}
          value={localTime(at(), props.zone)}
          onChange={(event) => {
            const to = atLocalTime(event.currentTarget.value, props.zone);
            if (to !== null) go(to);
          }}
        />
      </label>
      <button type="button" id="travel-now" onClick={goNow}>{w().now}</button>
      <span class="note" role="status">
        <Show when={known() !== null}>
          {moved() !== null || pending() ? w().loading : w().shown(duration(Math.max(0, now() - known()!)))}
          <Show when={withoutPast()}> {w().noPast}</Show>
        </Show>
      </span>
    </div>
  );
}
