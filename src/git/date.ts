/** The date of a synthetic commit. */
import { DocteurError } from "../errors.js";

/** The date of a commit. */
export interface CommitDate {
  /** Seconds since 1970-01-01T00:00:00Z, not negative. */
  seconds: number;
  /** The writer's offset from UTC, "+hhmm" or "-hhmm". */
  zone: string;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

function refuse(text: string, why: string): never {
  throw new DocteurError("InvalidArgument", `not a date: ${JSON.stringify(text)}: ${why}`, {
    hint: "a date is written as in RFC 3339, with its offset, 2024-06-07T08:09:10+02:00, or as seconds since 1970",
  });
}

/**
 * Reads an RFC 3339 date, or seconds since 1970 in UTC, which may follow an `@`. Fractions of a second are
 * dropped, since commits have none. Second 60 is the first of the next minute.
 * @throws DocteurError `InvalidArgument`
 */
export function parseDate(text: string): CommitDate {
  const since = /^@?([0-9]{1,12})$/.exec(text)?.[1];
  if (since !== undefined) return { seconds: Number(since), zone: "+0000" };
  const match = RFC3339.exec(text);
  if (match === null) refuse(text, "it has none of the forms of one");
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zoneHours = Number(match[8] ?? 0);
  const zoneMinutes = Number(match[9] ?? 0);
  if (hour > 23 || minute > 59 || second > 60) refuse(text, "no such time of day");
  if (zoneHours > 23 || zoneMinutes > 59) refuse(text, "no such offset from UTC");
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) refuse(text, "no such day");
  const sign = match[7] ?? "+";
  const offset = (zoneHours * 60 + zoneMinutes) * (sign === "-" ? -60 : 60);
  const seconds = midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  if (seconds < 0) refuse(text, "commits know no time before 1970");
  return { seconds, zone: `${sign}${match[8] ?? "00"}${match[9] ?? "00"}` };
}

/** The date of a `Date`, in UTC. */
export function dateInUtc(date: Date): CommitDate {
  const seconds = Math.floor(date.getTime() / 1000);
  if (!(seconds >= 0)) refuse(String(date), "commits know no time before 1970");
  return { seconds, zone: "+0000" };
}

/**
 * The date for a source without a date of its own.
 * @param newest the newest file's time in seconds since 1970, `undefined` without files; commits cannot be
 *   older than 1970
 */
export function dateOfFiles(newest: number | undefined): CommitDate {
  return { seconds: Math.max(newest ?? 0, 0), zone: "+0000" };
}
