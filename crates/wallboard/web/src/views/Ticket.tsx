// One ticket: what is known of it, its targets and how they stand, and its whole history, in a picture and in a table.
import { For, Show, createEffect, createMemo, createResource, createSignal, on, type JSX } from "solid-js";
import type { Ticket, TicketDeadline, TicketHistory } from "../gen/pegcount/v1/tickets_pb";
import { ABSENT, count, moment } from "../figures/format";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { drawnAt, heldAt } from "../live/clock";
import { tickets, words } from "../live/rpc";
import type { LiveTickets } from "../live/tickets";
import { Refusal } from "../parts/Refusal";
import { t } from "../text";
import { Name } from "./AgentTile";
import { Timeline } from "./Timeline";
import { FATE_MARKS, FATE_STYLES, fate, happened, severity, status, step, target, urgency } from "./ticket-words";

interface Known {
  ticket: Ticket;
  history: TicketHistory;
}

export function OneTicket(props: { ticket: string; open: LiveTickets }): JSX.Element {
  const { site } = usePlace();
  const [asked, ask] = createSignal(0);
  const [found] = createResource(asked, async (): Promise<Known> => {
    const which = { site, ticket: props.ticket };
    return { ticket: await tickets.getTicket(which), history: await tickets.getTicketHistory(which) };
  });
  // The watched list tells when there is more to tell: another version, or that it is no longer open.
  const version = createMemo(() => (props.open.version(), props.open.known.get(props.ticket)?.version ?? 0n));
  createEffect(on([version, heldAt], () => heldAt() === null && ask((before) => before + 1), { defer: true }));
  return (
    <>
      <p class="back"><a href={link(site, "tickets")}>◀ {t().tickets.title}</a></p>
      <Show when={!found.error} fallback={<Refusal kind={t().failed} words={words(found.error)} />}>
        <Show when={found.latest} fallback={<p class="note" aria-busy="true">{t().link.connecting}</p>}>
          {(known) => (
            <article class="ticket" data-ticket={props.ticket} data-version={String(known().ticket.version)}>
              <h2>{props.ticket} <small>{status(known().ticket.status)}{known().ticket.holdReason ? `: ${known().ticket.holdReason}` : ""}</small></h2>
              <Facts ticket={known().ticket} />
              <Targets ticket={known().ticket} />
              <Timeline ticket={known().ticket} history={known().history} />
              <Events history={known().history} />
              <Moments history={known().history} />
            </article>
          )}
        </Show>
      </Show>
    </>
  );
}

function Facts(props: { ticket: Ticket }): JSX.Element {
  const { site, zone } = usePlace();
  const w = () => t().tickets;
  const at = (us: bigint | undefined) => (us === undefined ? "" : moment(Number(us), zone));
  const facts = () => props.ticket.facts;
  const list = (): [string, JSX.Element][] => [
    [w().kind, props.ticket.kind],
    [w().category, [facts()?.category, facts()?.topic].filter(Boolean).join(" · ")],
    [w().severity, facts()?.severity ? severity(facts()!.severity) : ""],
    [w().urgency, facts()?.urgency ? urgency(facts()!.urgency) : ""],
    [w().owner, props.ticket.owner && <Name agent={props.ticket.owner} />],
    [w().receiver, props.ticket.receiver && <Name agent={props.ticket.receiver} />],
    [w().group, props.ticket.group],
    [w().customer, [facts()?.customer, facts()?.tier].filter(Boolean).join(" · ")],
    [w().region, [facts()?.region, facts()?.place].filter(Boolean).join(" · ")],
    [w().channel, facts()?.channel ?? ""],
    [w().openedAt, at(props.ticket.openedUs)],
    [w().resolvedAt, at(props.ticket.resolvedUs)],
    [w().closedAt, at(props.ticket.closedUs)],
    [w().reopened, props.ticket.reopened ? count(props.ticket.reopened) : ""],
    [w().level, props.ticket.level ? count(props.ticket.level) : ""],
    [w().contacts, props.ticket.contacts.join(", ")],
    [w().mergedInto, props.ticket.mergedInto && <a href={link(site, "tickets", { ticket: props.ticket.mergedInto })}>{props.ticket.mergedInto}</a>],
    [w().links, props.ticket.links.length ? <For each={props.ticket.links}>{(one) => <><a href={link(site, "tickets", { ticket: one.ticket })}>{one.ticket}</a> </>}</For> : ""],
  ];
  return (
    <dl class="facts">
      <For each={list().filter(([, what]) => what)}>{([name, what]) => <div><dt>{name}</dt><dd>{what}</dd></div>}</For>
    </dl>
  );
}

function Targets(props: { ticket: Ticket }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  const at = (us: bigint | undefined) => (us === undefined ? ABSENT : moment(Number(us), zone));
  const end = (one: TicketDeadline) => at(one.fulfilledUs ?? one.withdrawnUs);
  return (
    <section>
      <h3 id="targets">{w().targetsTitle}</h3>
      <Show when={props.ticket.deadlines.length} fallback={<p class="note">{w().noTargets}</p>}>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="targets">
          <table class="targets">
            <thead>
              <tr>
                <th scope="col">{w().what}</th><th scope="col" class="left">{w().fate}</th><th scope="col">{w().began}</th>
                <th scope="col">{w().dueAt}</th><th scope="col">{w().ended}</th>
              </tr>
            </thead>
            <tbody>
              <For each={props.ticket.deadlines}>
                {(one) => {
                  const known = () => fate(one, drawnAt());
                  return (
                    <tr data-target={one.target} data-fate={known()}>
                      <th scope="row">{target(one.target)}</th>
                      <td class="left" classList={{ bad: known() === "breached" || known() === "late" }}>
                        <span class={`mark state-${FATE_STYLES[known()]}`} aria-hidden="true">{FATE_MARKS[known()]}</span> {w().fates[known()]}
                      </td>
                      <td>{at(one.activatedUs)}</td>
                      <td>{at(one.dueUs)}<Show when={one.promised}> <small>{w().promised}</small></Show></td>
                      <td>{end(one)}</td>
                    </tr>
                  );
                }}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  );
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function Events(props: { history: TicketHistory }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  const shown = (value: string) => (INSTANT.test(value) ? moment(Date.parse(value) * 1000, zone) : value);
  return (
    <section>
      <h3 id="history">{w().history} <small>{count(props.history.events.length)}</small></h3>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="history">
        <table class="history">
          <thead>
            <tr>
              <th scope="col">{w().at}</th><th scope="col" class="left">{w().event}</th><th scope="col" class="left">{w().by}</th>
              <th scope="col" class="left">{w().details}</th><th scope="col">{w().position}</th>
            </tr>
          </thead>
          <tbody>
            <For each={props.history.events}>
              {(one) => (
                <tr data-type={one.type} data-version={String(one.version)}>
                  <th scope="row">{moment(Number(one.occurredUs), zone)}</th>
                  <td class="left">{happened(one.type)}</td>
                  <td class="left">{one.by}</td>
                  <td class="left wrap">
                    <For each={one.details}>{(detail, place) => <>{place() ? ", " : ""}<span lang="en" class="soft">{detail.name}</span> {shown(detail.value)}</>}</For>
                  </td>
                  <td>#{count(one.position)}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Moments(props: { history: TicketHistory }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  return (
    <section>
      <h3 id="moments">{w().moments}</h3>
      <Show when={props.history.moments.length} fallback={<p class="note">{w().noTargets}</p>}>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="moments">
          <table class="moments">
            <thead>
              <tr>
                <th scope="col">{w().at}</th><th scope="col" class="left">{w().what}</th><th scope="col" class="left">{w().step}</th>
                <th scope="col">{w().dueAt}</th><th scope="col" class="left">{w().why}</th>
              </tr>
            </thead>
            <tbody>
              <For each={props.history.moments}>
                {(one) => (
                  <tr data-step={one.step}>
                    <th scope="row">{moment(Number(one.atUs), zone)}</th>
                    <td class="left">{target(one.target)}</td>
                    <td class="left">{step(one.step)}</td>
                    <td>{one.dueUs === undefined ? ABSENT : moment(Number(one.dueUs), zone)}</td>
                    <td class="left"><span lang="en">{one.why}</span></td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  );
}
