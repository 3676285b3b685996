/** docteur in applications that bundlers build, unconfigured: a page, and workers of a browser, do what Node does. */
import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { build as esbuild } from "esbuild";
import { type OpenPage, openInFirefox, openPage, whyNoBrowser, whyNoFirefox } from "../support/browser.js";
import {
  createProject,
  Programs,
  runScript,
  serveImage,
  start,
  type WorkResult,
} from "../support/embedding.js";

const programs = new Programs("bundlers");

/** A way from the application's folder to a page: a build, whose output is served, or a server of the bundler's own. */
interface Bundler {
  /** @returns the output's folder */
  build?(folder: string): Promise<string>;
  /** @returns the server's address */
  serve?(t: TestContext, folder: string): Promise<string>;
  isForFirefox?: boolean;
}

function vite(name: string, isForFirefox = false): [string, Bundler][] {
  const program = (): string => programs.path(`${name}/bin/vite.js`);
  return [
    [
      `${name} build`,
      {
        async build(folder) {
          await runScript(program(), ["build"], folder);
          return join(folder, "dist");
        },
        isForFirefox,
      },
    ],
    [
      `${name} dev`,
      {
        async serve(t, folder) {
          const args = [program(), "--port", "0", "--host", "127.0.0.1"];
          const { child, ended, printed } = start(process.execPath, args, { cwd: folder });
          t.after(async () => {
            child.kill();
            await ended.catch(() => undefined);
          });
          return printed(/Local: +(http:\S+)/);
        },
      },
    ],
  ];
}

/** Bundlers that know nothing of pages: the page is copied, and each worker is an entry like the page's script. */
const plain = (
  bundle: (folder: string, output: string) => Promise<unknown>,
): NonNullable<Bundler["build"]> => {
  return async (folder) => {
    const output = join(folder, "out");
    await bundle(folder, output);
    cpSync(join(folder, "index.html"), join(output, "index.html"));
    return output;
  };
};

function rollup(plugin: string): Bundler {
  return {
    build: plain((folder, output) => {
      const args = ["main.js", "worker.js", "calls.js", "-d", output, "-f", "es", "--failAfterWarnings"];
      const resolve = `${programs.path("@rollup/plugin-node-resolve/dist/es/index.js")}${plugin}`;
      return runScript(programs.path("rollup/dist/bin/rollup"), [...args, "-p", resolve], folder);
    }),
  };
}

const bundleBy = (folder: string, outdir: string, entry: string, format: "esm" | "iife"): Promise<unknown> =>
  esbuild({
    absWorkingDir: folder,
    entryPoints: [entry],
    outdir,
    format,
    bundle: true,
    minify: true,
    logLevel: "silent",
  }).then(({ warnings }) => assert.deepEqual(warnings, []));

/** The part of webpack's interface that is used. */
type Webpack = (
  options: object,
  done: (
    error: Error | null,
    stats?: { hasErrors(): boolean; hasWarnings(): boolean; toString(): string },
  ) => void,
) => void;

const BUNDLERS: [string, Bundler][] = [
  ...vite("vite8", true),
  ...vite("vite7"),
  ...vite("vite6"),
  ...vite("vite5"),
  [
    "webpack",
    {
      build: plain(
        (folder, path) =>
          new Promise<void>((resolve, reject) => {
            const options = {
              mode: "production",
              context: folder,
              entry: { main: "./main.js" },
              output: { path },
            };
            const performance = { maxAssetSize: 500_000, maxEntrypointSize: 500_000 };
            (programs.require("webpack") as Webpack)({ ...options, performance }, (error, stats) => {
              if (error === null && !stats!.hasErrors() && !stats!.hasWarnings()) resolve();
              else reject(error ?? new Error(`${stats}`));
            });
          }),
      ),
    },
  ],
  ["rollup, by its defaults", rollup("")],
  ["rollup, for browsers", rollup("={browser:true}")],
  [
    "esbuild",
    {
      build: plain(async (folder, output) => {
        await bundleBy(folder, output, "main.js", "esm");
        await bundleBy(folder, output, "worker.js", "esm");
        await bundleBy(folder, output, "calls.js", "esm");
      }),
      isForFirefox: true,
    },
  ],
  [
    "esbuild, with a classic script for the worker",
    {
      build: plain(async (folder, output) => {
        await bundleBy(folder, output, "main.js", "esm");
        await bundleBy(folder, output, "worker.js", "iife");
        await bundleBy(folder, output, "calls.js", "iife");
      }),
    },
  ],
];

const skip = programs.lacking() ?? whyNoBrowser() ?? false;
let expected: WorkResult;

before(async (t) => {
  if (skip !== false) return;
  const folder = createProject(t as TestContext);
  const { url } = await serveImage(t as TestContext);
  expected = JSON.parse(await runScript("node.js", [url], folder));
  assert.equal(expected.error, undefined);
  const { remote, made, damaged } = expected.reports!;
  assert.deepEqual([remote.status, made.status, damaged.status], ["sound", "sound", "damaged"]);
});

async function assertSame(open: OpenPage, url: string): Promise<void> {
  const { result, complaints } = await open<WorkResult[]>(url);
  assert.deepEqual(complaints, []);
  assert.equal(result.length, 3);
  for (const found of result) assert.deepEqual(found, expected);
}

for (const [name, { build, serve, isForFirefox }] of BUNDLERS)
  test(name, { skip }, async (t) => {
    const folder = createProject(t);
    const output = await build?.(folder);
    const url = output === undefined ? await serve!(t, folder) : `${(await serveImage(t, output)).origin}/`;
    await t.test("Chromium", (t) => assertSame((address) => openPage(t, address), url));
    const noFirefox = whyNoFirefox() ?? false;
    if (isForFirefox)
      await t.test("Firefox", { skip: noFirefox }, (t) =>
        assertSame((address) => openInFirefox(t, programs.require("puppeteer-core"), address), url),
      );
    assert.ok(output === undefined || existsSync(join(output, "index.html")));
  });
