// One figure of a live table: its text, and a link to why it is so.
import { createMemo, type JSX } from "solid-js";
import { Dimension, type KpiColumn, type KpiRow, type KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { ABSENT, figure } from "../figures/format";
import { link } from "../frame/route";
import { usePlace } from "../frame/site";
import { drawnAt, heldAt } from "../live/clock";
import type { LiveTable } from "../live/stream";

/** The words of the dimensions in addresses. */
export const DIMENSIONS: Partial<Record<Dimension, string>> = {
  [Dimension.QUEUE]: "queue",
  [Dimension.AGENT]: "agent",
  [Dimension.TEAM]: "team",
  [Dimension.CHANNEL]: "channel",
  [Dimension.DIRECTION]: "direction",
  [Dimension.ENTRY]: "entry",
  [Dimension.REASON]: "reason",
  [Dimension.CAUSE]: "cause",
  [Dimension.PRIORITY]: "priority",
  [Dimension.KIND]: "kind",
  [Dimension.CATEGORY]: "category",
  [Dimension.GROUP]: "group",
  [Dimension.TIER]: "tier",
  [Dimension.REGION]: "region",
};

/** To which instant a table is drawn: now, or its last update while it is held. Tracked. */
export function instant(live: LiveTable): bigint {
  live.version();
  const { asOf } = live.table;
  if (heldAt() !== null) return asOf;
  const at = BigInt(Math.round(drawnAt()));
  return at > asOf ? at : asOf;
}

/** A column's value in the row of a first key, or in the row that is given; tracked. */
export function value(live: LiveTable, key: string, column: string, piece?: KpiRow): KpiValue | undefined {
  live.version();
  const row = piece ?? live.table.row(key);
  // Only what runs is drawn with the clock.
  const place = live.table.columns.findIndex((known) => known.name === column);
  const runs = row?.running.some((one) => one.column === place) ?? false;
  return live.table.value(row, column, runs ? instant(live) : live.table.asOf);
}

/** The text of a figure; tracked. */
export function text(live: LiveTable, key: string, column: string, piece?: KpiRow): string {
  const shown = value(live, key, column, piece);
  const known: KpiColumn | undefined = live.table.column(column);
  if (!known || !shown) return ABSENT;
  return figure(known, shown);
}

/** Where a figure is explained. */
function explainLink(site: string, live: LiveTable, row: KpiRow | undefined, key: string, column: string): string {
  const { query, table } = live;
  const what = new URLSearchParams({ column, as_of: String(table.asOf), position: String(table.position) });
  if (query.lastUs !== undefined) what.set("last", String(query.lastUs));
  else {
    what.set("from", String(row?.fromUs || query.fromUs));
    what.set("to", String(row?.toUs || query.toUs));
  }
  const cut = query.by.map((dimension) => DIMENSIONS[dimension]).find((word) => word);
  if (cut) what.append("cell", `${cut}:${key}`);
  else if (query.queues.length === 1) what.append("cell", `queue:${query.queues[0]}`);
  else if (query.agents.length === 1) what.append("cell", `agent:${query.agents[0]}`);
  return link(site, "explain", what);
}

export function Figure(props: {
  live: LiveTable;
  /** The table's name, for tests and for the eye of whoever inspects. */
  table: string;
  column: string;
  /** The row's first key; none: the only row. */
  row?: string;
  /** Of a table that is cut by time: the row itself. */
  piece?: KpiRow;
  class?: string;
  children?: JSX.Element;
}): JSX.Element {
  const { site } = usePlace();
  const key = () => props.row ?? "";
  const shown = createMemo(() => text(props.live, key(), props.column, props.piece));
  // The address is made when it is wanted: it holds the instant that is shown then.
  const point = (event: Event & { currentTarget: HTMLAnchorElement }) => {
    const { live } = props;
    event.currentTarget.href = explainLink(site, live, props.piece, key(), props.column);
  };
  return (
    <a
      class={`figure ${props.class ?? ""}`}
      href={link(site, "explain", { column: props.column })}
      data-table={props.table}
      data-row={key()}
      data-column={props.column}
      onPointerDown={point}
      onFocus={point}
      onMouseEnter={point}
      onClick={point}
    >
      {shown()}
      {props.children}
    </a>
  );
}
