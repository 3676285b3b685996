/** The body of a PROPFIND (RFC 4918, section 14.20): the properties that a client asks for. */
import { SaxesParser, type SaxesTagNS } from "saxes";

/** The namespace of WebDAV's own elements. */
export const DAV = "DAV:";

/** Bytes of a body, at most. */
export const BODY_MAX = 64 << 10;
/** Properties of a request, at most: each is answered for every file of a directory. */
export const PROPERTIES_MAX = 100;
/** Elements in elements of a body, at most: the parser looks for a name's namespace in all elements around it. */
export const NESTING_MAX = 32;

/** The name of a property. */
export interface PropertyName {
  namespace: string;
  local: string;
}

/** What is asked for: all properties, their names, or some of them. */
export type Query =
  | { kind: "allprop"; names: readonly PropertyName[] }
  | { kind: "propname" }
  | { kind: "prop"; names: readonly PropertyName[] };

/** The body cannot be understood. */
export class BadBody extends Error {}

/** The text of a document; its encoding is UTF-8, or the one that its byte order mark says (RFC 7303, section 3.3). */
function decode(bytes: Uint8Array): string {
  const mark = bytes[0]! * 256 + bytes[1]!;
  const encoding = mark === 0xfeff ? "utf-16be" : mark === 0xfffe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new BadBody("the encoding is wrong");
  }
}

/** Collects what the elements of a document ask for. Elements that nobody knows are passed over, as section 17 says. */
class Collector {
  readonly #open: PropertyName[] = [];
  readonly #kinds = new Set<Query["kind"]>();
  readonly #names: PropertyName[] = [];

  begin({ uri, local }: SaxesTagNS): void {
    const depth = this.#open.length;
    const parent = this.#open.at(-1)?.local;
    if (depth === NESTING_MAX) throw new BadBody("elements are nested too deeply");
    if (depth === 0 && !(uri === DAV && local === "propfind")) throw new BadBody("not a propfind element");
    if (depth === 1 && uri === DAV && (local === "allprop" || local === "propname" || local === "prop"))
      this.#kinds.add(local);
    if (depth === 2 && this.#open[1]!.namespace === DAV && (parent === "prop" || parent === "include"))
      this.#names.push({ namespace: uri, local });
    if (this.#names.length > PROPERTIES_MAX) throw new BadBody("too many properties");
    this.#open.push({ namespace: uri, local });
  }

  end(): void {
    this.#open.pop();
  }

  query(): Query {
    const [kind, second] = this.#kinds;
    if (kind === undefined || second !== undefined)
      throw new BadBody("one of allprop, propname and prop is needed");
    return kind === "propname" ? { kind } : { kind, names: this.#names };
  }
}

/**
 * Reads a body. Document types are refused, and with them entities: none is ever expanded but XML's own five.
 * @param bytes at most `BODY_MAX`; none ask for all properties
 * @throws BadBody
 */
export function parseBody(bytes: Uint8Array): Query {
  if (bytes.length === 0) return { kind: "allprop", names: [] };
  const collector = new Collector();
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw new BadBody(error.message);
  });
  parser.on("doctype", () => {
    throw new BadBody("a document type");
  });
  parser.on("opentag", (tag) => collector.begin(tag));
  parser.on("closetag", () => collector.end());
  parser.write(decode(bytes)).close();
  return collector.query();
}
