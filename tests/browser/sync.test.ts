/** `docteur/sync` in a browser: a worker waits for bytes that its page reads; the page itself cannot wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle, type Served, serve, startBrowser, whyNoBrowser } from "../support/browser.js";
import { fixture } from "../support/fixtures.js";

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const PAGE = `
  import { openSync, share } from "docteur/sync";
  async function run() {
    const shared = await share(await (await fetch("/disk.img")).blob()).catch((error) => error);
    if (shared instanceof Error) return [shared.message, shared.hint];
    let refusal = "";
    try { openSync(shared.image); } catch ({ message }) { refusal = message; }
    const worker = new Worker("/worker.js", { type: "module" });
    const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
    worker.postMessage({ image: shared.image }, [shared.image.port]);
    const text = await answer;
    await shared.close();
    return [text, refusal];
  }
  globalThis.result = run();`;

const WORKER = `
  import { openSync } from "docteur/sync";
  self.onmessage = ({ data: { image } }) => {
    const volume = openSync(image);
    self.postMessage(volume.text("/a/sibling.txt") + volume.list("/").length);
    volume.close();
  };`;

async function script(source: string): Promise<Served> {
  const { outputFiles } = await bundle(source);
  return { type: "text/javascript", content: outputFiles[0]!.text };
}

for (const isIsolated of [true, false])
  test(isIsolated ? "a worker reads what its page shares" : "a page that shares no memory is told so", {
    skip: whyNoBrowser() ?? false,
  }, async (t) => {
    const served = new Map<string, Served>([
      ["/", { type: "text/html", content: '<!doctype html><script type="module" src="/page.js"></script>' }],
      ["/page.js", await script(PAGE)],
      ["/worker.js", await script(WORKER)],
      ["/disk.img", { type: "application/octet-stream", content: fixture("tiny.img") }],
    ]);
    const { url } = await serve(t, served, isIsolated ? ISOLATED : {});
    const page = await (await startBrowser(t)).newPage();
    await page.goto(url);
    const [first, second] = await page.evaluate(() => (globalThis as unknown as { result: string[] }).result);
    assert.match(first!, isIsolated ? /^sibling\n\d+$/ : /^threads share no memory here$/);
    assert.match(second!, isIsolated ? /^a page's main thread cannot wait/ : /cross-origin isolated/);
  });
