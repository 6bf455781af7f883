// The table of a watch: a snapshot with every update since laid over it, and what grows in it carried on. The page's twin of
// crates/client/src/watched.rs. Invariant: as of the last update it is what the query answers.
import { create } from "@bufbuild/protobuf";
import {
  KpiValueSchema,
  type KpiColumn,
  type KpiRow,
  type KpiRunning,
  type KpiUpdate,
  type KpiValue,
} from "../gen/pegcount/v1/kpi_pb";

interface Told {
  at: bigint;
  row: KpiRow;
}

export class WatchedTable {
  columns: KpiColumn[] = [];
  /** The instant of the last update, microseconds UTC. */
  asOf = 0n;
  /** The log position of the last update. */
  position = 0n;
  olderDefinitions = 0n;
  resumeToken: Uint8Array<ArrayBufferLike> = new Uint8Array();
  private rows = new Map<string, Told>();
  private places = new Map<string, number>();

  /** A window's rows are told apart by their keys alone. */
  constructor(private readonly isWindow: boolean) {}

  take(update: KpiUpdate): void {
    if (update.snapshot) {
      this.rows.clear();
      this.columns = update.columns;
      this.places = new Map(update.columns.map((column, place) => [column.name, place]));
    }
    for (const span of update.replaced) {
      for (const [place, { row }] of this.rows) {
        if (span.fromUs <= row.fromUs && row.fromUs < span.toUs) this.rows.delete(place);
      }
    }
    for (const gone of update.removed) this.rows.delete(this.place(gone));
    for (const row of update.rows) this.rows.set(this.place(row), { at: update.asOfUs, row });
    this.asOf = update.asOfUs;
    this.position = update.position;
    this.olderDefinitions = update.olderDefinitions;
    this.resumeToken = update.resumeToken;
  }

  private place(row: KpiRow): string {
    return JSON.stringify(this.isWindow ? row.keys : [String(row.fromUs), String(row.toUs), ...row.keys]);
  }

  /** The rows' first keys, sorted; a row of nothing at the last update is none. */
  keys(): string[] {
    const keys: string[] = [];
    for (const told of this.rows.values()) {
      if (told.row.values.some((_, place) => stands(carried(told, place, this.asOf)))) keys.push(told.row.keys[0] ?? "");
    }
    return keys.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  /** All rows as they were told, with their instants. */
  *all(): IterableIterator<KpiRow> {
    for (const { row } of this.rows.values()) yield row;
  }

  column(name: string): KpiColumn | undefined {
    const place = this.places.get(name);
    return place === undefined ? undefined : this.columns[place];
  }

  /** What stands in a column of a row as of an instant no earlier than the last update; undefined: there is no such row. */
  value(row: KpiRow | undefined, column: string, at: bigint): KpiValue | undefined {
    const place = this.places.get(column);
    if (!row || place === undefined) return undefined;
    const told = this.rows.get(this.place(row));
    return told && carried(told, place, at);
  }

  /** The row of a first key; without one, the only row. */
  row(key = ""): KpiRow | undefined {
    return this.byKey().get(key);
  }

  /** All rows of a first key. */
  rowsOf(key: string): KpiRow[] {
    if (!this.several || this.severalAt !== this.resumeToken) {
      this.several = new Map();
      for (const row of this.all()) {
        const key = row.keys[0] ?? "";
        const known = this.several.get(key);
        if (known) known.push(row);
        else this.several.set(key, [row]);
      }
      this.severalAt = this.resumeToken;
    }
    return this.several.get(key) ?? [];
  }

  private several: Map<string, KpiRow[]> | undefined;
  private severalAt: unknown;
  private keyed: Map<string, KpiRow> | undefined;
  private keyedAt: unknown;

  private byKey(): Map<string, KpiRow> {
    if (!this.keyed || this.keyedAt !== this.resumeToken) {
      this.keyed = new Map();
      for (const { row } of this.rows.values()) this.keyed.set(row.keys[0] ?? "", row);
      this.keyedAt = this.resumeToken;
    }
    return this.keyed;
  }
}

function stands(value: KpiValue | undefined): boolean {
  return value !== undefined && !value.absent && (value.amount !== 0n || value.denominator !== 0n);
}

function carried({ at: told, row }: Told, place: number, at: bigint): KpiValue | undefined {
  const value = row.values[place];
  const running = row.running.find((one) => one.column === place);
  return value && running ? after(value, running, at - told) : value;
}

/** What a value has become after so many microseconds. */
export function after(value: KpiValue, running: KpiRunning, passed: bigint): KpiValue {
  const grown = running.amountPerUs * passed;
  if (!value.absent && value.denominator === 0n) return create(KpiValueSchema, { amount: value.amount + grown });
  const denominator = value.denominator + running.denominatorPerUs * passed;
  if (denominator === 0n) return create(KpiValueSchema, { absent: true });
  const amount = value.absent ? running.amount : value.amount;
  return create(KpiValueSchema, { amount: amount + grown, denominator });
}
