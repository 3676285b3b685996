/** The text of `docteur licenses`, as the build makes it: a part without a license ends the build. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { licensesText, nodePart, packagesOf } from "../../tools/build/licenses.js";
import { distPath } from "../support/programs.js";
import { temporaryFolder } from "../support/temporary.js";

process.chdir(distPath(".."));

test("a package has the license and the notice that it comes with, or ends the build", (t) => {
  const folder = join(temporaryFolder(t), "zebra");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "package.json"),
    '{ "name": "zebra", "version": "7.0.0", "license": "Apache-2.0" }',
  );
  assert.throws(() => licensesText([folder]), /zebra has no license/);
  writeFileSync(join(folder, "LICENSE.md"), "may be used\n");
  writeFileSync(join(folder, "NOTICE"), "made by one\n");
  writeFileSync(join(folder, "license-checker.js"), "no license\n");
  const text = licensesText([folder]);
  assert.match(text, /^ {2}zebra 7\.0\.0 +Apache-2\.0$/m);
  assert.ok(text.includes("\nzebra 7.0.0\n"));
  assert.match(text, /may be used\n\nmade by one\n/);
  assert.ok(!text.includes("no license\n"));
});

test("Node's license is beside it, or where NODE_LICENSE says", (t) => {
  const file = join(temporaryFolder(t), "text");
  writeFileSync(file, "Node.js is licensed so.\n");
  process.env.NODE_LICENSE = file;
  t.after(() => delete process.env.NODE_LICENSE);
  const { name, version, text } = nodePart();
  assert.deepEqual([name, version, text], ["Node.js", process.versions.node, "Node.js is licensed so."]);
});

test("packages of a bundle are those of its inputs, nested ones and scopes, too", () => {
  const names = [
    "node_modules/a/x.js",
    "node_modules/@s/b/lib/y.js",
    "node_modules/a/node_modules/c/z.js",
    "src/d.ts",
  ];
  const inputs = Object.fromEntries(names.map((name) => [name, { bytes: 1, imports: [] }]));
  assert.deepEqual(packagesOf({ inputs, outputs: {} }), [
    "node_modules/a",
    "node_modules/@s/b",
    "node_modules/a/node_modules/c",
  ]);
});
