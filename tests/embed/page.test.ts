/** The page in Firefox, and what axe-core says of its accessibility. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { makeImage } from "../../src/make/index.js";
import { startBrowser, startFirefox, whyNoBrowser, whyNoFirefox } from "../support/browser.js";
import { pathFrom, whyNoPackages } from "../support/embedded.js";
import { Programs } from "../support/embedding.js";
import { servePage } from "../support/page-site.js";
import { noise } from "../support/rich-image.js";

const bundlers = new Programs("bundlers");
const FILES = {
  "README.md":
    "# The handbook\n\nStart with [the guide](docs/guide.md).\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n",
  "docs/guide.md": "# Getting started\n\n```js\nopen();\n```\n",
  "data/noise.bin": noise(5_000_000, 4),
  "src/main.ts": "export {};\n",
};
const { image: IMAGE, commit: COMMIT } = await makeImage(FILES, { message: "Handbook" });

const noFirefox = whyNoFirefox() ?? bundlers.lacking() ?? false;

test("Firefox: opens, searches, verifies, makes", { skip: noFirefox }, async (t) => {
  const server = await servePage(t, IMAGE);
  const { page, complaints } = await startFirefox(t, bundlers.require("puppeteer-core"));
  const shows = (selector: string, text: string): Promise<unknown> =>
    page.waitForFunction(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].some((e) => e.textContent.includes(${JSON.stringify(text)}))`,
    );
  const click = (selector: string): Promise<unknown> =>
    page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  await page.goto(`${server.origin}/#image=disk.img`);
  await shows("#status", "Opened disk.img");
  await shows("#view h1", "The handbook");
  await shows("#commit dd", COMMIT);

  await page.evaluate('query.value = "guide"; query.dispatchEvent(new Event("input"))');
  await shows("#count", "1 name found");
  await click("#results button");
  await shows("#view h1", "Getting started");
  await page.evaluate('query.value = ""; query.dispatchEvent(new Event("input"))');
  await shows("#tree [aria-selected=true] .name", "guide.md");

  await click("#verify");
  await shows("#status", "Sound, with its checksums");
  // It was copied into the browser's private file system, and is gone from there.
  const left = await page.evaluate(`(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const name of (await root.getDirectoryHandle("docteur-copies")).keys()) names.push(name);
    return names;
  })()`);
  assert.deepEqual(left, []);

  await page.evaluate(`{
    const dataTransfer = new DataTransfer();
    for (const name of ["one.md", "two.txt"]) dataTransfer.items.add(new File(["# Dropped"], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }`);
  await shows("#status", "Made an image of 2 files");
  await click("#made button:not(.primary)");
  await shows("#tree .name", "one.md");
  assert.deepEqual(complaints, []);
});

/** What axe-core finds on the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(pathFrom("libraries", "axe-core/axe.min.js"), "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
    };
    const found = await axe.run({ resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

const noAxe = whyNoBrowser() ?? whyNoPackages("libraries") ?? false;

test("axe-core finds nothing wrong", { skip: noAxe }, async (t: TestContext) => {
  const server = await servePage(t, IMAGE);
  const page = await (await startBrowser(t)).newPage();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("about:blank");
    await page.goto(server.origin);
    assert.deepEqual(await violations(page), [], `${colorScheme}: start`);
    await page.setInputFiles("#files", { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
    await page.getByRole("button", { name: "Download image" }).waitFor();
    assert.deepEqual(await violations(page), [], `${colorScheme}: made`);

    await page.goto("about:blank");
    await page.goto(`${server.origin}/#image=disk.img`);
    await page.getByText(/^Opened disk\.img/).waitFor();
    await page.getByRole("treeitem", { name: "docs" }).click();
    await page.getByRole("treeitem", { name: "guide.md" }).click();
    await page.getByRole("heading", { name: "Getting started" }).waitFor();
    assert.deepEqual(await violations(page), [], `${colorScheme}: a file`);
    await page.fill("#query", "main");
    await page.getByText("1 name found").waitFor();
    assert.deepEqual(await violations(page), [], `${colorScheme}: a search`);
    await page.fill("#url", "none.img");
    await page.keyboard.press("Enter");
    await page.locator("#status.error").waitFor();
    assert.deepEqual(await violations(page), [], `${colorScheme}: an error`);
  }
});

test("what a screen reader is told, and the order of Tab", { skip: whyNoBrowser() ?? false }, async (t) => {
  const server = await servePage(t, IMAGE);
  const page = await (await startBrowser(t)).newPage();
  await page.goto(`${server.origin}/#image=disk.img`);
  await page.getByText(/^Opened disk\.img/).waitFor();
  const tree = page.getByRole("tree", { name: "Files of the image" });
  assert.equal(await tree.getByRole("treeitem").count(), 4);
  assert.equal(await tree.getByRole("treeitem", { name: "README.md", selected: true }).count(), 0);
  await page.getByRole("treeitem", { name: "docs" }).click();
  await page.getByRole("treeitem", { name: "docs", expanded: true }).waitFor();
  const order: string[] = [];
  await page.locator("#url").focus();
  for (let count = 0; count < 12; count++) {
    await page.keyboard.press("Tab");
    order.push(
      await page.evaluate(() => {
        const element = document.activeElement!;
        return element.id || element.getAttribute("role") || element.textContent!.trim().slice(0, 30);
      }),
    );
  }
  t.diagnostic(order.join(" | "));
  for (const name of ["image", "query", "treeitem", "verify", "log"]) assert.ok(order.includes(name), name);
  const places = ["image", "query", "treeitem", "verify", "log"].map((name) => order.indexOf(name));
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
  assert.equal(order.filter((name) => name === "treeitem").length, 1);
});
