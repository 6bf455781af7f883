// Who is signed in: the token lives in this tab only, and never in an address that a server sees.
import { createSignal } from "solid-js";

const KEY = "pegcount-token";

/** A token comes once in the fragment, as the demo prints it, and leaves the address bar at once. */
function arrived(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return sessionStorage.getItem(KEY);
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
  return given;
}

const [token, setToken] = createSignal<string | null>(arrived());
const [reason, setReason] = createSignal("");

export { token };
/** Why one was signed out; empty if one was not. */
export { reason };

export function signIn(given: string): void {
  sessionStorage.setItem(KEY, given);
  setReason("");
  setToken(given);
}

export function signOut(why = ""): void {
  sessionStorage.removeItem(KEY);
  setReason(why);
  setToken(null);
}
