/** Images from servers and from what browsers have, in a page and in a worker of Chromium. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { bundle, startBrowser, whyNoBrowser } from "../support/browser.js";
import { type RangeServer, startServer } from "../support/range-server.js";
import { richImage } from "../support/rich-image.js";
import type { ReadResult, RemotePageResult } from "./remote-page.js";

const RICH = richImage(300_000);
const HTML = '<!doctype html><title>Images</title><script type="module" src="/app/page.js"></script>';

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const CONTENTS = Object.fromEntries([...RICH.files].map(([path, content]) => [path, sha256(content)]));

/** Has a server serve the page, too. */
async function servePage(server: RangeServer): Promise<void> {
  const { outputFiles } = await bundle({ path: "dist/tests/browser/remote-page.js" });
  const files = new Map<string, [type: string, content: string | Uint8Array]>([
    ["/", ["text/html", HTML]],
    ["/app/page.js", ["text/javascript", outputFiles[0]!.text]],
    ["/favicon.ico", ["image/x-icon", ""]],
  ]);
  server.behaviour = (request, response) => {
    const path = new URL(request.url!, server.origin).pathname;
    if (path === "/redirect") response.writeHead(307, { location: "/disk.img?there" }).end();
    const file = files.get(path);
    if (file !== undefined) response.writeHead(200, { "content-type": file[0] }).end(file[1]);
    return path === "/redirect" || file !== undefined;
  };
}

function assertRead(result: ReadResult | undefined, what: string): void {
  assert.equal(result?.error, undefined, `${what}: ${JSON.stringify(result?.error)}`);
  assert.equal(result?.commit, RICH.commit, what);
  assert.deepEqual(result?.contents, CONTENTS, what);
}

test("images are read from servers, Blobs and files, in a page and in a worker", {
  skip: whyNoBrowser() ?? false,
}, async (t) => {
  const server = await startServer(t, RICH.image);
  await servePage(server);
  const other = await startServer(t, RICH.image);
  other.extra = {
    "access-control-allow-origin": server.origin,
    "access-control-expose-headers": "Content-Range, ETag",
  };
  const hidden = await startServer(t, RICH.image);
  hidden.extra = { "access-control-allow-origin": "*" };
  const page = await (await startBrowser(t)).newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(
    `${server.origin}/?at=${encodeURIComponent(other.url)}&at=${encodeURIComponent(hidden.url)}`,
  );
  const result = await page.evaluate(() => (globalThis as unknown as { result: RemotePageResult }).result);

  for (const [place, found] of Object.entries(result)) {
    for (const name of ["url", "otherOrigin", "redirect", "response", "blob", "fileHandle"])
      assertRead(found[name], `${place}: ${name}`);
    assert.equal(found.hiddenHeaders!.error!.code, "Io");
    assert.match(found.hiddenHeaders!.error!.message, /a range without Content-Range$/);
    assert.match(found.hiddenHeaders!.error!.hint!, /Access-Control-Expose-Headers: Content-Range, ETag/);
    assert.match(found.redirectWithHeaders!.error!.message, /the headers might get to another origin$/);
    assert.equal(found.response!.remote, undefined);
    assert.ok(found.url!.remote!.requests < 12);
  }
  assertRead(result.worker.syncHandle, "an access handle");
  assertRead(result.worker.syncHandleAgain, "an access handle, again");

  // Another origin was never asked for its leave: its ranges count from the start, and nothing else is sent.
  assert.ok(other.seen.length > 2);
  assert.ok(
    other.seen.every(({ range, headers }) => /^bytes=[0-9]+-[0-9]+$/.test(range!) && !headers["if-match"]),
  );

  const { cold, warm, smallCold, smallWarm } = result.page;
  for (const [name, found] of Object.entries({
    cold,
    warm,
    smallCold,
    smallWarm,
    worker: result.worker.warm,
  }))
    assertRead(found, name);
  assert.equal(cold!.remote!.storeHits, 0);
  for (const found of [warm, result.worker.warm]) {
    assert.equal(found!.remote!.requests, 2);
    assert.ok(found!.remote!.storeHits > 20);
  }
  assert.ok(smallWarm!.remote!.storeHits > 5);
  assert.ok(smallWarm!.remote!.requests > 2);
  for (const found of [cold, warm, smallCold, smallWarm]) assert.equal(found!.remote!.storeFailures, 0);

  assert.deepEqual(complaints, []);
});
