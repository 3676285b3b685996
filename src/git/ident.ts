/**
 * The lines of a commit that name a person and a moment, "NAME <EMAIL> SECONDS ZONE", read as git reads them
 * (ident.c, split_ident_line; date.c): the date is the one that `git log` shows, or undefined.
 */

/** The date of a commit. */
export interface Moment {
  /** Seconds since 1970-01-01T00:00:00Z; never more than a `Date` can hold. */
  seconds: number;
  /** Minutes east of UTC, as git counts them: of "+0130" 90, of "+051800" 31,080. */
  offset: number;
}

/** A parsed line. The bytes are usually UTF-8, but git does not enforce this. */
export interface Ident {
  name: Uint8Array;
  email: Uint8Array;
  /** Undefined if git reads no date from the line, or a `Date` cannot hold it. */
  moment: Moment | undefined;
}

/** The last second that a `Date` can hold. */
const SECONDS_MAX = 8.64e12;
/** git reads the zone as a C `int` and takes larger ones for 0. */
const ZONE_MAX = 0x7fffffff;
/** ISO 8601 has no larger zone. */
const OFFSET_MAX = 24 * 60;

const LESS = 0x3c;
const GREATER = 0x3e;
/** Bytes after the address that can matter: no date has more digits, and blanks come one at a time. */
const TAIL_MAX = 1 << 12;

/** The blanks of git's own `isspace`. */
const BLANKS: readonly (number | undefined)[] = [0x09, 0x0a, 0x0d, 0x20];

/** Minutes of a zone: hours are all digits but the last two. */
function offsetOf(sign: string, digits: string): number {
  const value = Number(digits);
  if (value >= ZONE_MAX) return 0;
  const minutes = Math.floor(value / 100) * 60 + (value % 100);
  return sign === "-" ? -minutes : minutes;
}

/** The text after the last `>`: digits, blanks, a sign and digits, then anything. */
function momentOf(tail: Uint8Array): Moment | undefined {
  const text = String.fromCharCode(...tail.subarray(0, TAIL_MAX));
  const [, digits, sign, zone] = /^[ \t\n\r]*([0-9]+)[ \t\n\r]*([+-])([0-9]+)/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const seconds = Number(digits);
  return seconds > SECONDS_MAX ? undefined : { seconds, offset: offsetOf(sign!, zone!) };
}

/**
 * Parses a line.
 * @param line the text after "author " or "committer ", up to the line's end
 */
export function parseIdent(line: Uint8Array): Ident {
  const open = line.indexOf(LESS);
  const close = open < 0 ? -1 : line.indexOf(GREATER, open);
  let nameEnd = open < 0 ? line.length : open;
  while (nameEnd > 0 && BLANKS.includes(line[nameEnd - 1])) nameEnd--;
  const name = line.subarray(0, nameEnd);
  if (close < 0) return { name, email: new Uint8Array(0), moment: undefined };
  return {
    name,
    email: line.subarray(open + 1, close),
    moment: momentOf(line.subarray(line.lastIndexOf(GREATER) + 1)),
  };
}

/** The moment's `Date`. */
export function dateOf({ seconds }: Moment): Date {
  return new Date(seconds * 1000);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** The offset from UTC as ISO 8601 writes it, "+02:00"; undefined if it has no such form. */
export function zoneOf({ offset }: Moment): string | undefined {
  const minutes = Math.abs(offset);
  if (minutes >= OFFSET_MAX) return undefined;
  return `${offset < 0 ? "-" : "+"}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

/** A date as ISO 8601 writes it: in UTC, in whole seconds. Years beyond 9999 have six digits and a sign. */
export function isoDate(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
