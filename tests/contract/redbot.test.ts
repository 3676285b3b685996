/** REDbot, a checker of HTTP by others, finds nothing wrong with answers of `docteur/http` (https://redbot.org). */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createHandler, type HandlerOptions, toNodeListener } from "../../src/http/index.js";
import { distPath } from "../support/programs.js";
import { unlessRequired } from "../support/required.js";
import { listen, volumeOf } from "../support/site.js";

const REDBOT = distPath("venv/bin/redbot");
const missing = existsSync(distPath("hosts/redbot")) ? undefined : "redbot: .ci/hosts has not installed it";
const skip = unlessRequired("redbot", missing) ?? false;

const PAGE = `<!doctype html><title>Page</title>${"<p>A paragraph.</p>\n".repeat(400)}`;
const SCRIPT = "console.log(1);\n".repeat(400);
const FILES = {
  "index.html": PAGE,
  "404.html": "<!doctype html><title>Nothing</title>",
  "docs/guide.txt": "A line of the guide.\n".repeat(400),
  "app.js": SCRIPT,
  "app.js.gz": gzipSync(SCRIPT),
};

/** A warning that is no fault of the handler: node:http sends the field. */
const KEEP_ALIVE = "The Keep-Alive header is deprecated.";
/** No fault of a redirect, which has no content that a validator would save. */
const NO_VALIDATOR =
  "This response cannot be served from cache without validation, and doesn't have a validator.";

/** A resource: notes of REDbot that praise it, by their ids, and warnings besides that of `KEEP_ALIVE`. */
interface Resource {
  path: string;
  options?: HandlerOptions;
  praised: string[];
  warnings?: string[];
}

const FILE = ["CL_CORRECT", "DATE_CORRECT", "IMS_304", "INM_304", "RANGE_CORRECT"];
const RESOURCES: Record<string, Resource> = {
  "a file": { path: "/docs/guide.txt", praised: FILE },
  "an index": { path: "/", praised: FILE },
  "an encoded file": { path: "/app.js", praised: [...FILE, "CONNEG_GZIP_GOOD"] },
  "a listing": { path: "/docs/", praised: ["IMS_304", "INM_304"] },
  "a redirect": { path: "/docs", praised: ["CL_CORRECT"], warnings: [NO_VALIDATOR] },
  nothing: { path: "/nope", praised: ["CL_CORRECT"] },
  "a page for nothing": { path: "/nope", options: { notFound: "/404.html" }, praised: ["CL_CORRECT"] },
  "a file with a lifetime, for other origins": {
    path: "/docs/guide.txt",
    options: { cacheControl: "max-age=31536000, immutable", cors: ["https://other.example"] },
    praised: FILE,
  },
};

interface Note {
  note_id: string;
  level: "GOOD" | "INFO" | "WARN" | "BAD";
  summary: string;
  subnotes?: Note[];
}

/** The notes of REDbot on an address. It sends further requests: conditional ones, and for a range. */
async function check(url: string): Promise<Note[]> {
  const { stdout } = await promisify(execFile)(REDBOT, ["-o", "har", url], { maxBuffer: 1 << 24 });
  const { log } = JSON.parse(stdout) as { log: { entries: { _red_messages: Note[] }[] } };
  assert.equal(log.entries.length, 1, stdout);
  const all = (notes: Note[]): Note[] => notes.flatMap((note) => [note, ...all(note.subnotes ?? [])]);
  return all(log.entries[0]!._red_messages);
}

for (const [name, { path, options, praised, warnings = [] }] of Object.entries(RESOURCES))
  test(`REDbot: ${name}`, { skip }, async (t: TestContext) => {
    const handler = createHandler(await volumeOf(FILES), { listing: true, ...options });
    const notes = await check((await listen(t, toNodeListener(handler))) + path);
    const bad = notes.filter(({ level }) => level === "WARN" || level === "BAD");
    assert.deepEqual(bad.map(({ summary }) => summary).sort(), [KEEP_ALIVE, ...warnings].sort());
    const good = new Set(notes.filter(({ level }) => level === "GOOD").map(({ note_id }) => note_id));
    for (const id of praised) assert.ok(good.has(id), `${id} is not among ${[...good].join(", ")}`);
  });
