// A view as it was known then: until all of it has been answered, it says that it is loading, and shows nothing that could be
// taken for the past.
import { Show, createEffect, createSignal, onCleanup, onMount, type JSX } from "solid-js";
import { known, pending, setWithoutPast } from "../live/known";
import { t } from "../text";
import { Corrections } from "./Corrections";

/** A view has asked by then. */
const ASKED_MS = 60;

export function AsKnown(props: { children: JSX.Element }): JSX.Element {
  const past = known() !== null;
  const [asked, setAsked] = createSignal(false);
  const [answered, setAnswered] = createSignal(!past);
  onMount(() => {
    const timer = setTimeout(() => setAsked(true), ASKED_MS);
    onCleanup(() => clearTimeout(timer));
  });
  onCleanup(() => setWithoutPast(false));
  createEffect(() => {
    if (asked() && pending() === 0) setAnswered(true);
  });
  return (
    <div aria-busy={!answered()}>
      <Show when={!answered()}>
        <p class="loading">◌ {t().travel.loading}</p>
      </Show>
      <div classList={{ unread: !answered() }}>
        {props.children}
        <Show when={past && answered()}>
          <Corrections since={known()!} />
        </Show>
      </div>
    </div>
  );
}
