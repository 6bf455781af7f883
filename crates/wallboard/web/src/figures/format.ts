// Figures and times for the eye, by the language and the site's zone. Invariant: an absent figure is a dash, never a zero.
import type { KpiValue } from "../gen/pegcount/v1/kpi_pb";
import { Unit } from "../gen/pegcount/v1/kpi_pb";
import { language } from "../text";

export const ABSENT = "–";

/** What a column is, as far as showing it goes. */
export interface Kind {
  name: string;
  unit: Unit;
}

const numbers = new Map<string, Intl.NumberFormat>();

function numberFormat(digits: number, style: "decimal" | "percent"): Intl.NumberFormat {
  const key = `${language()} ${digits} ${style}`;
  let known = numbers.get(key);
  if (!known) {
    known = new Intl.NumberFormat(language(), { style, minimumFractionDigits: digits, maximumFractionDigits: digits });
    numbers.set(key, known);
  }
  return known;
}

export const count = (amount: number | bigint): string => numberFormat(0, "decimal").format(amount);
export const decimal = (amount: number): string => numberFormat(1, "decimal").format(amount);
export const percent = (share: number): string => numberFormat(1, "percent").format(share);

/** A duration (microseconds) as `m:ss`, from an hour on `h:mm:ss`; whole seconds. */
export function duration(us: number): string {
  const seconds = Math.floor((Math.abs(us) + 500_000) / 1_000_000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  const text = hours ? `${count(hours)}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return us < 0 ? `-${text}` : text;
}

/** The value of a figure, or null if it is absent. Ratios are taken here, at the very end. */
export function quotient(value: KpiValue | undefined): number | null {
  if (!value || value.absent) return null;
  const amount = Number(value.amount);
  return value.denominator === 0n ? amount : amount / Number(value.denominator);
}

/** A figure of a column. */
export function figure(column: Kind, value: KpiValue | undefined): string {
  const shown = quotient(value);
  if (shown === null || !value) return ABSENT;
  if (column.unit === Unit.MICROSECONDS) return duration(shown);
  if (value.denominator === 0n) return count(value.amount);
  return column.name.includes("_per_hour") ? decimal(shown) : percent(shown);
}

/** An amount of a column's unit that is no figure of its own: a tick of an axis, a mean of two. */
export function plain(column: Kind, amount: number): string {
  if (column.unit === Unit.MICROSECONDS) return duration(amount);
  if (column.unit === Unit.RATIO) return column.name.includes("_per_hour") ? decimal(amount) : percent(amount);
  return Number.isInteger(amount) ? count(amount) : decimal(amount);
}

/** By how much a figure differs, with its sign. */
export function signed(column: Kind, amount: number | null): string {
  if (amount === null) return ABSENT;
  const shown = plain(column, amount);
  return amount > 0 ? `+${shown}` : shown;
}

/** What a column's figures are in: a word of the catalogue. */
export function unitWord(column: Kind): "count" | "duration" | "share" | "perHour" {
  if (column.unit === Unit.MICROSECONDS) return "duration";
  if (column.unit === Unit.RATIO) return column.name.includes("_per_hour") ? "perHour" : "share";
  return "count";
}

const times = new Map<string, Intl.DateTimeFormat>();

function timeFormat(zone: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const full = `${language()} ${zone} ${key}`;
  let known = times.get(full);
  if (!known) {
    known = new Intl.DateTimeFormat(language(), { timeZone: zone, hourCycle: "h23", ...options });
    times.set(full, known);
  }
  return known;
}

/** The time of day, to the second. */
export const clock = (us: number, zone: string): string =>
  timeFormat(zone, "clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(us / 1000);

/** The time of day, to the minute. */
export const minute = (us: number, zone: string): string =>
  timeFormat(zone, "minute", { hour: "2-digit", minute: "2-digit" }).format(us / 1000);

/** Date and time of day. */
export const moment = (us: number, zone: string): string =>
  timeFormat(zone, "moment", { dateStyle: "medium", timeStyle: "medium" }).format(us / 1000);

/** The day of the week. */
export const weekday = (us: number, zone: string): string =>
  timeFormat(zone, "weekday", { weekday: "long" }).format(us / 1000);

/** The date in short, with the day of the week. */
export const date = (us: number, zone: string): string =>
  timeFormat(zone, "date", { weekday: "short", month: "short", day: "numeric" }).format(us / 1000);

/** The month. */
export const month = (us: number, zone: string): string => timeFormat(zone, "month", { year: "numeric", month: "short" }).format(us / 1000);
