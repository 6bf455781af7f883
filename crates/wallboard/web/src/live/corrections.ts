// What has changed figures since an instant, each with the figure before and after it. The server lists by how much; the
// figure as it is now, less all later differences, is what it was.
import { Dimension, type KpiCorrection } from "../gen/pegcount/v1/kpi_pb";
import { kpisNow } from "./rpc";

/** Facts that come later than this are history being loaded, and no corrections. */
const OLDEST_US = 31n * 86_400_000_000n;
/** So many are shown. */
const SHOWN = 500;
const PAGE = 10_000;

export interface Corrected {
  correction: KpiCorrection;
  /** Undefined: the measure is no column of its own. */
  before: bigint | undefined;
  after: bigint | undefined;
}

export interface Corrections {
  /** The latest first; at most [`SHOWN`]. */
  list: Corrected[];
  /** How many there are. */
  count: number;
  /** Few enough to be asked for again and again. */
  short: boolean;
}

async function listed(site: string, since: bigint): Promise<{ found: KpiCorrection[]; pages: number }> {
  const found: KpiCorrection[] = [];
  let pages = 0;
  let pageToken = new Uint8Array();
  do {
    const page = await kpisNow.listCorrections({ site, fromUs: since - OLDEST_US, pageSize: PAGE, pageToken });
    found.push(...page.corrections.filter((one) => one.recordedAtUs > since));
    pageToken = page.nextPageToken as Uint8Array<ArrayBuffer>;
    pages += 1;
  } while (pageToken.length);
  return { found, pages };
}

const place = (measure: string, fromUs: bigint): string => `${measure} ${fromUs}`;

/** The corrected measures as they are now, by measure and interval. */
async function amounts(site: string, of: KpiCorrection[]): Promise<Map<string, bigint>> {
  const { columns } = await kpisNow.describeKpis({});
  const names = new Set(columns.map((column) => column.name));
  const measures = [...new Set(of.map((one) => one.measure))].filter((measure) => names.has(measure));
  const found = new Map<string, bigint>();
  if (!measures.length) return found;
  const begins = of.map((one) => one.fromUs).sort((a, b) => Number(a - b));
  const ends = of.map((one) => one.toUs).sort((a, b) => Number(b - a));
  const table = await kpisNow.queryKpi({ site, fromUs: begins[0], toUs: ends[0], by: [Dimension.INTERVAL15], columns: measures });
  // An interval without a row has nothing in it.
  for (const { fromUs } of of) for (const measure of measures) found.set(place(measure, fromUs), 0n);
  for (const row of table.rows) measures.forEach((measure, column) => found.set(place(measure, row.fromUs), row.values[column]?.amount ?? 0n));
  return found;
}

/** All corrections of a site that were recorded after an instant, microseconds UTC. */
export async function correctionsSince(site: string, since: number): Promise<Corrections> {
  const { found: all, pages } = await listed(site, BigInt(since));
  const list = all.slice(-SHOWN).reverse();
  const now = list.length ? await amounts(site, list) : new Map<string, bigint>();
  return {
    count: all.length,
    short: pages === 1,
    list: list.map((correction) => {
      const key = place(correction.measure, correction.fromUs);
      const after = now.get(key);
      const before = after === undefined ? undefined : after - correction.difference;
      if (before !== undefined) now.set(key, before);
      return { correction, before, after };
    }),
  };
}
