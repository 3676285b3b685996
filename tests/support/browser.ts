/** A browser, and a server for its pages. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type BuildResult, build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { unlessRequired } from "./required.js";

/** Where systems put Chromium and its like. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executablePath = PLACES.find((place) => existsSync(place));

/** Why no browser can be started here, or undefined. */
export function whyNoBrowser(): string | undefined {
  return unlessRequired("browser", executablePath === undefined ? "no Chromium is installed" : undefined);
}

/** Starts a browser of nobody's, without a window, until the test ends. */
export async function startBrowser(t: TestContext): Promise<BrowserContext> {
  // Chromium keeps root out of its sandbox.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: executablePath!, headless: true, args });
  t.after(() => browser.close());
  return browser.newContext({ viewport: { width: 800, height: 600 } });
}

/** Opens a page, and waits for what it puts into `result`. @returns that, and errors and messages of the console */
export type OpenPage = <T>(url: string) => Promise<{ result: T; complaints: string[] }>;

/** Opens a page in Chromium. */
export async function openPage<T>(t: TestContext, url: string): Promise<{ result: T; complaints: string[] }> {
  const page = await (await startBrowser(t)).newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => "result" in globalThis);
  return { result: await page.evaluate(() => (globalThis as unknown as { result: T }).result), complaints };
}

/** What is used of a page of puppeteer's. */
export interface PuppeteerPage {
  on(event: "pageerror", listener: (error: Error) => void): void;
  goto(url: string): Promise<unknown>;
  waitForFunction(condition: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
}

/** What is used of puppeteer-core: playwright's Firefox is a build of its own. */
interface Puppeteer {
  launch(options: object): Promise<{ close(): Promise<void>; newPage(): Promise<PuppeteerPage> }>;
}

const FIREFOX = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((place) => existsSync(place));

/** Why no Firefox can be started here, or undefined. Puppeteer comes with the bundlers. */
export function whyNoFirefox(): string | undefined {
  return unlessRequired("firefox", FIREFOX === undefined ? "no Firefox is installed" : undefined);
}

/** Starts Firefox with an empty page, until the test ends. @param puppeteer the module puppeteer-core */
export async function startFirefox(
  t: TestContext,
  puppeteer: unknown,
): Promise<{ page: PuppeteerPage; complaints: string[] }> {
  const options = { browser: "firefox", executablePath: FIREFOX, headless: true };
  const browser = await (puppeteer as Puppeteer).launch(options);
  t.after(() => browser.close());
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

/** Opens a page in Firefox. @param puppeteer the module puppeteer-core */
export async function openInFirefox<T>(
  t: TestContext,
  puppeteer: unknown,
  url: string,
): Promise<{ result: T; complaints: string[] }> {
  const { page, complaints } = await startFirefox(t, puppeteer);
  await page.goto(url);
  await page.waitForFunction("'result' in globalThis");
  return { result: (await page.evaluate("result")) as T, complaints };
}

/** The package's folder. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Bundles a module for browsers, by esbuild. What it imports from "docteur" is the built package, by the names that
 * package.json exports.
 * @param source the module's text, or the path of a built file in the package's folder
 */
export function bundle(
  source: string | { path: string },
  options: { minify?: boolean } = {},
): Promise<BuildResult<{ write: false; metafile: true }>> {
  const entry =
    typeof source === "string"
      ? { stdin: { contents: source, resolveDir: ROOT } }
      : { entryPoints: [source.path], absWorkingDir: ROOT };
  return build({
    ...entry,
    ...options,
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    conditions: ["browser"],
    format: "esm",
    logLevel: "silent",
  });
}

/** What a server has at a path. */
export interface Served {
  type: string;
  content: string | Uint8Array;
}

/**
 * Serves pages on the loopback, until the test ends.
 * @param pages by path
 * @param headers of all answers, beside their types
 * @returns the address, without a slash at its end, and the paths that were asked for
 */
export async function serve(
  t: TestContext,
  pages: ReadonlyMap<string, Served>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    const found = pages.get(request.url!);
    const type = found?.type ?? "text/plain";
    response.writeHead(found === undefined ? 404 : 200, { ...headers, "content-type": type });
    response.end(found?.content);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
