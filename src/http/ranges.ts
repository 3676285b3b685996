/** Range requests (RFC 9110, section 14). */

/** Bytes of a representation: both ends are part of it. */
export interface ByteRange {
  first: number;
  last: number;
}

/**
 * Ranges of one request. A request with more is answered with the whole, as section 14.2 allows: each takes a seek.
 */
export const RANGES_MAX = 32;

/** Bytes between two ranges that cost less than another part. */
const GAP = 80;

const SPEC = /^(\d*)-(\d*)$/;

/** A range of the header field; `undefined` if it is invalid, `null` if it names no byte of the content. */
function rangeOf(spec: string, size: number): ByteRange | null | undefined {
  const [, first, last] = SPEC.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? null : { first: size - length, last: size - 1 };
  }
  if (last !== "" && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return null;
  return { first: Number(first), last: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Joins ranges that overlap or lie close to each other. Those that are left keep their order. */
function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges
    .map((range, index) => ({ ...range, index }))
    .sort((one, two) => one.first - two.first);
  const joined: typeof sorted = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1 + GAP) {
      joined.push(range);
      continue;
    }
    before.last = Math.max(before.last, range.last);
    before.index = Math.min(before.index, range.index);
  }
  return joined.sort((one, two) => one.index - two.index).map(({ first, last }) => ({ first, last }));
}

/**
 * Reads the field `Range`.
 * @param size bytes of the representation
 * @returns ranges that share no byte; 416 if none names a byte of it; undefined if the field is to be ignored: it
 *   is invalid, has another unit or too many ranges
 */
export function parseRanges(field: string, size: number): ByteRange[] | 416 | undefined {
  const equals = field.indexOf("=");
  if (field.slice(0, equals).trim().toLowerCase() !== "bytes") return undefined;
  const specs = field
    .slice(equals + 1)
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  if (specs.length === 0 || specs.length > RANGES_MAX) return undefined;
  const ranges = specs.map((spec) => rangeOf(spec, size));
  if (ranges.includes(undefined)) return undefined;
  const found = ranges.filter((range) => range !== null) as ByteRange[];
  if (found.length > 0) return coalesce(found);
  // Content-Range cannot name the last bytes of an empty file: the whole is sent.
  const isEmptySuffix = size === 0 && specs.some((spec) => /^-0*[1-9]/.test(spec));
  return isEmptySuffix ? undefined : 416;
}

/** A value of the field `Content-Range`. */
export function contentRange({ first, last }: ByteRange, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}
