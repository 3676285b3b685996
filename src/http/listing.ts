/** The page that lists a directory. All of it that comes from the image is text, never markup. */
import type { Entry } from "../index.js";
import { printable } from "../text/printable.js";
import { begun, type Chunks, encodedText } from "./content.js";
import { isHidden, type ServedVolume } from "./locate.js";
import type { Settings } from "./options.js";
import { encodeName, type Names } from "./request-path.js";

/** The style of the page. `STYLE_HASH` is its SHA-256, in base64. */
export const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.25rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}
th{font-weight:600}
td:first-child{overflow-wrap:anywhere}
td:last-child,th:last-child{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
tr:hover td{background:color-mix(in srgb,currentColor 6%,transparent)}
a{text-decoration:none}a:hover,a:focus{text-decoration:underline}
footer{margin-top:1rem;font-size:.875rem;opacity:.75;overflow-wrap:anywhere}
`;
export const STYLE_HASH = "T2Xn+02EsfFNFD7YOdb7tgJjL+Fjn0L92cmbqjpEOHQ=";

/** The field `Content-Security-Policy` of the page: nothing but its own style. */
export const LISTING_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text of an image as HTML: characters that are not visible are escapes, `\x1b`. */
function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Words for kinds that differ from a file. */
const KIND_WORDS: Partial<Record<Entry["kind"], string>> = { symlink: "link", submodule: "submodule" };

function row({ kind, name, nameBytes, size }: Entry): string {
  const isFolder = kind === "directory";
  const text = escapeHtml(name) + (isFolder ? "/" : "");
  // A colon would end a scheme, if the name did not begin with "./".
  const href = `./${encodeName(nameBytes)}${isFolder ? "/" : ""}`;
  const cell = kind === "submodule" ? text : `<a href="${href}">${text}</a>`;
  const last = KIND_WORDS[kind] ?? (size === undefined ? "" : sizeText(size));
  return `<tr><td>${cell}</td><td>${last}</td></tr>\n`;
}

/** A directory that is listed. */
interface Shown {
  /** The names of the URL's path, and how many of them are above the image. */
  names: readonly string[];
  baseLength: number;
  commit: Pick<ServedVolume["commit"], "oid" | "date">;
}

const SLASH = "<wbr>/<wbr>";

/** The path, in which each directory above the last one is a link. Links are relative, as a proxy may have moved it. */
function pathLinks({ names, baseLength }: Shown): string {
  const up = (count: number): string => "../".repeat(count);
  const top = escapeHtml(`/${names.slice(0, baseLength).join("/")}`);
  const below = names.slice(baseLength).map(escapeHtml);
  if (below.length === 0) return top;
  const last = below.length - 1;
  const links = below.map((name, at) => (at === last ? name : `<a href="${up(last - at)}">${name}</a>`));
  return `<a href="${up(below.length)}">${top}</a>${top === "/" ? "" : SLASH}${links.join(SLASH)}`;
}

/** A time for people, in UTC. */
function timeText(date: Date | null): string {
  return date === null ? "" : `, ${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** The page, in pieces. */
async function* page(
  entries: AsyncIterable<Entry>,
  shown: Shown,
  settings: Settings,
): AsyncGenerator<string, void, undefined> {
  const { names, baseLength, commit } = shown;
  const isTop = names.length === baseLength;
  const title = `Index of ${escapeHtml(names.length === 0 ? "/" : `/${names.join("/")}/`)}`;
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Index of ${pathLinks(shown)}</h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Size</th></tr></thead>
<tbody>
${isTop ? "" : '<tr><td><a href="../">../</a></td><td>parent</td></tr>\n'}`;
  for await (const entry of entries) if (!isHidden(entry.nameBytes, settings)) yield row(entry);
  yield `</tbody>\n</table>\n</main>\n<footer>Commit ${commit.oid}${timeText(commit.date)}</footer>\n</body>\n</html>\n`;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The listing of a directory, entry by entry as the reader takes it.
 * @param names the path of the URL, with the base
 * @param path the directory's in the image
 */
export async function listingOf(
  volume: ServedVolume,
  names: Names,
  path: Uint8Array,
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<Chunks> {
  const sizes = settings.listing !== "names";
  const entries = volume.entries(path, { follow: true, sizes, oids: false, signal });
  const shown: Shown = {
    names: names.map((name) => decoder.decode(name)),
    baseLength: settings.base.length,
    commit: volume.commit,
  };
  return begun(encodedText(page(entries, shown, settings)));
}
