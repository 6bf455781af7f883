// An explanation's question as an address, and back. Invariant: the same address asks the same, whoever opens it.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CellValueSchema, Dimension, QueryKpiRequestSchema, type CellValue } from "../gen/pegcount/v1/kpi_pb";
import { DIMENSIONS } from "../parts/Figure";

export interface Question {
  column: string;
  cell: CellValue[];
  query: MessageInitShape<typeof QueryKpiRequestSchema>;
  /** The log position at which the figure was seen; 0: not said. */
  position: bigint;
  /** Answered as it was known at that position. */
  then: boolean;
}

const whole = (text: string | null): bigint | undefined => (text && /^-?\d+$/.test(text) ? BigInt(text) : undefined);

/** The question of an address; none if it names no column. */
export function question(what: URLSearchParams, site: string, timeZone: string, today: { from: number; to: number }): Question | undefined {
  const column = what.get("column");
  if (!column) return undefined;
  const cell = what.getAll("cell").flatMap((text) => {
    const [word = "", ...rest] = text.split(":");
    const dimension = Object.entries(DIMENSIONS).find(([, known]) => known === word)?.[0];
    return dimension ? [create(CellValueSchema, { dimension: Number(dimension) as Dimension, value: rest.join(":") })] : [];
  });
  const [position, then] = [whole(what.get("position")) ?? 0n, what.get("known") === "then"];
  const lastUs = whole(what.get("last"));
  const range = lastUs === undefined
    ? { fromUs: whole(what.get("from")) ?? BigInt(today.from), toUs: whole(what.get("to")) ?? BigInt(today.to) }
    : { lastUs };
  const known = then && position ? ({ case: "knownAtPosition", value: position } as const) : undefined;
  return { column, cell, position, then, query: { site, timeZone, ...range, asOfUs: whole(what.get("as_of")), formulaVersion: Number(whole(what.get("formula")) ?? 0n), knownAt: known ?? { case: undefined } } };
}
