/** The service worker of docs/EMBEDDING.md, in Chromium: an image as a web site, which stays when its server goes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { bundle, startBrowser, whyNoBrowser } from "../support/browser.js";
import { startServer } from "../support/range-server.js";
import { noise } from "../support/rich-image.js";

/** The page's example that holds a text. */
function example(text: string): string {
  const page = readFileSync(new URL("../../../docs/EMBEDDING.md", import.meta.url), "utf8");
  const found = [...page.matchAll(/^```js\n(.*?)^```/gms)].find(([, code]) => code!.includes(text));
  return found![1]!;
}

const FILES = {
  "index.html": '<!doctype html><title>Docs</title><link rel="stylesheet" href="style.css"><h1>Welcome</h1>',
  "style.css": "h1 { color: rgb(1, 2, 3) }",
  "guide/index.html": "<!doctype html><title>Guide</title><h1>The guide</h1>",
  "far.html": "<!doctype html><h1>Far away</h1>",
  // Between the pages of a site, so that not all of it comes at once.
  ...Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`noise/${at}`, noise(200_000, at)])),
};

test("a site of an image, with a server and without one", { skip: whyNoBrowser() ?? false }, async (t) => {
  const { image } = await makeImage(FILES);
  const server = await startServer(t, image);
  const { outputFiles } = await bundle(example('addEventListener("fetch"'));
  server.behaviour = (request, response) => {
    const files: Record<string, [type: string, content: string]> = {
      "/": ["text/html", "<!doctype html><title>Start</title>"],
      "/worker.js": ["text/javascript", outputFiles[0]!.text],
    };
    // The example's image is docs.img.
    if (request.url === "/docs.img") request.url = "/disk.img";
    const file = files[request.url!];
    if (file !== undefined) response.writeHead(200, { "content-type": file[0] }).end(file[1]);
    return file !== undefined;
  };
  const context = await startBrowser(t);
  const page = await context.newPage();
  await page.goto(`${server.origin}/`);
  await page.evaluate(async () => {
    const { serviceWorker } = navigator;
    const controlled = new Promise((done) => serviceWorker.addEventListener("controllerchange", done));
    await serviceWorker.register("worker.js");
    await controlled;
  });
  const heading = (): Promise<string> => page.locator("h1").innerText();
  const color = (): Promise<string> => page.locator("h1").evaluate((h1) => getComputedStyle(h1).color);
  await page.goto(`${server.origin}/docs/`);
  assert.equal(await heading(), "Welcome");
  assert.equal(await color(), "rgb(1, 2, 3)");
  await page.goto(`${server.origin}/docs/guide`);
  assert.equal(await heading(), "The guide");
  assert.equal(page.url(), `${server.origin}/docs/guide/`);
  // Of the image, the worker has fetched a part.
  assert.ok(server.sent < image.length, `${server.sent} of ${image.length}`);
  assert.equal(server.seen.filter(({ path }) => path.startsWith("/docs/")).length, 0);

  // The pages that were fetched are written to the cache in the background.
  await page.waitForFunction(async () => (await (await caches.open("docs-pages")).keys()).length >= 2);
  const origin = server.origin;
  server.stop();
  // Another life of the worker, which knows nothing of the first.
  const session = await context.newCDPSession(page);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await page.goto(`${origin}/docs/`);
  assert.equal(await heading(), "Welcome");
  assert.equal(await color(), "rgb(1, 2, 3)");
  await page.goto(`${origin}/docs/guide/`);
  assert.equal(await heading(), "The guide");
  const lost = await page.evaluate(async () => (await fetch("/docs/noise/5")).status);
  assert.equal(lost, 503);
});
