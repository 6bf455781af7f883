// The answers of the trends, laid side by side: pieces of time downwards, what they are cut by and what they are compared with across.
import { Dimension, type KpiColumn, type KpiRow, type KpiTable, type KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { quotient } from "../figures/format";
import { pieces, places, type Grain } from "../figures/periods";
import { kpis } from "../live/rpc";
import { DIMENSIONS } from "../parts/Figure";
import { GRAIN_DIMENSIONS, type Choices, type Source } from "./trends-question";

/** One figure and where it comes from. */
export interface Cell {
  row: KpiRow;
  value: KpiValue | undefined;
  table: KpiTable;
  source: Source;
}

export interface Line {
  /** Where it stands in its period; empty: the whole of it. */
  place: string;
  /** The begin of the piece in each source, microseconds UTC; undefined: the source has nothing there. */
  at: (number | undefined)[];
}

export interface Trend {
  column: KpiColumn | undefined;
  /** What the figures are cut by; one empty key if by nothing. */
  keys: string[];
  /** Pieces of time, in order; last the whole range. */
  lines: Line[];
  /** The instant of the answers, microseconds UTC. */
  asOf: number;
  cell(source: number, place: string, key: string): Cell | undefined;
}

/** The dimension of a word. */
export function dimension(word: string): Dimension | undefined {
  const found = Object.entries(DIMENSIONS).find(([, known]) => known === word)?.[0];
  return found === undefined ? undefined : Number(found);
}

const WHOLE = "";
const id = (source: number, place: string, key: string): string => JSON.stringify([source, place, key]);

/** So often it asks until no events came in between its questions. */
const ATTEMPTS = 2;

/** Asks for each source its pieces and its whole, and lays them side by side. All of it is of one instant and one log position: what is
 *  compared must differ by nothing else. Where events never cease, the last attempt asks as it was known at the first answer's position. */
export async function trend(site: string, zone: string, chosen: Choices, asked: Source[]): Promise<Trend> {
  let pin: KpiTable | undefined;
  for (let attempt = 0; ; attempt++) {
    const { found, tables } = await once(site, zone, chosen, asked, pin);
    if (pin || tables.every((table) => table.position === tables[0]!.position)) return found;
    if (attempt + 1 >= ATTEMPTS) pin = tables.at(-1);
  }
}

async function once(site: string, zone: string, chosen: Choices, asked: Source[], pin: KpiTable | undefined): Promise<{ found: Trend; tables: KpiTable[] }> {
  const cut = dimension(chosen.by);
  const tables: KpiTable[] = [];
  const cells = new Map<string, Cell>();
  const lines = new Map<string, Line>();
  let column: KpiColumn | undefined;
  const ask = async (source: Source, number: number, grain: Grain | "") => {
    const table = await kpis.queryKpi({
      site, timeZone: zone, columns: [chosen.column], formulaVersion: source.formula,
      fromUs: BigInt(source.span.from), toUs: BigInt(source.span.to),
      asOfUs: (pin ?? tables[0])?.asOfUs,
      knownAt: pin ? { case: "knownAtPosition", value: pin.position } : { case: undefined },
      by: [...(grain ? [GRAIN_DIMENSIONS[grain]] : []), ...(cut === undefined ? [] : [cut])],
    });
    tables.push(table);
    column ??= table.columns[0];
    const place = grain ? places(source.period, grain, zone) : () => WHOLE;
    const line = (at: number) => {
      const known = lines.get(place(at)) ?? { place: place(at), at: asked.map(() => undefined) };
      known.at[number] ??= at;
      lines.set(known.place, known);
      return known;
    };
    // Also the pieces in which nothing happened: time must not look shorter for them.
    for (const at of grain ? pieces(source.period, grain, zone, Number(table.asOfUs)) : []) line(at);
    for (const row of table.rows) cells.set(id(number, line(Number(row.fromUs)).place, row.keys[0] ?? ""), { row, value: row.values[0], table, source });
  };
  for (const [number, source] of asked.entries()) {
    await ask(source, number, "");
    if (chosen.each) await ask(source, number, chosen.each);
  }
  const keys = new Set([...cells.keys()].map((known) => (JSON.parse(known) as string[])[2]!));
  // Whoever has no queue, team and so on is shown only if there is anything of them.
  const stands = (key: string) => [...cells.entries()].some(([known, cell]) => (JSON.parse(known) as string[])[2] === key && quotient(cell.value));
  if (cut !== undefined && keys.has("") && !stands("")) keys.delete("");
  const collator = new Intl.Collator("en", { numeric: true });
  const found: Trend = {
    column,
    asOf: Number(tables[0]?.asOfUs ?? 0n),
    keys: [...keys].sort(collator.compare),
    lines: [...lines.values()].sort((a, b) => Number(a.place === WHOLE) - Number(b.place === WHOLE) || (a.place < b.place ? -1 : 1)),
    cell: (source, place, key) => cells.get(id(source, place, key)),
  };
  return { found, tables };
}

/** Where a figure is explained. */
export function address(chosen: Choices, key: string, { row, table, source }: Cell): URLSearchParams {
  const what = new URLSearchParams({
    column: chosen.column, from: String(row.fromUs), to: String(row.toUs), as_of: String(table.asOfUs), position: String(table.position),
  });
  if (source.formula) what.set("formula", String(source.formula));
  if (chosen.by) what.set("cell", `${chosen.by}:${key}`);
  return what;
}

/** The later less the earlier; null if one of them is absent. */
export function difference(earlier: Cell | undefined, later: Cell | undefined): number | null {
  const [one, other] = [quotient(earlier?.value), quotient(later?.value)];
  return one === null || other === null ? null : other - one;
}
