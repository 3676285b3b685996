/** The programs as they are bundled: what a command loads, and what its threads run. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { distPath, runNode } from "../support/programs.js";

const FOLDER = distPath("tools");
const SCRIPTS = readdirSync(FOLDER).filter((name) => name.endsWith(".js") && !name.includes(".module."));

const source = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

/** What a script imports at once. */
function importsOf(name: string): string[] {
  return [...source(name).matchAll(/(?:\bfrom|[;\n]import|^import) ?"([^"]+)"/g)].map(([, path]) => path!);
}

/** A script and what it imports at once: other scripts, and modules of Node and of packages. */
function closureOf(entry: string): Set<string> {
  const found = new Set([entry]);
  for (const name of found)
    if (name.endsWith(".js"))
      for (const path of importsOf(name)) found.add(path.startsWith("./") ? path.slice(2) : path);
  return found;
}

/** What is loaded for a command. */
function loadedBy(command: string): Set<string> {
  const program = closureOf("docteur.js");
  const later = new RegExp(`import\\("\\./(${command}-[A-Z0-9]{8}\\.js)"\\)`);
  for (const name of program) {
    const script = name.endsWith(".js") ? later.exec(source(name))?.[1] : undefined;
    if (script !== undefined) return new Set([...program, ...closureOf(script)]);
  }
  throw new Error(`docteur.js does not import ${command}`);
}

for (const command of ["ls", "cat"])
  test(`${command} loads three scripts, and little of Node`, () => {
    const loaded = [...loadedBy(command)];
    assert.equal(loaded.filter((name) => name.endsWith(".js")).length, 3, loaded.join(", "));
    const slow = ["node:crypto", "node:http", "node:worker_threads", "node:zlib", "node:child_process"];
    assert.deepEqual(
      slow.filter((name) => loaded.includes(name)),
      [],
    );
    assert.deepEqual(
      loaded.filter((name) => !name.startsWith("node:") && !name.endsWith(".js")),
      [],
      "packages",
    );
  });

test("threads run bundles", () => {
  const threads = SCRIPTS.filter((name) =>
    /-thread\.js$|^tender-worker\.js$|^git-program-guard\.js$/.test(name),
  );
  assert.equal(threads.length, 7, threads.join(", "));
  const named = SCRIPTS.flatMap((name) =>
    [...source(name).matchAll(/new URL\("\.\/([^"/]+\.js)", ?import\.meta\.url\)/g)].map(([, path]) => path!),
  );
  for (const thread of threads) assert.ok(named.includes(thread), `${thread} is named`);
});

for (const args of [["--help"], ["completion", "bash"]])
  test(`${args.join(" ")}, which the build computes, is what the commands say`, () => {
    const { stdout } = runNode("tools/docteur.js", args);
    assert.ok(stdout.length > 500);
    assert.equal(stdout, runNode("tools/docteur.module.js", args).stdout);
  });
