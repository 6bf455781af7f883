// Light or dark: as the system says, unless it is chosen here.
import { createEffect, createSignal } from "solid-js";

export const LOOKS = ["system", "light", "dark"] as const;
export type Look = (typeof LOOKS)[number];
const KEY = "pegcount-look";

const kept = localStorage.getItem(KEY);
const [look, setLook] = createSignal<Look>(LOOKS.find((known) => known === kept) ?? "system");
export { look };

export function chooseLook(next: Look): void {
  localStorage.setItem(KEY, next);
  setLook(next);
}

/** Writes the look where the style sheet finds it. */
export function applyLook(): void {
  createEffect(() => {
    document.documentElement.dataset.look = look();
  });
}
