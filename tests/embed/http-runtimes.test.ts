/** `docteur/http` behind the servers of Deno, Bun and workerd: each answers as node:http does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { createHandler, toNodeListener } from "../../src/http/index.js";
import { open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import {
  BUN,
  bundleByWrangler,
  createProject,
  DENO,
  Programs,
  start,
  startWorkerd,
} from "../support/embedding.js";
import { exampleOf } from "../support/page-example.js";
import { startServer } from "../support/range-server.js";
import { noise } from "../support/rich-image.js";
import { listen, SITE_DATE, SITE_MODIFIED } from "../support/site.js";

const programs = new Programs("runtimes");
const skip = programs.lacking() ?? false;

const { image: IMAGE } = await makeImage(
  {
    "index.html": "<!doctype html><title>Home</title>",
    "docs/guide.txt": "0123456789".repeat(50),
    "data/large.bin": noise(3_000_000, 8),
    "data/zero.txt": "",
    "app.js": "plain",
    "app.js.br": "brotli",
  },
  { date: SITE_DATE },
);

type Fields = Record<string, string>;

const LARGE = "/data/large.bin";
const REQUESTS: [name: string, path: string, fields?: Fields, method?: string][] = [
  ["a file", "/docs/guide.txt"],
  ["an index", "/"],
  ["a large file", LARGE],
  ["an empty file", "/data/zero.txt"],
  ["a listing", "/docs/"],
  ["HEAD", LARGE, {}, "HEAD"],
  ["HEAD of a listing", "/docs/", {}, "HEAD"],
  ["a file that did not change", "/docs/guide.txt", { "if-modified-since": SITE_MODIFIED }],
  ["any file", "/docs/guide.txt", { "if-none-match": "*" }],
  ["a range", LARGE, { range: "bytes=1000000-1000009" }],
  ["a large range", LARGE, { range: "bytes=1-" }],
  ["a range of another file", LARGE, { range: "bytes=0-9", "if-range": '"other"' }],
  ["a range after the end", LARGE, { range: "bytes=3000000-" }],
  ["two ranges", LARGE, { range: "bytes=0-9,1000-1009" }],
  ["an encoded file", "/app.js", { "accept-encoding": "br" }],
  ["nothing", "/nope"],
  ["HEAD of nothing", "/nope", {}, "HEAD"],
  ["a directory without its slash", "/docs?q"],
  ["another method", "/", {}, "DELETE"],
  ["OPTIONS", "/", {}, "OPTIONS"],
  ["a path out of the image", "/..%2f..%2fetc/passwd"],
];

const COMPARED = [
  ...["accept-ranges", "allow", "cache-control", "content-encoding", "content-range", "content-type", "etag"],
  ...["last-modified", "location", "vary", "x-content-type-options"],
];

/** An answer as it comes over the connection. The boundary of several ranges is replaced by a word. */
async function ask(origin: string, path: string, headers: Fields = {}, method = "GET"): Promise<object> {
  const sent = request(origin + path, { method, headers: { "accept-encoding": "identity", ...headers } });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const fields = response.headers;
  const mark = /^multipart\/byteranges; boundary=(.*)$/.exec(fields["content-type"] ?? "")?.[1];
  const clean = (text: string): string => (mark === undefined ? text : text.replaceAll(mark, "MARK"));
  return {
    status: response.statusCode,
    body: clean(Buffer.concat(chunks).toString("latin1")),
    fields: COMPARED.map((name) => [name, clean(String(fields[name]))]),
  };
}

let expected: Map<string, object>;

async function answersOf(origin: string): Promise<Map<string, object>> {
  const found = new Map<string, object>();
  for (const [name, ...asked] of REQUESTS) found.set(name, await ask(origin, ...asked));
  return found;
}

/** Fails unless a server answers as node:http does, one request after another and several at once. */
async function assertServes(origin: string): Promise<void> {
  const found = await answersOf(origin);
  for (const [name] of REQUESTS) assert.deepEqual(found.get(name), expected.get(name), name);
  const once = REQUESTS.map(async ([name, ...asked]) => [name, await ask(origin, ...asked)] as const);
  for (const [name, answer] of await Promise.all(once)) assert.deepEqual(answer, expected.get(name), name);
}

before(async (t) => {
  const handler = createHandler(await open(IMAGE), { listing: true });
  expected = await answersOf(await listen(t as TestContext, toNodeListener(handler)));
  const statuses = [...expected.values()].map((answer) => (answer as { status: number }).status);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 204, 206, 301, 304, 400, 404, 405, 416]);
});

/** A project with the image in a file. */
function project(t: TestContext): string {
  const folder = createProject(t);
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": { "docteur": "*" } }');
  writeFileSync(join(folder, "site.img"), IMAGE);
  return folder;
}

/** Starts a program that prints its origin, until the test ends. */
async function startIn(t: TestContext, cwd: string, command: string, args: string[]): Promise<string> {
  const env = { ...process.env, DENO_DIR: join(cwd, ".deno"), DENO_NO_UPDATE_CHECK: "1" };
  const { child, printed } = start(command, args, { cwd, env });
  t.after(() => child.kill("SIGKILL"));
  return printed(/^(http:.*)$/m);
}

test("Deno.serve", { skip }, async (t) => {
  const allowed = ["--allow-read", "--allow-net=127.0.0.1", "--node-modules-dir=manual"];
  const args = ["run", "--quiet", "--no-prompt", ...allowed, "serve.js", "site.img"];
  await assertServes(await startIn(t, project(t), programs.path(DENO), args));
});

test("Bun.serve", { skip }, async (t) => {
  await assertServes(await startIn(t, project(t), programs.path(BUN), ["serve.js", "site.img"]));
});

test("workerd, with the example of docs/EMBEDDING.md", { skip }, async (t) => {
  const folder = project(t);
  const { url } = await startServer(t, IMAGE);
  const example = exampleOf("EMBEDDING.md", "Web servers", "export default");
  const main = "worker-example.js";
  writeFileSync(join(folder, main), example.replace("https://example.org/site.img", url));
  await bundleByWrangler(programs, folder, main);
  await assertServes(await startWorkerd(t, programs, { folder: join(folder, "out"), main }));
});
