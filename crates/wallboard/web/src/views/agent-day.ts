// One agent's day: the spans of the clock and the contacts, from the explanations of the figures that are their sums.
// Invariant: the spans of a state add up to the state's figure at the same instant, to the microsecond.
import { create } from "@bufbuild/protobuf";
import { CellValueSchema, Dimension, type KpiItem } from "../gen/pegcount/v1/kpi_pb";
import type { Span } from "../figures/zone";
import { kpis } from "../live/rpc";

/** The states of the clock, each with the word and the style that the floor has for it. */
export const CLOCKS = ["occupied", "ready", "ringing", "dialing", "away", "lost"] as const;
export type Clock = (typeof CLOCKS)[number];

export interface StateSpan {
  state: Clock;
  /** Why, for away; else empty. */
  reason: string;
  /** Microseconds UTC, within the day. */
  from: number;
  to: number;
  /** Microseconds. */
  amount: bigint;
}

export interface HandledContact {
  /** The contact's id; empty if no event names it. */
  contact: string;
  queue: string;
  /** Answered and completed, microseconds UTC. */
  from: number;
  to: number;
  /** Microseconds, by measure. */
  talk: bigint;
  hold: bigint;
  desk: bigint;
}

export interface AgentDay {
  spans: StateSpan[];
  contacts: HandledContact[];
  /** The instant to which what goes on counts, microseconds UTC. */
  asOf: number;
  /** There are more than were asked for. */
  more: boolean;
}

const PAGE = 500;
/** So many pages of one measure; nobody has that many in a day. */
const PAGES_MAX = 10;

type Query = { site: string; fromUs: bigint; toUs: bigint; timeZone: string; asOfUs?: bigint };

async function items(query: Query, column: string, cell: [Dimension, string][]): Promise<{ items: KpiItem[]; more: boolean }> {
  const found: KpiItem[] = [];
  const values = cell.map(([dimension, value]) => create(CellValueSchema, { dimension, value }));
  let pageToken = new Uint8Array();
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await kpis.explainKpi({ query, column, cell: values, pageSize: PAGE, pageToken });
    found.push(...answer.items);
    pageToken = answer.nextPageToken as Uint8Array<ArrayBuffer>;
    if (!pageToken.length) return { items: found, more: false };
  }
  return { items: found, more: true };
}

const CONTACT = /\/contact\/(.+)$/;

/** The contact that an item's events name. */
function contactOf(item: KpiItem): string {
  for (const { stream } of item.events) {
    const found = CONTACT.exec(stream);
    if (found?.[1]) return found[1];
  }
  return "";
}

const MEASURES = { handle_talk: "talk", handle_hold: "hold", handle_acw: "desk" } as const;

export async function agentDay(site: string, agent: string, day: Span, timeZone: string): Promise<AgentDay> {
  const range: Query = { site, fromUs: BigInt(day.from), toUs: BigInt(day.to), timeZone };
  // Away reasons first: each is a figure of its own. The instant of this answer holds for all.
  const away = await kpis.queryKpi({ ...range, by: [Dimension.REASON], agents: [agent], columns: ["away_clock"] });
  const query = { ...range, asOfUs: away.asOfUs };
  const whose: [Dimension, string] = [Dimension.AGENT, agent];
  let more = false;
  const spans: StateSpan[] = [];
  const lay = async (state: Clock, reason: string, cell: [Dimension, string][]) => {
    const found = await items(query, `${state}_clock`, cell);
    more ||= found.more;
    for (const item of found.items) {
      const [from, to] = [Math.max(Number(item.fromUs), day.from), Math.min(Number(item.toUs), day.to)];
      spans.push({ state, reason, from, to, amount: item.amount });
    }
  };
  for (const state of CLOCKS) {
    if (state !== "away") await lay(state, "", [whose]);
  }
  for (const { keys } of away.rows) await lay("away", keys[0] ?? "", [whose, [Dimension.REASON, keys[0] ?? ""]]);
  spans.sort((a, b) => a.from - b.from || a.to - b.to);

  const contacts = new Map<string, HandledContact>();
  const place = (item: KpiItem) => [contactOf(item), item.queue, item.fromUs, item.toUs].join(" ");
  for (const item of (await items(query, "handled", [whose])).items) {
    const { queue, fromUs, toUs } = item;
    contacts.set(place(item), { contact: contactOf(item), queue, from: Number(fromUs), to: Number(toUs), talk: 0n, hold: 0n, desk: 0n });
  }
  for (const [measure, name] of Object.entries(MEASURES)) {
    for (const item of (await items(query, measure, [whose])).items) {
      const known = contacts.get(place(item));
      if (known) known[name] += item.amount;
    }
  }
  return { spans, contacts: [...contacts.values()].sort((a, b) => b.from - a.from), asOf: Number(away.asOfUs), more };
}
