/** docteur in other runtimes, and in bundles for servers: each does what Node does. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { type BuildOptions, build } from "esbuild";
import { makeImage } from "../../src/make/index.js";
import {
  BUN,
  bundleByWrangler,
  createProject,
  DENO,
  Programs,
  runScript,
  serveImage,
  start,
  startWorkerd,
  type WorkResult,
} from "../support/embedding.js";
import { fsImage } from "../support/fs-image.js";
import { startServer } from "../support/range-server.js";
import { noise } from "../support/rich-image.js";

const programs = new Programs("runtimes");
const skip = programs.lacking() ?? false;

/** Since Node 23 the permission model is stable. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";
/** Node 25 has permissions for the network. */
const NET = process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : [];
const CONFINED = [PERMISSION, "--allow-fs-read=*", ...NET];

/** Runs a program to its end. @returns the last line that it printed, as JSON */
async function run(command: string, args: readonly string[], cwd: string): Promise<unknown> {
  const env = { ...process.env, DENO_DIR: join(cwd, ".deno"), DENO_NO_UPDATE_CHECK: "1" };
  const text = await start(command, args, { cwd, env }).ended;
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

async function bundle(folder: string, options: BuildOptions): Promise<void> {
  const all: BuildOptions = { absWorkingDir: folder, bundle: true, minify: true, logLevel: "silent" };
  const { warnings } = await build({ ...all, ...options });
  const others = warnings.filter(({ text }) => !text.startsWith('"import.meta" is not available'));
  assert.deepEqual(others, []);
}

/** How a script of the project is run, by the name of what runs it. It may be built before. */
type Runtime = (folder: string, script: string, args: readonly string[]) => Promise<unknown>;

const node = (
  folder: string,
  flags: readonly string[],
  script: string,
  args: readonly string[],
): Promise<unknown> => run(process.execPath, [...flags, script, ...args], folder);

const RUNTIMES: Record<string, { run: Runtime; isFromNpm?: boolean }> = {
  "Node, confined by its permission model": {
    run: (folder, script, args) => node(folder, CONFINED, `${script}.js`, args),
  },
  "a bundle for Node": {
    async run(folder, script, args) {
      const target: BuildOptions = { platform: "node", format: "esm", target: "node20" };
      await bundle(folder, { ...target, entryPoints: [`${script}.js`], outfile: "bundle/app.mjs" });
      return node(join(folder, "bundle"), [], "app.mjs", args);
    },
  },
  "a CommonJS bundle for Node": {
    async run(folder, script, args) {
      const target: BuildOptions = { platform: "node", format: "cjs", target: "node20" };
      await bundle(folder, { ...target, entryPoints: [`${script}.js`], outfile: "bundle/app.cjs" });
      return node(join(folder, "bundle"), [], "app.cjs", args);
    },
  },
  Deno: {
    run: (folder, script, args) => {
      const flags = ["--allow-read", "--allow-net=127.0.0.1", "--node-modules-dir=manual"];
      return run(
        programs.path(DENO),
        ["run", "--quiet", "--no-prompt", ...flags, `${script}.js`, ...args],
        folder,
      );
    },
    isFromNpm: true,
  },
  Bun: {
    run: (folder, script, args) => run(programs.path(BUN), [`${script}.js`, ...args], folder),
    isFromNpm: true,
  },
  "bun build --compile": {
    async run(folder, script, args) {
      await start(
        programs.path(BUN),
        ["build", "--compile", `${script}.js`, "--outfile", `bundle/${script}`],
        {
          cwd: folder,
        },
      ).ended;
      return run(join(folder, "bundle", script), args, join(folder, "bundle"));
    },
    isFromNpm: true,
  },
};

let expected: WorkResult;

async function project(t: TestContext): Promise<{ folder: string; url: string }> {
  const folder = createProject(t);
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": { "docteur": "*" } }');
  return { folder, url: (await serveImage(t)).url };
}

before(async (t) => {
  const { folder, url } = await project(t as TestContext);
  expected = JSON.parse(await runScript("node.js", [url], folder));
  assert.equal(expected.error, undefined);
});

for (const [name, { run, isFromNpm }] of Object.entries(RUNTIMES))
  test(name, { skip: isFromNpm ? skip : false }, async (t) => {
    const { folder, url } = await project(t);
    assert.deepEqual(await run(folder, "node", [url]), expected);

    // Threads are started where they can be; otherwise one does the work.
    const { image } = await makeImage({ noise: noise(5 << 20, 1) });
    const path = join(folder, "large.img");
    writeFileSync(path, image);
    assert.deepEqual(await run(folder, "large", [path]), { status: "sound", findings: [] });
  });

for (const [name, run] of [
  ["Node", (folder, script, args) => node(folder, [], `${script}.js`, args)],
  ["Deno", RUNTIMES.Deno!.run],
  ["Bun", RUNTIMES.Bun!.run],
] as [string, Runtime][])
  test(`functions in workers of ${name}`, { skip: name === "Node" ? false : skip }, async (t) => {
    const { folder, url } = await project(t);
    assert.deepEqual(await run(folder, "in-workers", [url]), expected);
  });

test("docteur/fs gives in Deno, in Bun and in bundles what it gives in Node", { skip }, async (t) => {
  const { folder } = await project(t);
  const url = `${(await startServer(t, await fsImage())).origin}/disk.img`;
  const inNode = (await node(folder, [], "fs.js", [url])) as object;
  assert.ok(Object.keys(inNode).length > 400);
  for (const name of ["Deno", "Bun", "a bundle for Node"])
    assert.deepEqual(await RUNTIMES[name]!.run(folder, "fs", [url]), inNode, name);
});

/** Runs the modules of a folder in workerd. @returns the answer of its `main` for an image */
async function runInWorkerd(t: TestContext, folder: string, main: string, image: string): Promise<unknown> {
  const origin = await startWorkerd(t, programs, { folder, main });
  return (await fetch(`${origin}/?image=${encodeURIComponent(image)}`)).json();
}

test("workerd, bundled by wrangler", { skip }, async (t) => {
  const { folder, url } = await project(t);
  await bundleByWrangler(programs, folder, "workerd.js");
  assert.deepEqual(await runInWorkerd(t, join(folder, "out"), "workerd.js", url), expected);
});

test("workerd, with a bundle that was not made for it", { skip }, async (t) => {
  const { folder, url } = await project(t);
  const loader = { ".wasm": "copy" } as const;
  await bundle(folder, { entryPoints: ["workerd-modules.js"], outdir: "out", format: "esm", loader });
  const [without, given] = (await runInWorkerd(t, join(folder, "out"), "workerd-modules.js", url)) as [
    WorkResult & { hint?: string },
    WorkResult,
  ];
  assert.match(without.error!, /cannot compile core\.simd\.wasm: /);
  assert.match(without.hint!, /^import docteur\/core\.simd\.wasm .* as the option "module"/);
  assert.deepEqual(given, expected);
});
