/** Libraries that take an `fs`, over images. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { type BuildOptions, build, type Plugin } from "esbuild";
import * as isomorphicGit from "isomorphic-git";
import { createFs, type FileSystem, type FileSystemSync } from "../../src/fs/index.js";
import { open } from "../../src/index.js";
import { make, makeImage } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { importFrom, whyNoPackages } from "../support/embedded.js";
import { commitAll, git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";

const skip = whyNoPackages("libraries") ?? false;

test("isomorphic-git reads a repository that is in an image", async (t) => {
  const work = temporaryFolder(t);
  const tree = join(work, "source/tree");
  mkdirSync(join(tree, "docs"), { recursive: true });
  git(tree, "init", "-q", "-b", "main");
  writeFileSync(join(tree, "a.txt"), "first\n");
  commitAll(tree, "first");
  writeFileSync(join(tree, "docs/b.txt"), "second\n".repeat(1000));
  const head = commitAll(tree, "second");
  git(tree, "gc", "-q");
  writeFileSync(join(tree, "a.txt"), "changed\n");
  writeFileSync(join(tree, "new.txt"), "new\n");
  // No image holds a folder of the name .git.
  cpSync(join(tree, ".git"), join(work, "source/repository"), { recursive: true });
  const image = join(work, "disk.img");
  await make(join(work, "source"), image, { exclude: [".git"], date: "1717740550" });
  const volume = openSync(image);
  t.after(() => volume.close());
  await using remote = await open(image);
  for (const fs of [createFs(volume), createFs(remote)]) {
    const where = { fs: fs as unknown as isomorphicGit.FsClient, dir: "/tree", gitdir: "/repository" };
    const log = await isomorphicGit.log(where);
    assert.deepEqual(
      log.map(({ oid, commit }) => [oid === head, commit.message]),
      [
        [true, "second\n"],
        [false, "first\n"],
      ],
    );
    const { blob } = await isomorphicGit.readBlob({ ...where, oid: head, filepath: "docs/b.txt" });
    assert.equal(Buffer.from(blob).toString(), "second\n".repeat(1000));
    assert.deepEqual(await isomorphicGit.listFiles({ ...where, ref: "main" }), ["a.txt", "docs/b.txt"]);
    assert.deepEqual(await isomorphicGit.currentBranch(where), "main");
    assert.equal(await isomorphicGit.status({ ...where, filepath: "a.txt" }), "*modified");
    assert.equal(await isomorphicGit.status({ ...where, filepath: "new.txt" }), "*added");
    await assert.rejects(
      isomorphicGit.add({ ...where, filepath: "new.txt" }),
      (error: NodeJS.ErrnoException) => /EROFS/.test(error.message),
    );
  }
});

const SITE = {
  "src/main.ts":
    'import { name } from "./lib/name";\nimport data from "./data.json";\nexport const text: string = name + data.n;\n',
  "src/lib/name.ts": 'export const name = "docteur ";\n',
  "src/lib/unused.ts": "throw new Error();\n",
  "src/data.json": '{ "n": 42 }',
  "cjs/index.cjs": 'const { join } = require("path"); exports.text = join("a", require("./dep.cjs"));\n',
  "cjs/dep.cjs": 'module.exports = "b";\n',
  "esm/main.mjs": 'import { dep } from "./dep.mjs"; export const text = "esm " + dep;\n',
  "esm/dep.mjs": 'export const dep = "dep";\n',
  latest: { link: "src" },
} as const;

async function site(): Promise<FileSystemSync> {
  return createFs(openSync((await makeImage(SITE)).image));
}

/** An esbuild plugin that finds modules in an image. */
function fromImage(fs: FileSystem): Plugin {
  return {
    name: "image",
    setup(builder) {
      builder.onResolve({ filter: /^[./]/ }, async ({ path, resolveDir }) => {
        const base = new URL(path, `file://${resolveDir || "/"}/`).pathname;
        for (const end of ["", ".ts", ".js", "/index.ts"]) {
          const stats = await fs.promises.stat(base + end).catch(() => undefined);
          if (stats?.isFile()) return { path: base + end, namespace: "image" };
        }
        return { errors: [{ text: `${path} is not in the image` }] };
      });
      builder.onLoad({ filter: /.*/, namespace: "image" }, async ({ path }) => ({
        contents: await fs.promises.readFile(path, "utf8"),
        loader: "default",
        resolveDir: path.replace(/\/[^/]*$/, ""),
      }));
    },
  };
}

test("esbuild bundles what is in an image", async () => {
  const { image } = await makeImage(SITE);
  await using volume = await open(image);
  const plugins = [fromImage(createFs(volume))];
  const options = { bundle: true, format: "esm", write: false as const, plugins } satisfies BuildOptions;
  const { outputFiles } = await build({ ...options, entryPoints: ["/latest/main.ts"] });
  const { text } = outputFiles[0]!;
  const module = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as { text: string };
  assert.equal(module.text, "docteur 42");
  await assert.rejects(
    build({ ...options, entryPoints: ["/src/none.ts"], logLevel: "silent" }),
    /not in the image/,
  );
});

test("a module loader over vm takes its files from an image", async () => {
  const fs = await site();
  const load = (path: string): unknown => {
    const module = { exports: {} };
    const require = (name: string): unknown =>
      name.startsWith(".") ? load(join(path, "..", name)) : nodeModule.createRequire(import.meta.url)(name);
    runInNewContext(
      fs.readFileSync(path, "utf8"),
      { module, exports: module.exports, require },
      { filename: path },
    );
    return module.exports;
  };
  assert.equal((load("/cjs/index.cjs") as { text: string }).text, join("a", "b"));
});

type Hooks = { resolve: unknown; load: unknown };
const { registerHooks } = nodeModule as unknown as {
  registerHooks?: (hooks: Hooks) => { deregister(): void };
};

test("Node imports modules from an image by hooks", {
  skip: registerHooks === undefined ? "this Node has no module.registerHooks" : false,
}, async () => {
  const fs = await site();
  const ROOT = "image:///";
  const hooks = registerHooks!({
    resolve(name: string, context: { parentURL?: string }, next: (name: string, context: object) => unknown) {
      const url = name.startsWith(".") && context.parentURL ? new URL(name, context.parentURL).href : name;
      return url.startsWith(ROOT) ? { url, format: "module", shortCircuit: true } : next(name, context);
    },
    load(url: string, context: object, next: (url: string, context: object) => unknown) {
      if (!url.startsWith(ROOT)) return next(url, context);
      return { format: "module", source: fs.readFileSync(new URL(url).pathname), shortCircuit: true };
    },
  });
  try {
    const { text } = (await import(`${ROOT}esm/main.mjs`)) as { text: string };
    assert.equal(text, "esm dep");
  } finally {
    hooks.deregister();
  }
});

interface Union {
  use(fs: unknown): Union;
  readFileSync(path: string, encoding: "utf8"): string;
  readdirSync(path: string): string[];
  writeFileSync(path: string, content: string): void;
  existsSync(path: string): boolean;
  promises: { readFile(path: string, encoding: "utf8"): Promise<string> };
}

test("unionfs lays memfs over an image", { skip }, async () => {
  const fs = await site();
  const { Volume } = await importFrom<{ Volume: { fromJSON(files: object): unknown } }>("libraries", "memfs");
  const { Union } = await importFrom<{ Union: new () => Union }>("libraries", "unionfs");
  const memory = Volume.fromJSON({ "/src/own.ts": "own", "/src/data.json": "{}" });
  const union = new Union().use(fs).use(memory);
  assert.equal(union.readFileSync("/src/own.ts", "utf8"), "own");
  assert.equal(union.readFileSync("/src/data.json", "utf8"), "{}");
  assert.equal(union.readFileSync("/latest/lib/name.ts", "utf8"), SITE["src/lib/name.ts"]);
  assert.equal(await union.promises.readFile("/cjs/dep.cjs", "utf8"), SITE["cjs/dep.cjs"]);
  assert.deepEqual(union.readdirSync("/src"), ["data.json", "lib", "main.ts", "own.ts"]);
  union.writeFileSync("/src/new.ts", "new");
  assert.equal(union.readFileSync("/src/new.ts", "utf8"), "new");
  assert.ok(!union.existsSync("/nowhere") && !fs.existsSync("/src/new.ts"));
});

type Glob = {
  glob(patterns: string[], options: object): Promise<string[]>;
  globSync(patterns: string[], options: object): string[];
};

test("fast-glob and tinyglobby find files of an image", { skip }, async () => {
  const fs = await site();
  const { default: fast } = await importFrom<{ default: Glob }>("libraries", "fast-glob");
  const tiny = await importFrom<Glob>("libraries", "tinyglobby");
  const expected = ["src/lib/name.ts", "src/lib/unused.ts", "src/main.ts"];
  for (const { glob, globSync } of [fast, tiny]) {
    const options = { cwd: "/", fs, followSymbolicLinks: false };
    assert.deepEqual((await glob(["**/*.ts"], options)).sort(), expected);
    assert.deepEqual(globSync(["src/**/*.ts"], options).sort(), expected);
  }
  assert.deepEqual(fs.globSync("**/*.ts").sort(), expected);
});
