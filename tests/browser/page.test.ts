/** The page that is built to dist/page, in Chromium: images from servers and files, hostile content, the keyboard. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { open } from "../../src/index.js";
import { type MemoryFiles, makeImage } from "../../src/make/index.js";
import { startBrowser, whyNoBrowser } from "../support/browser.js";
import { servePage } from "../support/page-site.js";
import { noise } from "../support/rich-image.js";
import { temporaryFolder } from "../support/temporary.js";

/** A PNG of one colour, 64 pixels a side. */
function png(): Buffer {
  const crcTable = Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc >>> 0;
  });
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    let crc = 0xffffffff;
    for (const byte of body) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 255]!;
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(192, 0x8a)]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 64 }, () => row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const GUIDE = `# Getting started

Read a page of the guide, or look at [the reference](reference/api.md) and ![a picture](../img/logo.png).

| command | purpose |
| --- | --- |
| \`make\` | makes an image |
| \`verify\` | checks it |

\`\`\`js
const volume = await open("docs.img");
console.log(await volume.text("/README.md"));
\`\`\`

> Only the parts that you read are fetched.
`;

const HOSTILE = `# Hostile

<script>document.title = "owned"</script>
<img src=x onerror="document.title = 'owned'">
<iframe srcdoc="<script>parent.document.title='owned'</script>"></iframe>
<svg><script>document.title = "owned"</script></svg>
<form action="https://evil.example"><input name="id"><button>Go</button></form>
<a href="javascript:document.title='owned'">click</a> <b id="status" style="position:fixed">bold</b>
<style>body { display: none }</style>

![tracker](https://evil.example/pixel.png)
`;

const FILES: MemoryFiles = {
  "README.md": "# The handbook\n\nStart with [the guide](docs/guide.md).\n\n- small\n- proven\n- offline\n",
  "docs/guide.md": GUIDE,
  "docs/reference/api.md": "# API\n\nAll of it.\n",
  "docs/hostile.md": HOSTILE,
  "docs/page.html": "<!doctype html><script>document.title = 'owned'</script>",
  "img/logo.png": png(),
  "img/hostile.svg":
    '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "owned"</script></svg>',
  "src/main.ts": 'export function main(): void {\n  console.info("hello");\n}\n',
  "src/<img src=x onerror=alert(1)>.txt": "odd name",
  "data/noise.bin": noise(2_000_000, 4),
  ...Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`many/file-${1000 + at}.txt`, `${at}\n`])),
  latest: { link: "docs/guide.md" },
};

const skip = whyNoBrowser() ?? false;

/** A server of the page and an image, a browser at the page, and the complaints of the latter. */
async function start(t: TestContext, image: Uint8Array, size = { width: 1280, height: 800 }) {
  const server = await servePage(t, image);
  const page = await (await startBrowser(t)).newPage();
  await page.setViewportSize(size);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  return { server, page, complaints };
}

/** For people: set `DOCTEUR_TEST_SCREENSHOT` to a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.DOCTEUR_TEST_SCREENSHOT;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

const { image: IMAGE, commit: COMMIT } = await makeImage(FILES, {
  date: "2024-06-07T08:09:10Z",
  message: "Handbook",
});
const status = (page: Page) => page.locator("#status");

test("an image from a server: tree, files, search, and how little is fetched", { skip }, async (t) => {
  const { server, page, complaints } = await start(t, IMAGE);
  await page.goto(server.origin);
  await picture(page, "start");
  await page.fill("#url", "disk.img");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("heading", { name: "The handbook" }).waitFor();
  assert.match((await status(page).textContent())!, /^Opened disk\.img, 2\.\d MB$/);
  assert.equal(await page.locator("#commit dd").first().textContent(), COMMIT);
  assert.equal(await page.locator("#state").textContent(), "Checked");
  const top = await page.locator("#tree > [role=treeitem] > .row").allTextContents();
  assert.deepEqual(top, ["▸data", "▸docs", "▸img", "▸many", "▸src", "README.md", "↪latest"]);

  await page.getByRole("link", { name: "the guide" }).click();
  await page.getByRole("heading", { name: "Getting started" }).waitFor();
  assert.equal(await page.locator("#tree [aria-selected=true] .name").textContent(), "guide.md");
  await page.waitForFunction(
    () => document.querySelector<HTMLImageElement>("#view img")!.naturalWidth === 64,
  );
  await picture(page, "file");
  await page.getByRole("button", { name: "Source" }).click();
  assert.equal(await page.locator("#view pre.source").textContent(), GUIDE);
  await page.getByRole("link", { name: "the reference" }).waitFor({ state: "hidden" });

  await page.fill("#query", "FILE-16");
  await page.getByText("100 names found").waitFor();
  await page.getByRole("button", { name: "file-1650.txt" }).click();
  await page.getByText("650", { exact: true }).waitFor();
  assert.equal(await page.locator("#results [aria-current=true] .name").textContent(), "file-1650.txt");
  await page.fill("#query", "");
  // It is of a part of the directory that the tree had not loaded.
  const selected = page.locator("#tree [aria-selected=true] > .row");
  assert.equal(await selected.locator(".name").textContent(), "file-1650.txt");
  assert.equal(await page.locator("#tree [role=group] .name").getByText("file-1649.txt").count(), 0);
  await page.waitForFunction(() => {
    const [row, tree] = ["#tree [aria-selected=true] > .row", "#tree"].map((selector) =>
      document.querySelector(selector)!.getBoundingClientRect(),
    );
    return row!.top >= tree!.top && row!.bottom <= tree!.bottom && row!.bottom <= innerHeight;
  });
  await page.locator("#tree .more").click();
  await page.locator("#tree .name").getByText("file-1649.txt").waitFor();
  assert.equal(await page.locator("#tree .name").getByText("file-1650.txt").count(), 1);
  assert.equal(await selected.locator(".name").textContent(), "file-1650.txt");

  // Requests are told as the device counts them; the noise was never fetched.
  await page.waitForFunction(() => Number(document.getElementById("requests")!.textContent) > 1);
  const shown = Number(await page.locator("#requests").textContent());
  assert.equal(shown, server.seen.filter(({ path }) => path === "/disk.img").length);
  assert.ok((await page.locator("#map i.on").count()) < 128 / 3);
  assert.match((await page.locator("#of").textContent())!, /^\d+(?:\.\d)? % of 2\.\d MB$/);

  await page.getByRole("button", { name: "Verify" }).click();
  await page
    .getByText(/^Sound, with its checksums, its index and every object \(7\d\d objects, 2\.\d MB\)$/)
    .waitFor();
  assert.equal(await page.locator("#state").textContent(), "Checked, sound");
  await picture(page, "verified");
  // All of the image was fetched, and the map shows it.
  await page.waitForFunction(() => document.querySelectorAll("#map i:not(.on)").length === 0);
  const all = Number(await page.locator("#requests").textContent());
  assert.equal(all, server.seen.filter(({ path }) => path === "/disk.img").length);

  // The address leads back to the file.
  await page.goto("about:blank");
  await page.goto(`${server.origin}/#image=disk.img&path=/docs/reference/api.md`);
  await page.getByRole("heading", { name: "API" }).waitFor();
  assert.deepEqual(complaints, []);
});

test("a damaged image is opened, and the verdict tells the damage", { skip }, async (t) => {
  const damaged = IMAGE.slice();
  // In the content of the noise, which nothing on the way to the README holds.
  damaged[damaged.length >> 1]! ^= 1;
  const { server, page } = await start(t, damaged);
  const file = join(temporaryFolder(t), "damaged.img");
  writeFileSync(file, damaged);
  for (const isLocal of [false, true]) {
    await page.goto("about:blank");
    await page.goto(isLocal ? server.origin : `${server.origin}/#image=disk.img`);
    if (isLocal) await page.setInputFiles("#image", file);
    await page.getByText(/^Opened d\w+\.img/).waitFor();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.locator("#status.error").waitFor();
    assert.match((await status(page).textContent())!, /^Damaged: .*, and \d+ findings? more$/);
    assert.equal(await page.locator("#state.error").textContent(), "Checked, damaged");
    await page.waitForFunction(() => document.getElementById("of")!.textContent!.startsWith("100 %"));
    await picture(page, "damaged");
  }
});

test("content of an image runs no script, sends nothing, and changes no page", { skip }, async (t) => {
  const { server, page, complaints } = await start(t, IMAGE);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const show = async (path: string): Promise<void> => {
    await page.goto("about:blank");
    await page.goto(`${server.origin}/#image=disk.img&path=${encodeURIComponent(path)}`);
    await page.locator("#view .bar").waitFor();
    await page.getByText(/^Opened disk\.img/).waitFor();
  };
  await show("/docs/hostile.md");
  await page.getByRole("heading", { name: "Hostile" }).waitFor();
  const tags = await page.locator(".markdown *").evaluateAll((all) => all.map(({ tagName }) => tagName));
  assert.ok(!tags.some((tag) => /SCRIPT|IFRAME|FORM|INPUT|BUTTON|STYLE|SVG/i.test(tag)), tags.join());
  const attributes = await page
    .locator(".markdown *")
    .evaluateAll((all) =>
      all.flatMap(({ attributes: given }) => [...given].map(({ name, value }) => `${name}=${value}`)),
    );
  assert.deepEqual(attributes, ["alt=tracker"]);
  await page.getByText("click", { exact: true }).click();
  assert.equal(await page.locator(".markdown a[href]").count(), 0);
  await show("/docs/page.html");
  assert.match((await page.locator("#view pre").textContent())!, /^<!doctype html>/);
  await show("/img/hostile.svg");
  await page.locator("#view img").waitFor();
  await show("/src/<img src=x onerror=alert(1)>.txt");
  await page.getByText("odd name").waitFor();
  await show("/data/noise.bin");
  await page.getByText("This file is not text. Its first 512 bytes:").waitFor();
  assert.notEqual(await page.title(), "owned");
  assert.ok(requests.every((url) => url.startsWith(server.origin) || /^(?:blob|about):/.test(url)));
  // Chromium says of what DOMPurify parses that the page's policy would have stopped it, too.
  assert.deepEqual(
    complaints.filter((complaint) => !complaint.includes("violates the following Content Security Policy")),
    [],
  );
});

test("the tree by keyboard, as the ARIA Authoring Practices have it", { skip }, async (t) => {
  const { server, page } = await start(t, IMAGE);
  await page.goto(`${server.origin}/#image=disk.img`);
  await page.getByText(/^Opened disk\.img/).waitFor();
  const focused = (): Promise<string> =>
    page.evaluate(
      () => (document.activeElement!.querySelector(".name") ?? document.activeElement)!.textContent!,
    );
  await page.locator("#query").focus();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "data");
  const press = async (...keys: string[]): Promise<string> => {
    for (const key of keys) await page.keyboard.press(key);
    return focused();
  };
  assert.equal(await press("ArrowDown"), "docs");
  assert.equal(await press("ArrowRight"), "docs");
  await page.locator("#tree [aria-expanded=true] > ul > li").first().waitFor();
  assert.equal(await press("ArrowRight"), "reference");
  assert.equal(await press("ArrowDown", "Enter"), "guide.md");
  await page.getByRole("heading", { name: "Getting started" }).waitFor();
  assert.equal(await press("ArrowLeft"), "docs");
  assert.equal(await press("ArrowLeft", "ArrowDown"), "img");
  assert.equal(await press("End"), "latest");
  assert.equal(await press("Home"), "data");
  assert.equal(await press("m"), "many");
  assert.equal(await press("ArrowRight"), "many");
  await page.locator("#tree .more").waitFor();
  assert.equal(await page.locator("#tree [tabindex='0']").count(), 1);
  await page.locator("#tree .more").click();
  await page.getByText("file-1699.txt").waitFor();
  assert.equal(await page.locator("#tree [role=group] [role=treeitem]").count(), 3 + 1 + 700);
});

test("an image of files: made, downloaded, opened; and an image of a file", { skip }, async (t) => {
  const { server, page, complaints } = await start(t, IMAGE);
  await page.goto(server.origin);
  await page.setInputFiles("#files", [
    { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("alpha\n") },
    { name: "README.md", mimeType: "text/markdown", buffer: Buffer.from("# Made here\n") },
  ]);
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download image" }).click();
  const path = join(temporaryFolder(t), "made.img");
  await (await waiting).saveAs(path);
  const volume = await open(path);
  assert.equal(await volume.text("/a.txt"), "alpha\n");
  await page.getByText(`Commit ${volume.commit.oid}`).waitFor();
  await picture(page, "made");
  await page.getByRole("button", { name: "Open it here" }).click();
  await page.getByRole("heading", { name: "Made here" }).waitFor();

  const file = join(temporaryFolder(t), "handbook.img");
  writeFileSync(file, IMAGE);
  await page.setInputFiles("#image", file);
  await page.getByRole("heading", { name: "The handbook" }).waitFor();
  assert.match((await page.locator("#name").textContent())!, /^handbook\.img$/);
  assert.ok((await page.locator("#map i.on").count()) < 128 / 3);
  assert.deepEqual(complaints, []);
});

test("files that are dropped: an image is opened, and of others an image is made", { skip }, async (t) => {
  const { server, page, complaints } = await start(t, IMAGE);
  await page.goto(server.origin);
  const drop = async (files: Record<string, Uint8Array | string>): Promise<void> => {
    const given = Object.entries(files).map(([name, content]) => [name, [...Buffer.from(content)]] as const);
    const dataTransfer = await page.evaluateHandle((list) => {
      const transfer = new DataTransfer();
      for (const [name, bytes] of list) transfer.items.add(new File([new Uint8Array(bytes)], name));
      return transfer;
    }, given);
    await page.dispatchEvent("body", "dragover", { dataTransfer });
    assert.equal(await page.locator("body.over").count(), 1);
    await page.dispatchEvent("body", "drop", { dataTransfer });
    assert.equal(await page.locator("body.over").count(), 0);
  };
  await drop({ "one.txt": "one\n", "two.md": "# Two\n" });
  await page.getByText(/^Made an image of 2 files$/).waitFor();
  await page.getByRole("button", { name: "Open it here" }).click();
  await page.getByRole("treeitem", { name: "two.md" }).click();
  await page.getByRole("heading", { name: "Two", exact: true }).waitFor();
  const { image } = await makeImage({ "README.md": "# Dropped\n" });
  await drop({ "dropped.img": image });
  await page.getByRole("heading", { name: "Dropped", exact: true }).waitFor();
  assert.equal(await page.locator("#name").textContent(), "dropped.img");
  assert.deepEqual(complaints, []);
});

test("errors are told, and a commit that is expected is required", { skip }, async (t) => {
  const { server, page } = await start(t, IMAGE);
  await page.goto(server.origin);
  await page.getByText("I expect a certain commit").click();
  await page.fill("#expected", "1".repeat(40));
  await page.fill("#url", "disk.img");
  await page.keyboard.press("Enter");
  await page.locator("#status.error").waitFor();
  assert.match((await status(page).textContent())!, /commit/);
  await page.fill("#expected", COMMIT);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByText(`Proven: all that you see belongs to commit ${COMMIT}.`).waitFor();
  await page.fill("#url", "nope.bin");
  await page.keyboard.press("Enter");
  await page.locator("#status.error").waitFor();
  assert.match((await status(page).textContent())!, /404/);
  // The image that was open stays.
  await page.getByRole("treeitem", { name: "README.md" }).click();
  await page.getByRole("heading", { name: "The handbook" }).waitFor();
});

test("on phones and desktops, light and dark", { skip }, async (t) => {
  const { server, page, complaints } = await start(t, IMAGE);
  for (const [device, width, height] of [
    ["phone", 390, 844],
    ["tablet", 820, 1180],
    ["desktop", 1440, 900],
  ] as const)
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto("about:blank");
      await page.goto(`${server.origin}/`);
      await picture(page, `${device}-${colorScheme}-start`);
      await page.goto("about:blank");
      await page.goto(`${server.origin}/#image=disk.img&path=/docs/guide.md`);
      await page.getByRole("heading", { name: "Getting started" }).waitFor();
      await page.getByText(/^Opened disk\.img/).waitFor();
      await page.waitForFunction(() => Number(document.getElementById("requests")!.textContent) > 0);
      await picture(page, `${device}-${colorScheme}`);
      // Nothing is wider than the window.
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${device}: ${overflow}`);
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(back, colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(22, 24, 29)");
    }
  assert.deepEqual(complaints, []);
});
