// A ticket's life in one picture: a line for what happened, and one for each target from its begin to its end, with its due time.
// All of it stands in tables beside it.
import { For, Show, type JSX } from "solid-js";
import type { Ticket, TicketHistory } from "../gen/pegcount/v1/tickets_pb";
import { count, moment } from "../figures/format";
import { usePlace } from "../frame/site";
import { drawnAt } from "../live/clock";
import { t } from "../text";
import { FATE_STYLES, fate, happened, target } from "./ticket-words";

const [WIDTH, LINE] = [1000, 24];

export function Timeline(props: { ticket: Ticket; history: TicketHistory }): JSX.Element {
  const { zone } = usePlace();
  const w = () => t().tickets;
  const from = () => Number(props.ticket.openedUs);
  const last = () => Number(props.history.events.at(-1)?.occurredUs ?? props.ticket.openedUs);
  /** To now while it is open; to the last thing that happened when it is not. */
  const to = () => {
    const over = props.ticket.closedUs !== undefined || props.ticket.mergedInto !== "";
    return Math.max(from() + 60_000_000, last(), over ? 0 : drawnAt());
  };
  const x = (at: number) => Math.min(WIDTH - 2, Math.max(2, ((at - from()) / (to() - from())) * WIDTH));
  const height = () => (props.ticket.deadlines.length + 1) * LINE;
  return (
    <section class="timeline">
      <h3>{w().timeline}</h3>
      <div class="day-band">
        <ul aria-hidden="true" style={{ "grid-auto-rows": `${LINE / 16}rem` }}>
          <li><span>{w().history}</span></li>
          <For each={props.ticket.deadlines}>{(one) => <li><span>{target(one.target)}</span></li>}</For>
        </ul>
        <div class="drawn">
          <svg
            viewBox={`0 0 ${WIDTH} ${height()}`}
            preserveAspectRatio="none"
            style={{ height: `${height() / 16}rem` }}
            role="img"
            aria-label={w().timelineIs(count(props.history.events.length), count(props.ticket.deadlines.length))}
          >
            <rect class="rail" x="0" y={LINE / 2 - 2} width={WIDTH} height="4" />
            <For each={props.history.events}>
              {(one) => (
                <rect class="event" x={x(Number(one.occurredUs)) - 2} y="4" width="4" height={LINE - 8}>
                  <title>{`${happened(one.type)}, ${moment(Number(one.occurredUs), zone)}`}</title>
                </rect>
              )}
            </For>
            <For each={props.ticket.deadlines}>
              {(one, place) => {
                const y = () => (place() + 1) * LINE;
                const end = () => Number(one.fulfilledUs ?? one.withdrawnUs ?? BigInt(Math.round(to())));
                return (
                  <>
                    <rect class="rail" x="0" y={y() + LINE / 2 - 2} width={WIDTH} height="4" />
                    <rect
                      class={`fill state-${FATE_STYLES[fate(one, drawnAt())]}`}
                      x={x(Number(one.activatedUs))}
                      y={y() + 6}
                      width={Math.max(2, x(end()) - x(Number(one.activatedUs)))}
                      height={LINE - 12}
                    >
                      <title>{`${target(one.target)}: ${w().fates[fate(one, drawnAt())]}`}</title>
                    </rect>
                    <Show when={one.dueUs !== undefined && Number(one.dueUs) <= to()}>
                      <line class="due-mark" x1={x(Number(one.dueUs))} x2={x(Number(one.dueUs))} y1={y() + 1} y2={y() + LINE - 1} />
                    </Show>
                  </>
                );
              }}
            </For>
          </svg>
          <div class="ends"><span>{moment(from(), zone)}</span><span>{moment(to(), zone)}</span></div>
        </div>
      </div>
    </section>
  );
}
