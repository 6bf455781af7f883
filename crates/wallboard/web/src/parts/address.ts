// Choices of a view in its address: changed in place, so that they can be sent and come back. Empty is left out.
import { go, link, route } from "../frame/route";

export function choose(changed: Record<string, string>): void {
  const { site, view, what } = route();
  const next = new URLSearchParams(what);
  for (const [name, value] of Object.entries(changed)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  go(link(site, view, next), true);
}
