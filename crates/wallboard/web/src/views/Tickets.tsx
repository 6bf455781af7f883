// Tickets on which somebody has to act: which are due next, which have missed a target, and how old the backlog is. Or one of them.
import { For, Show, createMemo, type JSX } from "solid-js";
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import type { Ticket } from "../gen/pegcount/v1/tickets_pb";
import { ABSENT, count, duration, moment } from "../figures/format";
import { days } from "../figures/zone";
import { link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { drawnAt, tick } from "../live/clock";
import { watchView, type LiveTable } from "../live/stream";
import { watchTickets, type LiveTickets } from "../live/tickets";
import { Figure } from "../parts/Figure";
import { Refusal } from "../parts/Refusal";
import { Rows } from "../parts/Rows";
import { t } from "../text";
import { Name } from "./AgentTile";
import { OneTicket } from "./Ticket";
import { AGES, FATE_MARKS, FATE_STYLES, ageOf, category, fate, missed, nextDue, severity, status, target } from "./ticket-words";

/** Where there are too many open ones to watch them all, those that are due within this. */
const SOON_US = 8n * 3_600_000_000n;

export function Tickets(): JSX.Element {
  const { who, today } = usePlace();
  return (
    <Show when={who.readsTickets} fallback={<Refusal kind={t().tickets.mayNot(who.role)} />}>
      <Show when={today()} keyed>
        {(date) => <Desk date={date} />}
      </Show>
    </Show>
  );
}

function Desk(props: { date: string }): JSX.Element {
  const { site, zone, who } = usePlace();
  const day = days(props.date, 1, zone);
  const range = { fromUs: BigInt(day.from), toUs: BigInt(day.to), timeZone: zone };
  const columns = ["backlog", "opened", "resolved"];
  // Without figures it is still this stream that says whether the server is there.
  const figures = who.readsFigures ? [{ ...range, by: [Dimension.CATEGORY], columns }, { ...range, columns }] : [];
  const view = watchView(site, figures, false);
  const all = watchTickets(site, { open: true });
  const ticket = () => route().what.get("ticket") ?? "";
  return (
    <Show when={!view.refused()} fallback={<Refusal kind={t().may.refused} words={view.refused()} />}>
      <Show when={who.agent}><p class="note">{t().may.own}</p></Show>
      <Show when={ticket()} keyed fallback={<Lists all={all} tables={view.tables} />}>
        {(id) => <OneTicket ticket={id} open={all} />}
      </Show>
    </Show>
  );
}

/** All open ones; of too many, those that are due soon. */
function Lists(props: { all: LiveTickets; tables: LiveTable[] }): JSX.Element {
  const w = () => t().tickets;
  return (
    <>
      <h2 class="unseen">{w().title}</h2>
      <Show when={!props.all.tooMany()} fallback={<Soon />}>
        <Show when={!props.all.refused()} fallback={<Refusal kind={t().may.refused} words={props.all.refused()} />}>
          <Show when={props.all.told()} fallback={<p class="note" aria-busy="true">{t().link.connecting}</p>}>
            <Backlog live={props.all} tables={props.tables} />
            <Due live={props.all} />
            <Missed live={props.all} />
          </Show>
        </Show>
      </Show>
    </>
  );
}

function Soon(): JSX.Element {
  const { site } = usePlace();
  const soon = watchTickets(site, { open: true, dueWithinUs: SOON_US });
  return (
    <>
      <p class="note" role="status">{t().tickets.tooMany(duration(Number(SOON_US)))}</p>
      <Show when={!soon.refused()} fallback={<Refusal kind={t().may.refused} words={soon.refused()} />}>
        <Due live={soon} />
        <Missed live={soon} />
      </Show>
    </>
  );
}

/** Open tickets by category and age; the figures beside them are the day's. */
function Backlog(props: { live: LiveTickets; tables: LiveTable[] }): JSX.Element {
  const w = () => t().tickets;
  const table = createMemo(() => {
    props.live.version();
    tick();
    const at = drawnAt();
    const rows = new Map<string, number[]>();
    for (const ticket of props.live.known.values()) {
      const row = rows.get(category(ticket)) ?? Array<number>(AGES.length + 1).fill(0);
      row[ageOf(ticket, at)]! += 1;
      rows.set(category(ticket), row);
    }
    return rows;
  });
  const categories = createMemo(() => [...table().keys()].sort((a, b) => a.localeCompare(b)), undefined, { equals: (one, other) => one.join("\n") === other.join("\n") });
  const total = (place: number) => [...table().values()].reduce((sum, row) => sum + (row[place] ?? 0), 0);
  const sum = (row: number[] | undefined) => (row ?? []).reduce((all, one) => all + one, 0);
  const most = () => Math.max(1, ...[...table().values()].flat());
  const all = () => (props.live.version(), props.live.known.size);
  const [byCategory, whole] = [() => props.tables[0], () => props.tables[1]];
  return (
    <section class="backlog">
      <h3 id="backlog">{w().backlog} <small>{w().open(count(all()))}</small></h3>
      <Show when={categories().length} fallback={<p class="note">{w().noneOpen}</p>}>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="backlog">
          <table>
            <thead>
              <tr>
                <th scope="col">{w().category}</th>
                <For each={w().ages}>{(age) => <th scope="col">{age}</th>}</For>
                <th scope="col">{w().all}</th>
                <Show when={byCategory()}><th scope="col">{w().backlogFigure}</th><th scope="col">{w().openedToday}</th><th scope="col">{w().resolvedToday}</th></Show>
              </tr>
            </thead>
            <tbody>
              <For each={categories()}>
                {(name) => (
                  <tr data-category={name}>
                    <th scope="row">{name || w().noCategory}</th>
                    <For each={table().get(name)}>
                      {(amount) => <td class="heat" style={{ "--part": amount / most() }}>{amount ? count(amount) : <span class="none">0</span>}</td>}
                    </For>
                    <td data-open><b>{count(sum(table().get(name)))}</b></td>
                    <Show when={byCategory()}>
                      {(live) => (
                        <For each={["backlog", "opened", "resolved"]}>
                          {(column) => <td><Figure live={live()} table="ticketsDay" row={name} column={column} /></td>}
                        </For>
                      )}
                    </Show>
                  </tr>
                )}
              </For>
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">{w().all}</th>
                <For each={w().ages}>{(_, place) => <td>{count(total(place()))}</td>}</For>
                <td><b>{count(all())}</b></td>
                <Show when={whole()}>
                  {(live) => (
                    <For each={["backlog", "opened", "resolved"]}>
                      {(column) => <td><Figure live={live()} table="ticketsTotal" column={column} /></td>}
                    </For>
                  )}
                </Show>
              </tr>
            </tfoot>
          </table>
        </div>
      </Show>
    </section>
  );
}

/** The tickets with a target that runs, the earliest due first. */
function Due(props: { live: LiveTickets }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  const keys = createMemo(() => {
    props.live.version();
    const due = [...props.live.known.values()].flatMap((ticket) => {
      const next = nextDue(ticket);
      return next ? [{ id: ticket.ticket, due: next.dueUs! }] : [];
    });
    return due.sort((a, b) => Number(a.due - b.due) || a.id.localeCompare(b.id)).map((one) => one.id);
  });
  const one = (id: string) => (props.live.version(), props.live.known.get(id));
  return (
    <section class="due">
      <h3>{w().due} <small>{count(keys().length)}</small></h3>
      <Show when={keys().length} fallback={<p class="note">{w().noneDue}</p>}>
        <Rows
          keys={keys()}
          class="tickets"
          label={w().due}
          columns={8}
          head={<tr><th scope="col">{w().ticket}</th><th scope="col" class="left">{w().what}</th><th scope="col">{w().left}</th><th scope="col">{w().dueAt}</th><Heads /></tr>}
          row={(id, place) => {
            const next = createMemo(() => (one(id) ? nextDue(one(id)!) : undefined));
            const left = () => (next() ? Number(next()!.dueUs) - drawnAt() : 0);
            return (
              <tr class="row" aria-rowindex={place() + 2} data-ticket={id} data-version={String(one(id)?.version ?? "")} data-status={status(one(id)?.status ?? 0)} data-due={String(next()?.dueUs ?? "")}>
                <TicketName id={id} />
                <td class="left">{target(next()?.target ?? 0)}</td>
                <td classList={{ bad: left() < 0, warn: left() >= 0 && left() < 1_800_000_000 }}>
                  {left() < 0 ? w().overdue(duration(-left())) : duration(left())} <Show when={left() < 1_800_000_000}><span class="mark" aria-hidden="true">{left() < 0 ? "⚠" : "◔"}</span></Show>
                </td>
                <td>{next() ? moment(Number(next()!.dueUs), zone) : ABSENT}</td>
                <Facts ticket={one(id)} />
              </tr>
            );
          }}
        />
      </Show>
    </section>
  );
}

/** The tickets that have missed a target. */
function Missed(props: { live: LiveTickets }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  const keys = createMemo(
    () => {
      props.live.version();
      tick();
      const at = drawnAt();
      return [...props.live.known.values()].filter((ticket) => missed(ticket, at).length).map((ticket) => ticket.ticket);
    },
    undefined,
    { equals: (one, other) => one.join() === other.join() },
  );
  const one = (id: string) => (props.live.version(), props.live.known.get(id));
  return (
    <section class="missed">
      <h3>{w().missed} <small>{count(keys().length)}</small></h3>
      <Show when={keys().length} fallback={<p class="note">{w().noneMissed}</p>}>
        <Rows
          keys={keys()}
          class="tickets"
          label={w().missed}
          columns={8}
          head={<tr><th scope="col">{w().ticket}</th><th scope="col" class="left">{w().what}</th><th scope="col" class="left">{w().fate}</th><th scope="col">{w().dueAt}</th><Heads /></tr>}
          row={(id, place) => {
            const first = () => (one(id) ? missed(one(id)!, drawnAt())[0] : undefined);
            const known = () => (first() ? fate(first()!, drawnAt()) : "breached");
            return (
              <tr class="row" aria-rowindex={place() + 2} data-ticket={id} data-version={String(one(id)?.version ?? "")}>
                <TicketName id={id} />
                <td class="left">{one(id) ? missed(one(id)!, drawnAt()).map((each) => target(each.target)).join(", ") : ABSENT}</td>
                <td class="left bad"><span class={`mark state-${FATE_STYLES[known()]}`} aria-hidden="true">{FATE_MARKS[known()]}</span> {w().fates[known()]}</td>
                <td>{first()?.dueUs === undefined ? ABSENT : moment(Number(first()!.dueUs), zone)}</td>
                <Facts ticket={one(id)} />
              </tr>
            );
          }}
        />
      </Show>
    </section>
  );
}

function TicketName(props: { id: string }): JSX.Element {
  const { site } = usePlace();
  return <th scope="row"><a href={link(site, "tickets", { ticket: props.id })}>{props.id}</a></th>;
}

/** The columns that both lists have. */
function Heads(): JSX.Element {
  const w = () => t().tickets;
  return (
    <>
      <th scope="col" class="left">{w().status}</th><th scope="col" class="left">{w().kind}</th>
      <th scope="col" class="left">{w().severity}</th><th scope="col" class="left">{w().owner}</th>
    </>
  );
}

function Facts(props: { ticket: Ticket | undefined }): JSX.Element {
  return (
    <>
      <td class="left">{status(props.ticket?.status ?? 0)}</td>
      <td class="left">{[props.ticket?.kind, props.ticket?.facts?.category].filter(Boolean).join(" · ")}</td>
      <td class="left">{severity(props.ticket?.facts?.severity ?? 0)}</td>
      <td class="left"><Show when={props.ticket?.owner} fallback={props.ticket?.group || ABSENT}>{(owner) => <Name agent={owner()} />}</Show></td>
    </>
  );
}
