/** The field `Accept-Encoding` (RFC 9110, section 12.5.3), and the files that stand for encoded ones. */

/** Content codings by the endings of files that have them. Of equally welcome ones, the first is taken. */
export const CODINGS = [
  { coding: "br", ending: ".br" },
  { coding: "zstd", ending: ".zst" },
  { coding: "gzip", ending: ".gz" },
] as const;

/** A content coding that a file beside another may have. */
export type Coding = (typeof CODINGS)[number]["coding"];

const ELEMENT = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=([01](?:\.\d{0,3})?))?$/;

/** Weights by coding. Elements that are malformed do not count. */
function weights(field: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const element of field.toLowerCase().split(",")) {
    const [, coding, weight = "1"] = ELEMENT.exec(element.trim()) ?? [];
    if (coding !== undefined) found.set(coding === "x-gzip" ? "gzip" : coding, Math.min(1, Number(weight)));
  }
  return found;
}

/**
 * The codings that a client prefers to the content as it is, the best first.
 * @param field null if the request has none
 */
export function acceptedCodings(field: string | null): Coding[] {
  if (field === null) return [];
  const given = weights(field);
  const rest = given.get("*") ?? 0;
  // A client that says nothing of it takes the content as it is, but likes it least.
  const identity = given.get("identity") ?? 0;
  return CODINGS.map(({ coding }) => ({ coding, weight: given.get(coding) ?? rest }))
    .filter(({ weight }) => weight > 0 && weight >= identity)
    .sort((one, two) => two.weight - one.weight)
    .map(({ coding }) => coding);
}
