// What is shown, as an address: `#/site/view?what=…`. Any view, figure and explanation is a link.
import { createSignal } from "solid-js";

export const VIEWS = ["overview", "agents", "explain", "tickets", "agent", "queue"] as const;
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

/** The address of a view. */
export function link(site: string, view: ViewName, what: Record<string, string> | URLSearchParams = {}): string {
  const query = new URLSearchParams(what).toString();
  return `#/${encodeURIComponent(site)}/${view}${query ? `?${query}` : ""}`;
}

/** Goes there; `quietly` leaves no step behind to come back to. */
export function go(address: string, quietly = false): void {
  if (quietly) {
    history.replaceState(null, "", address);
    setRoute(parsed(location.hash));
  } else location.hash = address;
}
