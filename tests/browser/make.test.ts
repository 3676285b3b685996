/** Images that a browser makes, and reads: those of Node, byte for byte. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { bundle, type Served, serve, startBrowser, whyNoBrowser } from "../support/browser.js";
import { fixture } from "../support/fixtures.js";
import { DATE, FILES } from "./files.js";
import type { PageResult } from "./page.js";

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An image made here</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; color: #222; }
  progress { width: 100%; }
  li, #commit { font-family: ui-monospace, monospace; font-size: 14px; overflow-wrap: anywhere; }
</style>
<h1>An image made here</h1>
<progress aria-label="Making the image"></progress>
<p id="step" role="status">Starting</p>
<p id="commit"></p>
<ul id="listing"></ul>
<script type="module" src="/app/page.js"></script>
</html>
`;

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** A page and its script (tests/browser/page.ts). */
async function pages(): Promise<Map<string, Served>> {
  const { outputFiles } = await bundle({ path: "dist/tests/browser/page.js" });
  return new Map<string, Served>([
    ["/", { type: "text/html", content: HTML }],
    ["/app/page.js", { type: "text/javascript", content: outputFiles[0]!.text }],
    ["/favicon.ico", { type: "image/x-icon", content: "" }],
  ]);
}

test("a page makes an image and reads it", { skip: whyNoBrowser() ?? false }, async (t) => {
  const { url, requests } = await serve(t, await pages());
  const browser = await startBrowser(t);
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(url);
  const result = await page.evaluate(() => (globalThis as unknown as { result: PageResult }).result);
  // For people.
  const picture = process.env.DOCTEUR_TEST_SCREENSHOT;
  if (picture !== undefined) await page.screenshot({ path: picture });

  const { image, commit } = await makeImage(FILES, { date: DATE });
  assert.equal(result.commit, commit);
  assert.equal(result.imageBytes, image.length);
  assert.equal(result.sha256, sha256(image));
  assert.equal(result.workerSha256, sha256(image));
  assert.deepEqual(result.phases, ["read", "compare", "pack"]);
  assert.deepEqual(result.listing, [
    "directory /bin",
    "directory /data",
    "directory /docs",
    "directory /empty",
    "file /index.html",
    "symlink /latest",
    "executable /bin/run",
    "file /data/noise.bin",
    "file /data/zeros.bin",
    "file /docs/version-1.md",
    "file /docs/version-2.md",
    "file /docs/version-3.md",
    "file /docs/日本語.md",
  ]);
  assert.equal(result.contents["/docs/version-2.md"], sha256(FILES["docs/version-2.md"] as string));
  assert.equal(result.contents["/data/noise.bin"], sha256(FILES["data/noise.bin"] as Uint8Array));
  assert.equal(result.contents["/data/zeros.bin"], sha256(new Uint8Array(3 << 20)));
  assert.equal(result.contents["/bin/run"], sha256("#!/bin/sh\nexec true\n"));
  assert.equal(result.contents["/latest"], sha256("docs/version-3.md"));
  assert.equal(result.fileErrorCode, "InvalidArgument");

  assert.deepEqual(complaints, []);
  assert.deepEqual(
    requests.filter((path) => path.endsWith(".wasm")),
    [],
  );
  const shown = await page.locator("#step").textContent();
  assert.match(shown!, new RegExp(`^9 files, ${image.length} bytes, `));
  assert.equal(await page.locator("li").count(), result.listing.length);
});

/** Runs a module in a page, under a policy for what it may do. @returns what it puts into `result` */
async function runInPage(
  t: TestContext,
  source: string,
  files: Record<string, Served> = {},
  headers: Record<string, string> = {},
): Promise<{ result: Record<string, string>; requests: string[] }> {
  const { outputFiles } = await bundle(source);
  const served = new Map<string, Served>([
    [
      "/",
      { type: "text/html", content: '<!doctype html><script type="module" src="/app/page.js"></script>' },
    ],
    ["/app/page.js", { type: "text/javascript", content: outputFiles[0]!.text }],
    ...Object.entries(files),
  ]);
  const { url, requests } = await serve(t, served, headers);
  const page = await (await startBrowser(t)).newPage();
  await page.goto(url);
  const result = await page.evaluate(() => (globalThis as unknown as { result: object }).result);
  return { result: result as Record<string, string>, requests };
}

const wasm = (name: string): Served => ({
  type: "application/wasm",
  content: readFileSync(new URL(`../../${name}`, import.meta.url)),
});

test("a page whose policy forbids Wasm is told so", { skip: whyNoBrowser() ?? false }, async (t) => {
  const source = `
    import { makeImage } from "docteur/make";
    globalThis.result = makeImage({ a: "1" }).catch(({ code, message, hint }) => ({ code, message, hint }));`;
  const strict = { "content-security-policy": "script-src 'self'" };
  const { result } = await runInPage(t, source, {}, strict);
  assert.equal(result.code, "Io");
  assert.match(result.message!, /^cannot compile packer\.simd\.wasm: .*Content Security Policy/s);
  assert.match(result.hint!, /the option "module"; a page needs 'wasm-unsafe-eval' in its Content-Security/);
  const lax = { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'" };
  const { result: made } = await runInPage(t, source, {}, lax);
  assert.equal(made.commit, (await makeImage({ a: "1" })).commit);
});

test("docteur/url loads the core from a file", { skip: whyNoBrowser() ?? false }, async (t) => {
  const source = `
    import { open } from "docteur/url";
    const bytes = fetch("/disk.img").then((response) => response.arrayBuffer());
    const openIt = async (options) => {
      try {
        return { text: await (await open(await bytes, options)).text("/a/sibling.txt") };
      } catch ({ code, message, hint }) {
        return { code, message, hint };
      }
    };
    globalThis.result = (async () => ({
      ...(await openIt()),
      given: (await openIt({ module: await WebAssembly.compileStreaming(fetch("/elsewhere.wasm")) })).text,
    }))();`;
  const image = { type: "application/octet-stream", content: fixture("tiny.img") };
  const files = { "/disk.img": image, "/elsewhere.wasm": wasm("core.wasm") };
  const there = { ...files, "/core.simd.wasm": wasm("core.simd.wasm") };
  const { result, requests } = await runInPage(t, source, there);
  assert.deepEqual(result, { text: "sibling\n", given: "sibling\n" });
  assert.equal(requests.filter((path) => path === "/core.simd.wasm").length, 1);

  // Servers of applications have their page for all that they do not know.
  const wrong = { ...files, "/core.simd.wasm": { type: "text/html", content: "<!doctype html>" } };
  const { result: refused } = await runInPage(t, source, wrong);
  assert.equal(refused.code, "Io");
  assert.match(refused.message!, /^cannot load http:.*\/core\.simd\.wasm: .*magic/);
  assert.match(refused.hint!, /^serve docteur\/core\.simd\.wasm there, or compile it/);
  assert.equal(refused.given, "sibling\n");
});
