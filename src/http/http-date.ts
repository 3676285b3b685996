/** Dates in header fields (RFC 9110, section 5.6.7). */

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";

/** The three forms that a recipient must accept: IMF-fixdate, RFC 850's, and asctime's. */
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`),
];

/** Years from now, beyond which a year of two digits is one of the last century. */
const FUTURE_YEARS = 50;

function fullYear(text: string, now: number): number {
  if (text.length > 2) return Number(text);
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(text);
  return year > thisYear + FUTURE_YEARS ? year - 100 : year;
}

/**
 * Reads a date.
 * @param now milliseconds since 1970, for years of two digits
 * @returns seconds since 1970; undefined if it is not a date
 */
export function parseDate(text: string, now = Date.now()): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(text.trim())?.groups;
    if (found === undefined) continue;
    const { day, month, year, hour, minute, second } = found as Record<string, string>;
    const date = new Date(0);
    date.setUTCFullYear(fullYear(year!, now), MONTHS.indexOf(month!), Number(day));
    // A leap second is the next one.
    if (date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60)
      return undefined;
    return date.setUTCHours(Number(hour), Number(minute), Number(second)) / 1000;
  }
  return undefined;
}

/** The first and the last second that a date with a year of four digits can name. */
const FIRST = Date.UTC(1000, 0, 1) / 1000;
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

/** Writes a date as IMF-fixdate. @returns undefined for a year that has not four digits */
export function formatDate(seconds: number): string | undefined {
  return seconds >= FIRST && seconds <= LAST ? new Date(seconds * 1000).toUTCString() : undefined;
}
