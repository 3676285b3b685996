/** The documentation's site: built, packed into an image, served from it, and every link of it followed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBrowser, whyNoBrowser } from "../support/browser.js";
import { startServing } from "../support/serving.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const MAIN = "dist/tools/docs/main.js";
const built = spawnSync(process.execPath, [MAIN, "--build"], { cwd: ROOT, encoding: "utf8" });

/** A page's anchors, and the addresses that it leads to or loads. */
interface Crawled {
  ids: Set<string>;
  links: string[];
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function values(html: string, attribute: string): string[] {
  const pattern = new RegExp(`<[^>]*?\\s${attribute}="([^"]*)"`, "g");
  return [...html.matchAll(pattern)].map(([, value]) => unescapeHtml(value!));
}

test("the site is built and packed, with no warning of typedoc's", () => {
  assert.equal(built.status, 0, built.stderr);
  assert.doesNotMatch(built.stderr, /warning/i);
});

test("every page of the image is found, and every link and anchor leads somewhere", async (t) => {
  const { address } = await startServing(t, ["--no-page", `${ROOT}dist/docs.img`]);
  const crawled = new Map<string, Crawled>();
  const anchors: { from: string; to: URL }[] = [];
  const waiting = [address];
  const seen = new Set(waiting);
  for (let page = waiting.pop(); page !== undefined; page = waiting.pop()) {
    const response = await fetch(page);
    assert.equal(response.status, 200, page);
    const isHtml = response.headers.get("content-type")!.startsWith("text/html");
    const html = isHtml ? await response.text() : "";
    if (!isHtml) await response.body?.cancel();
    // What a page loads comes from the site itself.
    for (const [tag] of html.matchAll(/<(?:script|link|img|iframe)\b[^>]*>/g))
      assert.doesNotMatch(tag, /(?:src|href)="(?:[a-z]+:)?\/\//, page);
    const links = [...values(html, "href"), ...values(html, "src")];
    crawled.set(page, { ids: new Set(values(html, "id")), links });
    for (const link of links) {
      const to = new URL(link, page);
      if (to.origin !== new URL(address).origin) continue;
      anchors.push({ from: page, to });
      const target = to.origin + to.pathname;
      if (seen.has(target)) continue;
      seen.add(target);
      waiting.push(target);
    }
  }
  for (const { from, to } of anchors) {
    if (to.hash === "") continue;
    const ids = crawled.get(to.origin + to.pathname)!.ids;
    const id = decodeURIComponent(to.hash.slice(1));
    assert.ok(ids.has(id) || /\.svg$/.test(to.pathname), `${from}: ${to.pathname}${to.hash}`);
  }
  assert.ok(crawled.size > 150, String(crawled.size));
  for (const name of ["Commands", "Library", "License"])
    assert.ok(crawled.has(`${address}documents/${name}.html`), name);
});

test("Chromium shows the start page, the reference and the search", { skip: whyNoBrowser() }, async (t) => {
  const { address } = await startServing(t, ["--no-page", `${ROOT}dist/docs.img`]);
  const page = await (await startBrowser(t)).newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("request", (request) => {
    if (!/^(?:http:\/\/127\.0\.0\.1:|data:)/.test(request.url())) complaints.push(request.url());
  });
  await page.goto(address);
  // The navigation is made by a script.
  await page.waitForFunction("document.querySelectorAll('#tsd-nav-container a').length > 20");
  const sections = await page.locator("#tsd-nav-container > li > details > summary").allInnerTexts();
  assert.equal(sections[0]!.trim(), "Make, check and serve images");
  const links = await page
    .locator("#tsd-nav-container a")
    .evaluateAll((nodes) => nodes.map((node) => (node as unknown as { href: string }).href));
  for (const link of links) assert.equal((await fetch(link, { method: "HEAD" })).status, 200, link);
  await page.goto(`${address}classes/docteur.Volume.html`);
  assert.match(await page.locator("h1").innerText(), /Volume/);
  await page.keyboard.press("/");
  await page.locator("#tsd-search-input").fill("getPartial");
  const found = page.locator("#tsd-search-results a").first();
  await found.waitFor();
  assert.match(await found.innerText(), /getPartial/);
  // A phone scrolls pages up and down only.
  await page.setViewportSize({ width: 390, height: 800 });
  const paths = ["", "classes/docteur.Volume.html", "documents/Commands.html", "documents/Architecture.html"];
  for (const path of paths) {
    await page.goto(address + path);
    const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert.ok((beyond as number) <= 0, path);
  }
  assert.deepEqual(complaints, []);
});

/** Runs in the page: whether two of a drawing's boxes overlap, and which labels are wider than their boxes. */
const FAULTS = `[...document.querySelectorAll(".drawing svg")].flatMap((svg) => {
  const boxes = [...svg.querySelectorAll(".node")].map((node) => ({
    name: node.textContent.trim(),
    box: node.querySelector("polygon").getBoundingClientRect(),
    texts: [...node.querySelectorAll("text")].map((text) => text.getBoundingClientRect()),
  }));
  const overlap = ({ box: a }, { box: b }) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const hidden = boxes.filter((one) => boxes.some((other) => other !== one && overlap(one, other)));
  const wide = boxes.filter(({ box, texts }) => texts.some(({ left, right }) => left < box.left || right > box.right));
  return [...hidden, ...wide].map(({ name }) => name);
})`;

/** Runs in the page: the colours of the page, of a box and of its label. */
const COLOURS = `[
  getComputedStyle(document.body).backgroundColor,
  getComputedStyle(document.querySelector(".drawing .node polygon")).fill,
  getComputedStyle(document.querySelector(".drawing .node text")).fill,
  getComputedStyle(document.querySelector(".drawing .edge path")).stroke,
].map((text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3)`;

test("flowcharts are drawn, in the theme's colours", { skip: whyNoBrowser() }, async (t) => {
  const { address } = await startServing(t, ["--no-page", `${ROOT}dist/docs.img`]);
  const browser = await startBrowser(t);
  const blocks = [
    ...readFileSync(`${ROOT}docs/ARCHITECTURE.md`, "utf8").matchAll(/^```mermaid\n(.*?)^```/gms),
  ].map(([, text]) => text!);
  assert.ok(blocks.length > 0);
  const shades: number[][] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage();
    await page.emulateMedia({ colorScheme });
    await page.goto(`${address}documents/Architecture.html`);
    const drawings = await page.locator(".drawing").all();
    assert.equal(drawings.length, blocks.length);
    for (const [index, block] of blocks.entries()) {
      const texts = await drawings[index]!.locator(".node text").allTextContents();
      const labels = [...block.matchAll(/\["(.*?)"\]/g)].flatMap(([, label]) => label!.split("<br>"));
      assert.deepEqual(texts.sort(), labels.sort());
      const arrows = [...block.matchAll(/--> (.*)/g)].flatMap(([, to]) => to!.split("&")).length;
      assert.equal(await drawings[index]!.locator(".edge").count(), arrows);
    }
    assert.deepEqual(await page.evaluate(FAULTS), []);
    shades.push((await page.evaluate(COLOURS)) as number[]);
  }
  const [[light, lightBox, lightText, lightLine], [dark, darkBox, darkText, darkLine]] = shades as [
    [number, number, number, number],
    [number, number, number, number],
  ];
  assert.ok(light > 200 && lightBox > 200 && lightText < 80 && lightLine < 130, String(shades[0]));
  assert.ok(dark < 80 && darkBox < 80 && darkText > 200 && darkLine > 150, String(shades[1]));
});
