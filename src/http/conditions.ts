/** Conditional requests (RFC 9110, section 13). */
import { parseDate } from "./http-date.js";

/** Header fields of a request. */
export interface Fields {
  /** A field's value, several joined by commas; null if there is none. */
  get(name: string): string | null;
}

/** What a representation is known by. */
export interface Validators {
  /** An entity tag, as in the field `ETag`. */
  etag: string;
  /** Seconds since 1970. */
  lastModified: number | undefined;
}

/** An element of a list of entity tags, and what separates it from the next. The list may have empty elements. */
const TAG = /[ \t,]*((?:W\/)?"[\x21\x23-\x7e\x80-\u{10ffff}]*")[ \t]*(?:,|$)/uy;

/** Whether a list of entity tags, or `*`, has one that satisfies a comparison. What follows a malformed one is not read. */
function listHas(list: string, isFitting: (tag: string) => boolean): boolean {
  if (list.trim() === "*") return true;
  TAG.lastIndex = 0;
  for (let found = TAG.exec(list); found !== null; found = TAG.exec(list)) {
    if (isFitting(found[1]!)) {
      TAG.lastIndex = 0;
      return true;
    }
  }
  return false;
}

const isWeak = (tag: string): boolean => tag.startsWith("W/");
const opaque = (tag: string): string => (isWeak(tag) ? tag.slice(2) : tag);
/** Strong comparison (section 8.8.3.2). */
const isStrongly = (etag: string) => (tag: string) => !isWeak(tag) && !isWeak(etag) && tag === etag;
/** Weak comparison. */
const isWeakly = (etag: string) => (tag: string) => opaque(tag) === opaque(etag);

/** Whether a field has a date, and the representation has not changed since; undefined if it says nothing. */
function isUnchangedSince(field: string | null, { lastModified }: Validators): boolean | undefined {
  const date = field === null ? undefined : parseDate(field);
  return date === undefined || lastModified === undefined ? undefined : lastModified <= date;
}

/**
 * Evaluates the conditions of a GET or HEAD, in the order of section 13.2.2.
 * @returns 412 or 304; undefined if the request is to be answered as if it had none
 */
export function evaluate(fields: Fields, validators: Validators): 412 | 304 | undefined {
  const { etag } = validators;
  const ifMatch = fields.get("if-match");
  if (ifMatch !== null) {
    if (!listHas(ifMatch, isStrongly(etag))) return 412;
  } else if (isUnchangedSince(fields.get("if-unmodified-since"), validators) === false) return 412;
  const ifNoneMatch = fields.get("if-none-match");
  if (ifNoneMatch !== null) return listHas(ifNoneMatch, isWeakly(etag)) ? 304 : undefined;
  return isUnchangedSince(fields.get("if-modified-since"), validators) ? 304 : undefined;
}

/**
 * Whether the field `If-Range` lets a range be sent (section 13.1.5). A date never does: two images can have commits
 * of one date, so the date is not a strong validator, and parts of two files must not be joined.
 */
export function allowsRange(fields: Fields, etag: string): boolean {
  const ifRange = fields.get("if-range");
  return ifRange === null || isStrongly(etag)(ifRange.trim());
}
