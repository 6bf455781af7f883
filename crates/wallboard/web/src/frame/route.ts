// What is shown, as an address: `#/site/view?what=…`. Any view, figure and explanation is a link.
import { createSignal } from "solid-js";

export const VIEWS = ["overview", "agents", "explain", "tickets", "agent", "queue", "trends", "rankings"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  /** Empty: the first one. */
  site: string;
  view: ViewName;
  what: URLSearchParams;
}

function parsed(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [site = "", view = ""] = path.split("/").map(decodeURIComponent);
  const known = VIEWS.find((name) => name === view) ?? "overview";
  return { site, view: known, what: new URLSearchParams(query) };
}

const [route, setRoute] = createSignal(parsed(location.hash));
window.addEventListener("hashchange", () => setRoute(parsed(location.hash)));
export { route };

/** The instant that an address names (`2026-11-28T06:00:00Z`), microseconds UTC; null if it names none. */
export function instantOf(text: string | null): number | null {
  if (!text || !/^\d{4}-\d{2}-\d{2}T.*Z$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at * 1000;
}

/** An instant (microseconds UTC) for an address, to the second. */
export const written = (us: number): string => new Date(Math.floor(us / 1e6) * 1000).toISOString().replace(".000Z", "Z");

/** The address of a view. Whoever is in the past stays there, unless `known` is said: empty means now. */
export function link(site: string, view: ViewName, what: Record<string, string> | URLSearchParams = {}): string {
  const asked = new URLSearchParams(what);
  const stays = route().what.get("known");
  if (!asked.has("known") && instantOf(stays) !== null) asked.set("known", stays!);
  if (asked.get("known") === "") asked.delete("known");
  const query = asked.toString();
  return `#/${encodeURIComponent(site)}/${view}${query ? `?${query}` : ""}`;
}

/** The same as is shown, as it was known at an instant (microseconds UTC); null: now. */
export function travel(at: number | null): void {
  const { site, view, what } = route();
  const there = new URLSearchParams(what);
  there.set("known", at === null ? "" : written(at));
  go(link(site, view, there), true);
}

/** Goes there; `quietly` leaves no step behind to come back to. */
export function go(address: string, quietly = false): void {
  if (quietly) {
    history.replaceState(null, "", address);
    setRoute(parsed(location.hash));
  } else location.hash = address;
}
