/** SECURITY.md: its limits are those of the code, and the tests that it names are there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { TARGETS } from "../fuzz/targets.js";

const root = new URL("../../../", import.meta.url);
const text = readFileSync(new URL("SECURITY.md", root), "utf8");

/** The value of a constant that is a number, or a product or shift of two. */
function constantOf(file: string, name: string): number {
  const source = readFileSync(new URL(file, root), "utf8");
  const [, value] = new RegExp(`const ${name}(?:: \\w+)? = ([^;]+);`).exec(source) ?? [];
  const [, base, shift = "0"] = /^(\d+)(?: << (\d+))?$/.exec(value ?? "") ?? [];
  assert.ok(base !== undefined, `${name} of ${file}: ${value}`);
  return Number(base) * 2 ** Number(shift);
}

test("the limits are those of the code", () => {
  const rows = [...text.matchAll(/^\| [^|]+ \| ([\d,]+) \| `(?:Limit\.)?(\w+)` of `([^`]+)` \|$/gm)];
  for (const [row, value, name, file] of rows)
    assert.equal(Number(value!.replaceAll(",", "")), constantOf(file!, name!), row);
  assert.ok(rows.length > 10);
  const all = readFileSync(new URL("asm/base/limits.ts", root), "utf8").match(/export const (\w+)/g)!;
  for (const name of all) assert.ok(text.includes(`\`Limit.${name.slice(13)}\``), `${name} is told`);
});

test("what it refers to exists", () => {
  const paths = [...text.matchAll(/(?:`|\]\()((?:tests|docs|asm|src)\/[\w./-]+)/g)].map(([, path]) => path!);
  for (const path of paths) assert.ok(existsSync(new URL(path, root)), path);
  assert.ok(paths.length > 20);
  for (const [, target] of text.matchAll(/npm run fuzz -- (\S+)/g))
    assert.ok(Object.hasOwn(TARGETS, target!), target);
});
