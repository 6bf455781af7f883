// What the trends ask, as an address and back: a figure, by what, over which days, compared with what.
import { Dimension } from "../gen/pegcount/v1/kpi_pb";
import { before, GRAINS, period, RANGES, span, weeksBefore, type Grain, type Period, type RangeName } from "../figures/periods";
import type { Span } from "../figures/zone";

export const COMPARED = ["nothing", "before", "week", "formula"] as const;
export type Compared = (typeof COMPARED)[number];

export const GRAIN_DIMENSIONS: Record<Grain, Dimension> = {
  interval15: Dimension.INTERVAL15, interval30: Dimension.INTERVAL30, hour: Dimension.HOUR,
  day: Dimension.DAY, week: Dimension.WEEK, month: Dimension.MONTH,
};

/** In an address: not cut by time. */
export const WHOLE = "whole";

export interface Choices {
  column: string;
  /** A dimension's word; empty: all together. */
  by: string;
  /** Empty: the whole range at once. */
  each: Grain | "";
  range: RangeName;
  from: string;
  to: string;
  compared: Compared;
  /** Two formula versions; of `compared` formula alone. */
  formulas: [number, number];
}

/** What is asked side by side: the first is what the others are held against. */
export interface Source {
  period: Period;
  span: Span;
  /** 0: each thing by the one in force at its time. */
  formula: number;
}

const of = <T extends string>(all: readonly T[], text: string | null, otherwise: T): T => all.find((one) => one === text) ?? otherwise;

export function choices(what: URLSearchParams): Choices {
  const range = of(RANGES, what.get("range"), "today");
  const usual: Grain = ["today", "yesterday"].includes(range) ? "hour" : "day";
  const each = what.get("each") === WHOLE ? "" : of(GRAINS, what.get("each"), usual);
  const [first = 1, second = first] = (what.get("formula") ?? "").split(",").map((one) => Number(one.replace(/^v/, "")) || 1);
  return {
    column: what.get("column") ?? "offered",
    by: what.get("by") ?? "",
    each,
    range,
    from: what.get("from") ?? "",
    to: what.get("to") ?? "",
    compared: of(COMPARED, what.get("with"), "nothing"),
    formulas: [first, second],
  };
}

/** What these choices ask for, the one that the page speaks of last. */
export function sources(chosen: Choices, today: string, zone: string): Source[] {
  const meant = period(chosen.range, today, chosen.from, chosen.to);
  const source = (days: Period, formula = 0): Source => ({ period: days, span: span(days, zone), formula });
  switch (chosen.compared) {
    case "before": return [source(before(chosen.range, meant)), source(meant)];
    case "week": return [source(weeksBefore(meant, 1)), source(meant)];
    case "formula": return chosen.formulas.map((version) => source(meant, version));
    default: return [source(meant)];
  }
}
