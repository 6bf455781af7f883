// Who waits in a queue now: asked for again when the queue's figures have moved, at most once a second.
import { createEffect, createSignal, onCleanup, untrack, type Accessor } from "solid-js";
import { SlotState } from "../gen/pegcount/v1/agents_pb";
import { Channel } from "../gen/pegcount/v1/facts_pb";
import type { ContactState } from "../gen/pegcount/v1/contacts_pb";
import { heldAt, tick } from "../live/clock";
import { contacts, isForGood, words } from "../live/rpc";
import type { LiveTable } from "../live/stream";

const AGAIN_MS = 1_000;
/** Also without a change: what a watch does not tell (that it rings, say) is not missed for longer. */
const ANYWAY_MS = 5_000;

export interface Waiting {
  contact: string;
  channel: Channel;
  entry: string;
  /** Entered the queue, microseconds UTC. */
  since: number;
  /** The agent at whom it rings; empty: at none. */
  rings: string;
}

/** Contacts with a visit to the queue that has not been left, the longest wait first. */
function waitingIn(queue: string, open: ContactState[]): Waiting[] {
  const found = open.flatMap((one) =>
    one.visits
      .filter((visit) => visit.queue === queue && visit.leftUs === undefined)
      .map((visit) => ({
        contact: one.contact,
        channel: one.channel,
        entry: one.entry,
        since: Number(visit.enteredUs),
        rings: one.legs.find((leg) => leg.state === SlotState.RINGING || leg.state === SlotState.OFFERED)?.agent ?? "",
      })),
  );
  return found.sort((a, b) => a.since - b.since);
}

export function watchWaiting(site: string, queue: string, live: LiveTable): { waiting: Accessor<Waiting[] | undefined>; refused: Accessor<string> } {
  const [waiting, setWaiting] = createSignal<Waiting[]>();
  const [refused, setRefused] = createSignal("");
  let [over, asking, askedAt, askedVersion] = [false, false, -Infinity, -1];
  onCleanup(() => (over = true));
  const ask = async () => {
    asking = true;
    try {
      const open = await contacts.listOpenContacts({ site });
      if (!over && heldAt() === null) setWaiting(waitingIn(queue, open.contacts));
    } catch (error) {
      // Cut off, the page says so anyway, and it is asked again.
      if (!over && isForGood(error)) setRefused(words(error));
    } finally {
      asking = false;
    }
  };
  createEffect(() => {
    tick();
    const version = live.version();
    const passed = performance.now() - askedAt;
    if (over || asking || untrack(refused) || heldAt() !== null) return;
    if (passed > ANYWAY_MS || (passed > AGAIN_MS && version !== askedVersion)) {
      [askedAt, askedVersion] = [performance.now(), version];
      void ask();
    }
  });
  return { waiting, refused };
}
