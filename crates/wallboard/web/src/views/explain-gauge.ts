// What a value at an instant is made of: whoever was in a state is found by that state's clock in the last microsecond before the
// instant, and who waited by the visits that began within the longest wait and have not ended.
import type { ExplainKpiResponse, KpiItem, KpiTable, KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { kpis } from "../live/rpc";
import type { Question } from "./explain-question";

const PAGE = 500;

/** The clocks behind the counts of agents. */
const CLOCKS: Record<string, string> = {
  agents_signed_in: "signed_in_clock", agents_occupied: "occupied_clock", agents_lost: "lost_clock", agents_ringing: "ringing_clock",
  agents_dialing: "dialing_clock", agents_away: "away_clock", agents_ready: "ready_clock",
};

/** What each is counted from: links for whoever wants to go on. */
export const COUNTED_FROM: Record<string, string[]> = {
  waiting: ["offered", "ended"],
  longest_waiting: ["offered", "ended"],
  backlog: ["opened", "resolved", "cancelled", "merged"],
  ...Object.fromEntries(Object.entries(CLOCKS).map(([gauge, clock]) => [gauge, [clock]])),
};

/** What stood so at the instant of a figure, each with how long it had by then; undefined: there is no list of it. The events that
 *  have come in meanwhile may have changed it: then it is asked for as it was known when the figure was. */
export async function standing(asked: Question, value: KpiValue | undefined, table: KpiTable): Promise<{ asOfUs: bigint; standing?: KpiItem[] }> {
  const { toUs = 0n, lastUs } = asked.query;
  // In a range that is over a figure stands for the range's end.
  const asOfUs = lastUs === undefined && BigInt(toUs) < table.asOfUs ? BigInt(toUs) : table.asOfUs;
  let found = await items(asked, value, asOfUs);
  if (found && value && asked.column !== "longest_waiting" && BigInt(found.length) !== value.amount) {
    const then = { ...asked, query: { ...asked.query, knownAt: { case: "knownAtPosition", value: table.position } as const } };
    found = await items(then, value, asOfUs);
  }
  return { asOfUs, standing: found?.map((item) => ({ ...item, amount: asOfUs - item.fromUs })) };
}

async function items(asked: Question, value: KpiValue | undefined, asOfUs: bigint): Promise<KpiItem[] | undefined> {
  const clock = CLOCKS[asked.column];
  if (clock) return explained(asked, clock, 1n, asOfUs);
  if (asked.column !== "waiting" && asked.column !== "longest_waiting") return undefined;
  const longest = asked.column === "longest_waiting" ? value : await figure(asked, "longest_waiting", asOfUs);
  if (!longest || longest.absent) return [];
  const last = longest.amount + 1n;
  const [began, ended] = await Promise.all([explained(asked, "offered", last, asOfUs), explained(asked, "ended", last, asOfUs)]);
  return still(began, ended);
}

/** Of the visits that began those that have not ended: a contact may have been in a queue twice. */
export function still(began: KpiItem[], ended: KpiItem[]): KpiItem[] {
  const visit = (item: KpiItem) => `${item.events[0]?.stream} ${item.queue}`;
  const over = new Map<string, number>();
  for (const item of ended) over.set(visit(item), (over.get(visit(item)) ?? 0) + 1);
  return began.filter((item) => {
    const left = over.get(visit(item)) ?? 0;
    if (left) over.set(visit(item), left - 1);
    return !left;
  });
}

/** The question over a window up to the instant, instead of over its range. */
function window(asked: Question, lastUs: bigint, asOfUs: bigint): Question["query"] {
  return { ...asked.query, fromUs: 0n, toUs: 0n, lastUs, asOfUs };
}

async function explained(asked: Question, column: string, lastUs: bigint, asOfUs: bigint): Promise<KpiItem[]> {
  const found: KpiItem[] = [];
  let page: ExplainKpiResponse | undefined;
  do {
    const pageToken = (page?.nextPageToken ?? new Uint8Array()) as Uint8Array<ArrayBuffer>;
    page = await kpis.explainKpi({ query: window(asked, lastUs, asOfUs), column, cell: asked.cell, pageSize: PAGE, pageToken });
    found.push(...page.items);
  } while (page.nextPageToken.length);
  return found;
}

async function figure(asked: Question, column: string, asOfUs: bigint): Promise<KpiValue | undefined> {
  const table = await kpis.queryKpi({ ...asked.query, asOfUs, by: asked.cell.map((one) => one.dimension), columns: [column] });
  return table.rows.find((row) => row.keys.every((key, place) => key === asked.cell[place]?.value))?.values[0];
}
