// A watched list of tickets: first all of it, then what changes. Its stream may be silent for long: whether the server is there is
// heard on the view's own stream. Invariant: what is shown is the list as of the last update, and stands still while it is held.
import { type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { batch, createEffect, createSignal, untrack, type Accessor } from "solid-js";
import type { Ticket, TicketFilterSchema, WatchTicketsResponse } from "../gen/pegcount/v1/tickets_pb";
import { heldAt, silence } from "./clock";
import { keepOpen } from "./open";
import { tickets, words } from "./rpc";

export interface LiveTickets {
  /** By id. */
  known: Map<string, Ticket>;
  /** Changes with each update that is shown. */
  version: Accessor<number>;
  /** Whether the list has been told. */
  told: Accessor<boolean>;
  /** Refused for good, in the server's words; empty: it is not. */
  refused: Accessor<string>;
  /** There are more than can be watched. */
  tooMany: Accessor<boolean>;
}

export function watchTickets(site: string, filter: MessageInitShape<typeof TicketFilterSchema>): LiveTickets {
  const [version, setVersion] = createSignal(0);
  const [told, setTold] = createSignal(false);
  const [refused, setRefused] = createSignal("");
  const [tooMany, setTooMany] = createSignal(false);
  const known = new Map<string, Ticket>();
  let missed = false;
  const take = (update: WatchTicketsResponse) => {
    if (heldAt() !== null) return void (missed = true);
    if (update.whole) known.clear();
    for (const gone of update.gone) known.delete(gone);
    for (const ticket of update.tickets) known.set(ticket.ticket, ticket);
    setVersion((before) => before + 1);
    setTold(true);
  };
  const refuse = (error: unknown) => {
    if (ConnectError.from(error).code === Code.FailedPrecondition) setTooMany(true);
    setRefused(words(error));
  };
  const again = keepOpen(
    (signal) => tickets.watchTickets({ site, filter }, { signal }),
    (update) => batch(() => take(update)),
    refuse,
    () => untrack(silence),
  );
  createEffect(() => {
    if (heldAt() === null && missed) {
      missed = false;
      again();
    }
  });
  return { known, version, told, refused, tooMany };
}
