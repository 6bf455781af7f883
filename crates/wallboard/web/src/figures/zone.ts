// Local days of an IANA zone. Invariant: a day is found from its zone, never by adding 24 hours (KPIS §1).

const HOUR_US = 3_600_000_000;
const GRID_US = 15 * 60 * 1_000_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: string): Intl.DateTimeFormat {
  let known = formats.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
    formats.set(zone, known);
  }
  return known;
}

/** `yyyy-mm-dd` of an instant (microseconds UTC). */
export function localDate(us: number, zone: string): string {
  return dateFormat(zone).format(us / 1000);
}

/** The first instant of a local date, microseconds UTC, on the grid of quarters of an hour. */
export function startOf(date: string, zone: string): number {
  const middle = Date.parse(`${date}T00:00:00Z`) * 1000;
  let [before, at] = [(middle - 16 * HOUR_US) / GRID_US, (middle + 16 * HOUR_US) / GRID_US];
  while (at - before > 1) {
    const half = Math.floor((before + at) / 2);
    if (localDate(half * GRID_US, zone) >= date) at = half;
    else before = half;
  }
  return at * GRID_US;
}

/** The date so many days later. */
export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** A span of time, microseconds UTC, its end not included. */
export interface Span {
  from: number;
  to: number;
}

/** The local days from `date` on. */
export function days(date: string, count: number, zone: string): Span {
  return { from: startOf(date, zone), to: startOf(addDays(date, count), zone) };
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Local date and time of an instant (microseconds UTC) to the second, `yyyy-mm-ddThh:mm:ss`. */
export function localTime(us: number, zone: string): string {
  let known = clocks.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    clocks.set(zone, known);
  }
  return `${localDate(us, zone)}T${known.format(us / 1000)}`;
}

/** The instant of a local date and time, microseconds UTC; null if it is none. Of an hour that is there twice, the earlier. */
export function atLocalTime(text: string, zone: string): number | null {
  const meant = Date.parse(`${text}Z`) * 1000;
  if (Number.isNaN(meant)) return null;
  const offset = (us: number) => Date.parse(`${localTime(us, zone)}Z`) * 1000 - us;
  const early = meant - offset(meant - 14 * HOUR_US);
  return localTime(early, zone) === localTime(meant, "UTC") ? early : meant - offset(early);
}
