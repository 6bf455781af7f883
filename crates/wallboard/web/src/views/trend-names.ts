// What the lines and the columns of a trend are called.
import { date, minute, month } from "../figures/format";
import { addDays, startOf } from "../figures/zone";
import { t } from "../text";
import type { Choices, Source } from "./trends-question";
import type { Line } from "./trends-table";

/** How a source is called: by its days, or by its formula. */
export function sourceName(source: Source, { chosen }: { chosen: Choices }, zone: string): string {
  if (chosen.compared === "formula") return t().trends.version(String(source.formula));
  const { first, count: length } = source.period;
  const day = (of: string) => date(startOf(of, zone) + 43_200_000_000, zone);
  return length === 1 ? day(first) : t().trends.days(day(first), day(addDays(first, length - 1)));
}

/** What a line of the table is called; in short for an axis. */
export function pieceName(line: Line, chosen: Choices, zone: string, short: boolean): string {
  if (!line.place) return t().trends.whole;
  const at = line.at.findLast((one) => one !== undefined) ?? 0;
  if (chosen.each === "month") return month(at, zone);
  if (chosen.each === "day" || chosen.each === "week") return date(at, zone);
  const oneDay = ["today", "yesterday"].includes(chosen.range);
  return oneDay || (short && minute(at, zone) !== "00:00") ? minute(at, zone) : short ? date(at, zone) : `${date(at, zone)} ${minute(at, zone)}`;
}
