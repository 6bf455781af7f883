// A stream that is kept open: it comes back by itself, and at once in a tab that slept.
import { onCleanup } from "solid-js";
import { signOut } from "../frame/session";
import { CUT_AFTER_MS } from "./clock";
import { isForGood, isTokenRefused, words } from "./rpc";

/** Waits between attempts, milliseconds; the last one goes on. */
const WAITS_MS = [0, 250, 500, 1_000];
/** A connection that says nothing for so long is given up. */
const GIVE_UP_MS = 2 * CUT_AFTER_MS;

/**
 * Keeps a stream open until the surrounding owner goes; gives what begins it again. `quiet` says for how many milliseconds nothing
 * was heard, for a stream that may rightly say nothing for long; without it the stream's own messages count.
 */
export function keepOpen<Update>(
  open: (signal: AbortSignal) => AsyncIterable<Update>,
  told: (update: Update) => void,
  refuse: (error: unknown) => void,
  quiet?: () => number,
): () => void {
  let over = false;
  let attempt: AbortController | undefined;
  let lastWord = performance.now();
  let wake = () => {};
  const silent = quiet ?? (() => performance.now() - lastWord);

  const again = () => {
    attempt?.abort();
    wake();
  };
  const hurry = () => {
    if (!document.hidden && silent() > CUT_AFTER_MS) again();
  };
  const watchdog = setInterval(() => {
    if (silent() > GIVE_UP_MS) {
      lastWord = performance.now();
      attempt?.abort();
    }
  }, 500);
  document.addEventListener("visibilitychange", hurry);
  document.addEventListener("resume", hurry);
  window.addEventListener("online", hurry);
  onCleanup(() => {
    over = true;
    attempt?.abort();
    wake();
    clearInterval(watchdog);
    document.removeEventListener("visibilitychange", hurry);
    document.removeEventListener("resume", hurry);
    window.removeEventListener("online", hurry);
  });

  const run = async () => {
    for (let failures = 0; !over; failures++) {
      attempt = new AbortController();
      try {
        for await (const update of open(attempt.signal)) {
          if (over) return;
          failures = 0;
          lastWord = performance.now();
          told(update);
        }
      } catch (error) {
        if (over) return;
        if (isTokenRefused(error)) return signOut(words(error));
        if (isForGood(error)) return refuse(error);
      }
      const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)];
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, wait);
      });
    }
  };
  void run();
  return again;
}
