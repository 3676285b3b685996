/** A WASI program in a browser's worker: it finds an image, which its page shares, as its directory. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { bundle, type Served, serve, startBrowser, whyNoBrowser } from "../support/browser.js";
import { fixture } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const PAGE = `
  import { share } from "docteur/sync";
  async function run() {
    const { image, close } = await share(await (await fetch("/outer.img")).blob());
    const worker = new Worker("/worker.js", { type: "module" });
    const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
    worker.postMessage(image, [image.port]);
    const output = await answer;
    await close();
    return output;
  }
  globalThis.result = run();`;

const WORKER = `
  import { ConsoleStdout, File, OpenFile, WASI } from "@bjorn3/browser_wasi_shim";
  import { openSync } from "docteur/sync";
  import { preopen } from "docteur/wasi";
  self.onmessage = async ({ data }) => {
    const volume = openSync(data);
    let output = "";
    const print = new ConsoleStdout((bytes) => (output += new TextDecoder().decode(bytes)));
    const args = ["simple", "--block:docteur=/images/inner.img", "--filename", "/a/sibling.txt"];
    const streams = [new OpenFile(new File([])), print, print];
    const wasi = new WASI(args, [], [...streams, preopen(volume)], { debug: false });
    const imports = { wasi_snapshot_preview1: wasi.wasiImport };
    const { instance } = await WebAssembly.instantiateStreaming(fetch("/simple.wasi.wasm"), imports);
    self.postMessage([wasi.start(instance), output]);
    volume.close();
  };`;

async function script(source: string): Promise<Served> {
  const { outputFiles } = await bundle(source);
  return { type: "text/javascript", content: outputFiles[0]!.text };
}

test("a program reads an image", { skip: whyNoBrowser() ?? false }, async (t) => {
  const inner = fixture("tiny.img");
  const { image } = await makeImage({ "images/inner.img": inner });
  const program = readFileSync(distPath("guest/simple.wasi.wasm"));
  const { url } = await serve(
    t,
    new Map<string, Served>([
      ["/", { type: "text/html", content: '<!doctype html><script type="module" src="/page.js"></script>' }],
      ["/page.js", await script(PAGE)],
      ["/worker.js", await script(WORKER)],
      ["/simple.wasi.wasm", { type: "application/wasm", content: program }],
      ["/outer.img", { type: "application/octet-stream", content: Buffer.from(image) }],
    ]),
    ISOLATED,
  );
  const page = await (await startBrowser(t)).newPage();
  await page.goto(url);
  const result = await page.evaluate(() => (globalThis as unknown as { result: unknown }).result);
  assert.deepEqual(result, [0, "sibling\n"]);
});
