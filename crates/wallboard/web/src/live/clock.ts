// The server's clock, and when the server was heard last. Invariant: no time is made up: once the server is not heard, its
// clock stands still.
import { createSignal } from "solid-js";

/** So long without a word, and the page says that it is cut off. */
export const CUT_AFTER_MS = 3_000;
/** So often what runs is drawn. */
const TICK_MS = 250;

interface Anchor {
  nowUs: number;
  speed: number;
  at: number;
}

let anchor: Anchor | undefined;
let heardAt = performance.now();

const [tick, setTick] = createSignal(0);
const [heldAt, setHeldAt] = createSignal<number | null>(null);
const [linked, setLinked] = createSignal(false);
const [pace, setPace] = createSignal(1);

/** Changes with each drawing of what runs. */
export { tick };
/** The instant at which figures are held; null: they go on. */
export { heldAt };
/** Whether anything was heard since the last sign-in. */
export { linked };
/** How many of the server's seconds pass in a real one. */
export { pace };

/** The server said something, and its clock with it. */
export function heard(nowUs: number, speed: number): void {
  heardAt = performance.now();
  anchor = { nowUs, speed, at: heardAt };
  setPace(speed);
  setLinked(true);
}

/** How long ago the server was heard, milliseconds. */
export function silence(): number {
  tick();
  return performance.now() - heardAt;
}

export const isCut = (): boolean => silence() > CUT_AFTER_MS;

/** Nothing counts as heard: another session begins. */
export function forget(): void {
  anchor = undefined;
  heardAt = performance.now();
  setLinked(false);
  setHeldAt(null);
}

/** The server's clock now, microseconds UTC; 0 before it was heard. Not tracked: `tick` is for that. */
export function serverNow(): number {
  if (!anchor) return 0;
  const until = Math.min(performance.now(), heardAt + CUT_AFTER_MS);
  return Math.round(anchor.nowUs + Math.max(0, until - anchor.at) * 1000 * anchor.speed);
}

/** The instant to draw: now, or the one that is held. */
export function drawnAt(): number {
  tick();
  return heldAt() ?? serverNow();
}

/** Holds what is shown, or goes on. */
export function hold(on: boolean): void {
  setHeldAt(on ? serverNow() : null);
}

setInterval(() => {
  if (!document.hidden) setTick((before) => before + 1);
}, TICK_MS);
document.addEventListener("visibilitychange", () => setTick((before) => before + 1));
