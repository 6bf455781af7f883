// How old what is shown is: always to be seen. Cut off, the whole page says so, in words and not by colour alone.
import { Show, createEffect, createMemo, type JSX } from "solid-js";
import { clock, decimal, moment } from "../figures/format";
import { heldAt, hold, isCut, linked, pace, serverNow, silence, tick } from "../live/clock";
import { known } from "../live/known";
import { t } from "../text";
import { toggleTravel, travelOpen } from "./Travel";

export function Connection(props: { zone: string }): JSX.Element {
  const state = createMemo(() => {
    if (!linked()) return silence() > 1_000 ? (isCut() ? "cut" : "connecting") : "connecting";
    if (isCut()) return "cut";
    if (known() !== null) return "past";
    return heldAt() === null ? "live" : "held";
  });
  createEffect(() => {
    document.body.dataset.link = state();
  });
  const shownAt = () => clock(known() ?? heldAt() ?? serverNow(), props.zone);
  const age = () => decimal(silence() / 1000);
  const text = () => {
    tick();
    switch (state()) {
      case "connecting": return t().link.connecting;
      case "cut": return t().link.cut(age(), linked() ? shownAt() : "–");
      case "past": return t().travel.at(moment(known()!, props.zone));
      case "held": return t().link.held(shownAt());
      default: return t().link.live(age());
    }
  };
  return (
    <div class="link" data-link={state()}>
      <span class="dot" aria-hidden="true">{{ live: "●", connecting: "◌", held: "❚❚", past: "◀◀", cut: "✕" }[state()]}</span>
      <span class="age">{text()}</span>
      <Show when={state() === "live" || state() === "held"}>
        <time class="clock">{(tick(), shownAt())}</time>
      </Show>
      <Show when={pace() !== 1}>
        <span class="pace wide">{t().link.speed(decimal(pace()).replace(/[.,]0$/, ""))}</span>
      </Show>
      <Show when={linked() && known() === null}>
        <button type="button" id="travel-open" aria-expanded={travelOpen()} aria-controls="travel" aria-label={t().travel.open} title={t().travel.open} onClick={toggleTravel}>◀◀</button>
      </Show>
      <Show when={linked() && known() === null}>
        <button type="button" id="hold" aria-pressed={heldAt() !== null} onClick={() => hold(heldAt() === null)}>
          {heldAt() === null ? t().link.hold : t().link.goOn}
        </button>
      </Show>
      {/* Read out when it changes, and not with each tenth of a second. */}
      <span class="unseen" role="status">
        {state() === "cut" ? t().link.cut("3", linked() ? shownAt() : "–") : state() === "held" ? t().link.hold : state() === "past" ? text() : ""}
      </span>
    </div>
  );
}
