// Periods of local days: this week, last month, any range; the one before it; and how pieces of two periods are laid side by side.
import { addDays, days, localDate, localTime, type Span } from "./zone";

export const RANGES = ["today", "yesterday", "week", "lastWeek", "month", "lastMonth", "days7", "days30", "range"] as const;
export type RangeName = (typeof RANGES)[number];

export const GRAINS = ["interval15", "interval30", "hour", "day", "week", "month"] as const;
export type Grain = (typeof GRAINS)[number];

/** Local days, one after the other. */
export interface Period {
  /** `yyyy-mm-dd`. */
  first: string;
  count: number;
}

const DAY_MS = 86_400_000;
const number = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(number(text));

/** The Monday of a date's week. */
const monday = (date: string): string => addDays(date, -((number(date) + 3) % 7));

const monthOf = (date: string): string => `${date.slice(0, 7)}-01`;
const months = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));
const wholeMonth = (first: string): Period => ({ first, count: number(monthOf(addDays(first, 31))) - number(first) });

/** What a range's name means today; of `range`, the dates given, the last one included. */
export function period(name: RangeName, today: string, from = "", to = ""): Period {
  switch (name) {
    case "yesterday": return { first: addDays(today, -1), count: 1 };
    case "week": return { first: monday(today), count: 7 };
    case "lastWeek": return { first: addDays(monday(today), -7), count: 7 };
    case "month": return wholeMonth(monthOf(today));
    case "lastMonth": return wholeMonth(monthOf(addDays(monthOf(today), -1)));
    case "days7": return { first: addDays(today, -6), count: 7 };
    case "days30": return { first: addDays(today, -29), count: 30 };
    case "range": {
      const first = isDate(from) ? from : today;
      const last = isDate(to) && to >= first ? to : first;
      return { first, count: number(last) - number(first) + 1 };
    }
    default: return { first: today, count: 1 };
  }
}

/** The one before it: of a month the month before, else as many days. */
export function before(name: RangeName, { first, count }: Period): Period {
  if (name === "month" || name === "lastMonth") return wholeMonth(monthOf(addDays(first, -1)));
  return { first: addDays(first, -count), count };
}

/** The same days so many weeks earlier. */
export const weeksBefore = ({ first, count }: Period, weeks: number): Period => ({ first: addDays(first, -7 * weeks), count });

/** How long pieces of less than a day are. */
const STEPS_US: Partial<Record<Grain, number>> = { interval15: 900e6, interval30: 1_800e6, hour: 3_600e6 };

/** The begins of all pieces of a period that have begun by an instant, microseconds UTC, in order. */
export function pieces({ first, count }: Period, grain: Grain, zone: string, until: number): number[] {
  const step = STEPS_US[grain];
  const begins: number[] = [];
  for (let day = 0; day < count; day++) {
    const { from, to } = days(addDays(first, day), 1, zone);
    for (let at = from; at < to && at <= until; at += step ?? to - from) begins.push(at);
  }
  return begins;
}

export const span = ({ first, count }: Period, zone: string): Span => days(first, count, zone);

/** Places in a period by which pieces of two periods stand side by side: the day in it and the time of the local clock. Give it
 *  the pieces in their order: an hour that is there twice has two places. */
export function places({ first }: Period, grain: Grain, zone: string): (fromUs: number) => string {
  const twice = new Map<string, number>();
  const seen = new Map<number, string>();
  return (fromUs) => {
    const known = seen.get(fromUs);
    if (known) return known;
    const date = localDate(fromUs, zone);
    const two = (of: number, more = "") => `${String(of).padStart(5, "0")}${more}`;
    let place: string;
    if (grain === "month") place = two(months(date) - months(first));
    else if (grain === "week") place = two((number(monday(date)) - number(monday(first))) / 7);
    else if (grain === "day") place = two(number(date) - number(first));
    else place = two(number(date) - number(first), ` ${localTime(fromUs, zone).slice(11, 16)}`);
    const again = grain in STEPS_US ? (twice.get(place) ?? 0) : 0;
    twice.set(place, again + 1);
    const unique = again ? `${place} +${again}` : place;
    seen.set(fromUs, unique);
    return unique;
  };
}
