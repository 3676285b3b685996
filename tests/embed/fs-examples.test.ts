/** The examples of docs/EMBEDDING.md about `fs` and ZenFS run as they stand there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { make } from "../../src/make/index.js";
import { commitAll, git } from "../support/git.js";
import { distPath } from "../support/programs.js";

// Inside of the package, which finds itself by its name there.
const folder = mkdtempSync(distPath("examples-"));
after(() => rmSync(folder, { recursive: true }));

before(async () => {
  const site = join(folder, "site");
  mkdirSync(join(site, "src"), { recursive: true });
  writeFileSync(join(site, "index.html"), "<p>Hello</p>\n");
  writeFileSync(join(site, "data.bin"), "x".repeat(5000));
  writeFileSync(join(site, "src/main.js"), 'import { name } from "./name.js";\nconsole.log("main", name);\n');
  writeFileSync(join(site, "src/name.js"), 'export const name = "docteur";\n');
  const source = join(folder, "source");
  mkdirSync(source);
  git(source, "init", "-q");
  commitAll(source, "the first commit");
  cpSync(join(source, ".git"), join(site, "repository"), { recursive: true });
  await make(site, join(folder, "site.img"), { date: "1717740550" });
});

const page = readFileSync(distPath("../docs/EMBEDDING.md"), "utf8");

/** The examples of a section. */
function examples(section: string): string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`))!;
  return [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code!);
}

function run(code: string): string {
  writeFileSync(join(folder, "example.mjs"), code);
  const options = { cwd: folder, encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", "example.mjs"], options);
  assert.equal(status, 0, stderr);
  return stdout;
}

const [fs, gitLog, esbuild, hooks] = examples("Node's fs");

test("fs", () => {
  const lines = run(fs!).trimEnd().split("\n");
  assert.ok(lines.includes("index.html false") && lines.includes("src true"));
  assert.ok(lines.includes("4000") && lines.includes("5000 2024-06-07T06:09:10.000Z"), lines.join());
});

test("isomorphic-git", () => {
  assert.match(run(gitLog!), /^[0-9a-f]{40} the first commit\n/);
});

test("esbuild", () => {
  run(esbuild!);
  assert.equal(run(`import "./bundle.js";`), "main docteur\n");
});

const skip = "registerHooks" in nodeModule ? false : "this Node has no module.registerHooks";

test("module.registerHooks", { skip }, () => {
  assert.equal(run(hooks!), "main docteur\n");
});

test("ZenFS", () => {
  const [zenfs] = examples("ZenFS");
  assert.match(run(zenfs!), /<p>Hello<\/p>/);
});
