/** Images that a browser makes, and reads: those of Node, byte for byte. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { bundle, type Served, serve, startBrowser, whyNoBrowser } from "../support/browser.js";
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

/** A page, its script (tests/browser/page.ts), and the package's Wasm where a script in `/app` looks for it. */
async function pages(): Promise<Map<string, Served>> {
  const { outputFiles } = await bundle('import "./dist/tests/browser/page.js";');
  const served = new Map<string, Served>([
    ["/", { type: "text/html", content: HTML }],
    ["/app/page.js", { type: "text/javascript", content: outputFiles[0]!.text }],
    ["/favicon.ico", { type: "image/x-icon", content: "" }],
  ]);
  for (const name of ["core.wasm", "core.simd.wasm", "packer.wasm", "packer.simd.wasm"]) {
    const content = readFileSync(new URL(`../../${name}`, import.meta.url));
    served.set(`/${name}`, { type: "application/wasm", content });
  }
  return served;
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
  const wasm = requests.filter((path) => path.endsWith(".wasm"));
  assert.deepEqual([...new Set(wasm)].sort(), ["/core.simd.wasm", "/packer.simd.wasm"]);
  const shown = await page.locator("#step").textContent();
  assert.match(shown!, new RegExp(`^9 files, ${image.length} bytes, `));
  assert.equal(await page.locator("li").count(), result.listing.length);
});

test("a page whose bundle left the Wasm behind is told so", { skip: whyNoBrowser() ?? false }, async (t) => {
  const served = await pages();
  const packer = served.get("/packer.wasm")!;
  served.delete("/packer.wasm");
  // Servers of applications have their page for all that they do not know.
  served.set("/packer.simd.wasm", served.get("/")!);
  served.set("/assets/packer.wasm", packer);
  const { outputFiles } = await bundle(`
    import { makeImage } from "docteur/make";
    globalThis.result = (async () => {
      const { code, message, hint } = await makeImage({ a: "1" }).catch((error) => error);
      const module = await WebAssembly.compileStreaming(fetch("/assets/packer.wasm"));
      const { commit } = await makeImage({ a: "1" }, { module });
      return { code, message, hint, commit };
    })();`);
  served.set("/app/page.js", { type: "text/javascript", content: outputFiles[0]!.text });
  const { url } = await serve(t, served);
  const page = await (await startBrowser(t)).newPage();
  await page.goto(url);
  const result = await page.evaluate(() => (globalThis as unknown as { result: object }).result);
  const { code, message, hint, commit } = result as Record<string, string>;
  assert.equal(code, "Io");
  assert.match(message!, /^cannot load http:.*\/packer\.simd\.wasm: /);
  assert.match(hint!, /serve the package's dist\/packer\.simd\.wasm there/);
  assert.equal(commit, (await makeImage({ a: "1" })).commit);
});
