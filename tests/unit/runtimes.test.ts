/** docs/RUNTIMES.md names the versions that the repository pins. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { distPath } from "../support/programs.js";
import { assertTold, ranOf, runtimeRows } from "../support/runtimes.js";

/** Where a runtime's version is pinned. */
const PINS: [runtime: string, file: string, version: RegExp][] = [
  ["wazero", "tests/embed/go/go.mod", /github\.com\/tetratelabs\/wazero v(\S+)/],
  ["wasmi", "tests/embed/rust/Cargo.toml", /^wasmi = \{ version = "=([^"]+)"/m],
  ["Chicory", "tests/embed/java/pom.xml", /<chicory\.version>([^<]+)</],
  ["wasmtime", "tests/embed/python/requirements.txt", /^wasmtime==(\S+)/m],
  ["wasm3", ".ci/hosts", /pywasm3==(\S+)/],
  ["Deno", "tests/embed/runtimes/package.json", /"@deno\/linux-x64-glibc": "([^"]+)"/],
  ["Bun", "tests/embed/runtimes/package.json", /"@oven\/bun-linux-x64": "([^"]+)"/],
  ["workerd, by wrangler", "tests/embed/runtimes/package.json", /"wrangler": "([^"]+)"/],
  ["Vite 8", "tests/embed/bundlers/package.json", /"npm:vite@(8[^"]+)"/],
  ["Vite 7", "tests/embed/bundlers/package.json", /"npm:vite@(7[^"]+)"/],
  ["Vite 6", "tests/embed/bundlers/package.json", /"npm:vite@(6[^"]+)"/],
  ["Vite 5", "tests/embed/bundlers/package.json", /"npm:vite@(5[^"]+)"/],
  ["webpack", "tests/embed/bundlers/package.json", /"webpack": "([^"]+)"/],
  ["rollup", "tests/embed/bundlers/package.json", /"rollup": "([^"]+)"/],
];

for (const [runtime, file, pattern] of PINS)
  test(`${runtime} is of the version that ${file} pins`, () => {
    const version = pattern.exec(readFileSync(distPath(`../${file}`), "utf8"))?.[1];
    const versions = runtimeRows()
      .filter((row) => row.get("runtime") === runtime)
      .map((row) => row.get("version"));
    assert.ok(versions.length > 0);
    assert.deepEqual([...new Set(versions)], [version]);
  });

test("a run that the page does not have is noticed", () => {
  const output = 'ok: 1\n.{"runtime":"wazero","version":"0.1.0","run":"core.wasm","count":2796}\n';
  const [ran] = ranOf(output);
  assert.throws(() => assertTold(ran!), /does not say: wazero 0\.1\.0, core\.wasm: 2796/);
  const version = runtimeRows()
    .find((row) => row.get("runtime") === "wazero")!
    .get("version")!;
  assertTold({ ...ran!, version });
  assert.throws(() => assertTold({ ...ran!, version, count: 2795 }));
});
