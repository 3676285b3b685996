/** `docteur/http` beside static file servers of Node over the extracted files, in Express, and with curl. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type RequestListener, request } from "node:http";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createHandler, toNodeListener } from "../../src/http/index.js";
import { makeImage } from "../../src/make/index.js";
import { importFrom, whyNoPackages } from "../support/embedded.js";
import { exampleOf, runExample } from "../support/page-example.js";
import { type Random, seeded } from "../support/random.js";
import { noise } from "../support/rich-image.js";
import { whyNoPrograms } from "../support/servers.js";
import { listen, SITE_DATE, SITE_MODIFIED, volumeOf } from "../support/site.js";
import { temporaryFolder } from "../support/temporary.js";

const LARGE = noise(2_000_000, 11);
const FILES: Record<string, string | Buffer> = {
  "index.html": "<!doctype html><p>home",
  "about.html": "about",
  "docs/index.html": "docs",
  "docs/guide/a b.txt": "0123456789".repeat(50),
  "ümlaut.css": "a{}",
  "data/large.bin": LARGE,
  "data/zero.txt": "",
  "app.js": "plain",
  "app.js.br": "brotli",
  "app.js.gz": "gzip",
};

/** The files in a folder, of the commit's date. */
function extract(folder: string): void {
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, new Date(SITE_DATE), new Date(SITE_DATE));
  }
}

type Middleware = (request: never, response: never, next: (error?: { status: number }) => void) => void;

function lastly(middleware: Middleware): RequestListener {
  return (request, response) =>
    middleware(request as never, response as never, (error) => {
      response.writeHead(error?.status ?? 404).end();
    });
}

const skip = whyNoPackages("libraries") ?? false;

interface Asked {
  path: string;
  method: string;
  headers: Record<string, string>;
}

/**
 * Parts of an answer that the standard settles: neither tags nor types in the spelling of a server. The request holds
 * nothing that it is not given; `fetch` adds fields to conditional ones.
 */
async function outcome(origin: string, { path, method, headers }: Asked): Promise<{ status: number }> {
  const sent = request(origin + path, { method, headers });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const fields = response.headers;
  const status = response.statusCode!;
  if (status >= 300) return { status, range: fields["content-range"] } as { status: number };
  return {
    status,
    body: Buffer.concat(chunks).toString("latin1"),
    length: fields["content-length"],
    range: fields["content-range"],
    type: fields["content-type"]?.split(";")[0],
    modified: fields["last-modified"],
  } as { status: number };
}

const PATHS = [
  ...["/", "/index.html", "/about", "/about.html", "/docs/", "/docs/guide/a%20b.txt", "/%C3%BCmlaut.css"],
  ...["/data/large.bin", "/data/zero.txt", "/app.js", "/nope", "/docs/nope", "/data/large.bin/x", "/%00"],
];

/**
 * A random request. What serve-static answers otherwise than RFC 9110 is left out: ranges of HEAD, for which there are
 * none (section 14.2), and suffixes that are longer than the file, which is the whole file (section 14.1.2).
 */
function randomRequest(random: Random): Asked {
  const pick = <T>(values: readonly T[]): T => values[random(values.length)]!;
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  const method = pick(["GET", "GET", "GET", "HEAD"]);
  const path = pick(PATHS);
  const first = random(600);
  const ranges = [`${first}-${first + random(100)}`, `${first}-`, path.endsWith("zero.txt") ? "0-" : "-1"];
  if (method === "GET" && random(2) === 0) headers.range = `bytes=${pick([...ranges, "0-0", "9999999-"])}`;
  if (random(4) === 0) headers["if-none-match"] = pick(["*", '"other"']);
  if (random(4) === 0)
    headers["if-modified-since"] = pick([SITE_MODIFIED, "Fri, 07 Jun 2024 08:09:09 GMT", "soon"]);
  return { path, method, headers };
}

test("answers are those of serve-static over the extracted files", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  extract(folder);
  const { default: serveStatic } = await importFrom<{
    default: (folder: string, options: object) => Middleware;
  }>("libraries", "serve-static");
  const theirs = await listen(
    t,
    lastly(serveStatic(folder, { extensions: ["html"], redirect: false, fallthrough: false })),
  );
  const ours = await listen(t, toNodeListener(createHandler(await volumeOf(FILES))));
  const random = seeded(41);
  const statuses = new Set<number>();
  for (let count = 0; count < 400; count++) {
    const asked = randomRequest(random);
    const expected = await outcome(theirs, asked);
    assert.deepEqual(await outcome(ours, asked), expected, JSON.stringify(asked));
    statuses.add(expected.status);
  }
  assert.deepEqual([...statuses].sort(), [200, 206, 304, 400, 404, 416]);
});

test("encoded files are chosen as sirv chooses them", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  extract(folder);
  const { default: sirv } = await importFrom<{ default: (folder: string, options: object) => Middleware }>(
    "libraries",
    "sirv",
  );
  const theirs = await listen(t, lastly(sirv(folder, { brotli: true, gzip: true })));
  const ours = await listen(t, toNodeListener(createHandler(await volumeOf(FILES))));
  const curl = async (url: string, accept: string): Promise<string[]> => {
    const response = await fetch(url, { headers: { "accept-encoding": accept, range: "bytes=0-999" } });
    const { headers } = response;
    // No content of either is what its name says: nothing may decode it.
    await response.body?.cancel().catch(() => undefined);
    return [headers.get("content-encoding") ?? "", headers.get("content-type")!.split(";")[0]!];
  };
  for (const accept of ["gzip, deflate, br", "gzip", "br", "identity", "deflate"])
    assert.deepEqual(await curl(`${ours}/app.js`, accept), await curl(`${theirs}/app.js`, accept), accept);
});

test("middleware of Express: mounted, and before others", { skip }, async (t) => {
  type App = RequestListener & { use(...args: unknown[]): void };
  const { default: express } = await importFrom<{ default: () => App }>("libraries", "express");
  const app = express();
  const image = toNodeListener(createHandler(await volumeOf(FILES)));
  app.use("/site/v1", image);
  app.use((request: { method: string; url: string }, response: { end(text: string): void }) =>
    response.end(`next: ${request.method} ${request.url}`),
  );
  const origin = await listen(t, app);
  const get = async (path: string, method = "GET"): Promise<string> => {
    const response = await fetch(origin + path, { redirect: "manual", method });
    return response.headers.get("location") ?? (await response.text());
  };
  assert.equal(await get("/site/v1/"), FILES["index.html"]);
  assert.equal(await get("/site/v1/docs/"), "docs");
  assert.equal(await get("/site/v1/docs?q"), "./docs/?q");
  assert.equal(await get("/site/v1?q"), "./v1/?q");
  assert.equal(await get("/site/v1/nope"), "next: GET /site/v1/nope");
  assert.equal(await get("/site/v1/about", "POST"), "next: POST /site/v1/about");
  assert.equal(await get("/other"), "next: GET /other");
});

const execute = promisify(execFile);

test("curl downloads, resumes, asks again, and takes parts", {
  skip: whyNoPrograms("curl") ?? false,
}, async (t) => {
  const folder = temporaryFolder(t);
  const origin = await listen(t, toNodeListener(createHandler(await volumeOf(FILES))));
  const url = `${origin}/data/large.bin`;
  const file = join(folder, "large.bin");
  const curl = async (...args: string[]): Promise<string> =>
    (await execute("curl", ["-sS", "--path-as-is", ...args], { encoding: "latin1" })).stdout;
  const code = ["-o", "/dev/null", "-w", "%{http_code}"];

  await curl("-o", file, url);
  assert.ok(readFileSync(file).equals(LARGE));
  truncateSync(file, 700_001);
  assert.equal(await curl("-C", "-", "-o", file, "-w", "%{http_code} %{size_download}", url), "206 1299999");
  assert.ok(readFileSync(file).equals(LARGE));

  const etags = join(folder, "etag");
  assert.equal(await curl("--etag-save", etags, ...code, url), "200");
  assert.equal(await curl("--etag-compare", etags, ...code, url), "304");
  assert.equal(await curl("-z", SITE_MODIFIED, ...code, url), "304");
  assert.equal(await curl("-z", "-Fri, 07 Jun 2024 08:09:11 GMT", ...code, url), "200");
  assert.equal(await curl("-r", "9999999-", ...code, url), "416");

  const parts = await curl("-r", "0-9,1000-1009", `${origin}/data/large.bin`);
  assert.match(parts, /^--[0-9a-f]{36}\r\n.*Content-Range: bytes 1000-1009\/2000000\r\n/s);
  assert.match(await curl("-I", url), /^HTTP\/1\.1 200 OK\r\n.*content-length: 2000000\r\n/s);
  assert.equal(await curl("-L", `${origin}/docs`), "docs");
  for (const path of ["/../../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd"])
    assert.match(await curl(...code, origin + path), /^40[04]$/, path);
});

test("the example for Node runs as it stands in docs/EMBEDDING.md", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "site.img"), (await makeImage(FILES)).image);
  const example = exampleOf("EMBEDDING.md", "Web servers", "node:http");
  // The example takes a port of its own choice, which may be in use here, and serves on.
  const served = example.replace(
    "createServer(listener).listen(8080)",
    "const server = createServer(listener).listen(0)",
  );
  assert.notEqual(served, example);
  const asked = `
import { once } from "node:events";
await once(server, "listening");
const origin = "http://localhost:" + server.address().port;
for (const path of ["/about", "/data/"]) {
  const response = await fetch(origin + path);
  console.log(response.status, response.headers.get("content-type"), (await response.text()).length > 4);
}
server.close();
server.closeAllConnections();
`;
  const line = "200 text/html; charset=utf-8 true\n";
  assert.equal(await runExample(t, served + asked, folder), line + line);
});
