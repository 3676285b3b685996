/** `docteur/worker` in Chromium: workers make and verify, a page goes on meanwhile, and large images are copied to disk. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { makeImage } from "../../src/make/browser.js";
import { verify } from "../../src/verify/index.js";
import { bundle, openPage, whyNoBrowser } from "../support/browser.js";
import { startServer } from "../support/range-server.js";
import { noise } from "../support/rich-image.js";
import { WORK } from "./files.js";
import type { WorkerPageResult } from "./worker-page.js";

const skip = whyNoBrowser() ?? false;
/** Larger than what is copied into memory. */
const LARGE = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`${at}.bin`, noise(1_000_000, at)]));

/** What the page tells, with a policy. */
async function resultWith(t: TestContext, image: Uint8Array, policy: string) {
  const { outputFiles } = await bundle({ path: "dist/tests/browser/worker-page.js" });
  const server = await startServer(t, image);
  server.behaviour = (request, response) => {
    const [type, content] =
      request.url === "/"
        ? ["text/html", "<!doctype html><title>Workers</title><script type=module src=page.js></script>"]
        : request.url === "/page.js"
          ? ["text/javascript", outputFiles[0]!.text]
          : request.url === "/favicon.ico"
            ? ["image/x-icon", ""]
            : [];
    if (type === undefined) return false;
    response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(content);
    return true;
  };
  const { result, complaints } = await openPage<WorkerPageResult>(t, `${server.origin}/`);
  return { result, complaints };
}

const SELF = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

test("workers make and verify, and the page is free meanwhile", { skip }, async (t) => {
  const { image } = await makeImage(LARGE);
  const { result, complaints } = await resultWith(t, image, SELF);
  assert.deepEqual(complaints, []);
  const made = await makeImage(WORK);
  assert.equal(result.sha256, createHash("sha256").update(made.image).digest("hex"));
  const { image: url, ...report } = result.report;
  assert.match(String(url), /\/disk\.img$/);
  assert.deepEqual(report, await verify(image));
  assert.equal(result.hasCompiled, false);
  assert.equal(result.fallbacks, 0);
  // A page that does the work itself has some hundred turns; one that waits has thousands.
  assert.ok(result.turns.make > 1000 && result.turns.verify > 1000, JSON.stringify(result.turns));
  // The image lies in the browser's storage while it is examined, and never stays there.
  assert.deepEqual(result.copies, { fetch: 1, read: 1, resolve: 1 });
  assert.deepEqual(result.left, { ended: 1, after: 0 });
});

test("a page whose policy forbids workers does the work itself", { skip }, async (t) => {
  const { image } = await makeImage({ "a.txt": "one" });
  const { result } = await resultWith(t, image, `${SELF}; worker-src 'none'`);
  assert.equal(result.report.status, "sound");
  assert.equal(result.hasCompiled, true);
  assert.ok(result.fallbacks > 0);
});
