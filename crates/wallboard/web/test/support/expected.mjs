// What the command line says, as the page has to show it: written apart from the page's own code.

const PER_HOUR = /_per_hour$/;
const SHARE = /_rate$|_level$|_share$|_form$|^occupancy$/;

/** The text of a column in a row of `pegcount kpi --format json`: durations there are seconds and end in `_s`. */
export function shown(column, row, locale = "en") {
  const number = (value, digits, style = "decimal") =>
    value.toLocaleString(locale, { style, minimumFractionDigits: digits, maximumFractionDigits: digits });
  const isDuration = `${column}_s` in row;
  const value = isDuration ? row[`${column}_s`] : row[column];
  if (value === undefined) throw new Error(`the command line gave no ${column}: ${JSON.stringify(row)}`);
  if (value === null) return "–";
  if (isDuration) return duration(value, number);
  if (SHARE.test(column)) return number(value, 1, "percent");
  return number(value, PER_HOUR.test(column) ? 1 : 0);
}

function duration(seconds, number) {
  const whole = Math.floor(seconds + 0.5);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (part) => String(part).padStart(2, "0");
  return hours ? `${number(hours, 0)}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Microseconds UTC as RFC 3339, to the microsecond. */
export function rfc3339(us) {
  const at = BigInt(us);
  return new Date(Number(at / 1000n)).toISOString().replace(/\.\d{3}Z$/, `.${String(at % 1_000_000n).padStart(6, "0")}Z`);
}
