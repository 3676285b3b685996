/** Properties of files and directories (RFC 4918, section 15), as XML. */
import type { Entry } from "../index.js";
import { DAV, type PropertyName, type Query } from "./request-body.js";

/** The namespace of the property that davfs2 and Apache have for executables. */
const APACHE = "http://apache.org/dav/props/";

/** A file or directory of an answer. */
export interface Resource {
  entry: Entry;
  /** The path of its URL, percent-encoded; of a directory, with a slash at the end. */
  href: string;
  /** The name for people. */
  name: string;
}

/** What properties are made of, beside the resource. */
export interface Surroundings {
  /** The media type of a file. */
  typeOf: (path: string) => string;
  /** The time of everything: a field of HTTP, and RFC 3339. */
  modified: { field: string; time: string } | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Characters that no document may hold (XML 1.0, section 2.2), except lone surrogates, which no decoded text has. */
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** Text as XML. Characters that XML cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"]/g, (found) => ENTITIES[found]!);
}

/** The value of a property, as XML; undefined if the resource does not have it. */
type Value = (resource: Resource, surroundings: Surroundings) => string | undefined;

const isDirectory = ({ entry }: Resource): boolean => entry.kind === "directory";

const DAV_PROPERTIES: Readonly<Record<string, Value>> = {
  resourcetype: (resource) => (isDirectory(resource) ? "<D:collection/>" : ""),
  displayname: ({ name }) => escapeXml(name),
  getcontentlength: ({ entry }) => (entry.size === undefined ? undefined : String(entry.size)),
  getcontenttype: (resource, { typeOf }) =>
    isDirectory(resource) ? undefined : escapeXml(typeOf(resource.entry.path)),
  getetag: (resource) => (isDirectory(resource) ? undefined : `&quot;${resource.entry.oid}&quot;`),
  getlastmodified: (_, { modified }) => modified?.field,
  creationdate: (_, { modified }) => modified?.time,
  supportedlock: () => "",
};

const APACHE_PROPERTIES: Readonly<Record<string, Value>> = {
  executable: (resource) =>
    isDirectory(resource) ? undefined : resource.entry.kind === "executable" ? "T" : "F",
};

/** A property that resources can have. */
interface Known {
  start: string;
  end: string;
  empty: string;
  value: Value;
}

const known = (name: string, attribute: string, value: Value): Known => ({
  start: `<${name}${attribute}>`,
  end: `</${name}>`,
  empty: `<${name}${attribute}/>`,
  value,
});

const KNOWN = new Map<string, Known>([
  ...Object.entries(DAV_PROPERTIES).map(([local, value]): [string, Known] => [
    `${DAV} ${local}`,
    known(`D:${local}`, "", value),
  ]),
  ...Object.entries(APACHE_PROPERTIES).map(([local, value]): [string, Known] => [
    `${APACHE} ${local}`,
    known(`A:${local}`, ` xmlns:A="${APACHE}"`, value),
  ]),
]);

/** An element for a property that nobody knows. */
function unknownElement({ namespace, local }: PropertyName): string {
  return namespace === "" ? `<${local} xmlns=""/>` : `<x:${local} xmlns:x="${escapeXml(namespace)}"/>`;
}

const propstat = (content: string, status: string): string =>
  `<D:propstat><D:prop>${content}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;

/** A query, prepared for many resources. */
export class Answerer {
  readonly #isNames: boolean;
  readonly #wanted: readonly Known[];
  /** Elements of properties that no resource has. */
  readonly #unknown: string;
  readonly #isAll: boolean;
  readonly #surroundings: Surroundings;

  constructor(query: Query, surroundings: Surroundings) {
    const asked = query.kind === "propname" ? [] : query.names;
    const names = new Map(asked.map((name) => [`${name.namespace} ${name.local}`, name]));
    this.#isAll = query.kind !== "prop";
    this.#isNames = query.kind === "propname";
    this.#wanted = this.#isAll
      ? [...KNOWN.values()]
      : [...names.keys()].flatMap((name) => KNOWN.get(name) ?? []);
    this.#unknown = [...names]
      .filter(([name]) => !KNOWN.has(name))
      .map(([, name]) => unknownElement(name))
      .join("");
    this.#surroundings = surroundings;
  }

  /** The `response` element of a resource (section 14.24). */
  response(resource: Resource): string {
    let found = "";
    let missing = this.#unknown;
    for (const { start, end, empty, value } of this.#wanted) {
      const text = value(resource, this.#surroundings);
      if (text === undefined) missing += this.#isAll ? "" : empty;
      else if (this.#isNames || text === "") found += empty;
      else found += `${start}${text}${end}`;
    }
    // An element `response` has one `propstat` at least.
    const first = found === "" && missing !== "" ? "" : propstat(found, "200 OK");
    const second = missing === "" ? "" : propstat(missing, "404 Not Found");
    return `<D:response><D:href>${escapeXml(resource.href)}</D:href>${first}${second}</D:response>\n`;
  }
}
