/** Bundles for browsers: they hold nothing that needs Node, no Wasm that is not used, and have a budget. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { bundle } from "../support/browser.js";

/** Entries, what is imported of them, the Wasm that it needs, and the most KiB of both, minified and compressed. */
const ENTRIES = [
  ["docteur", "open", "core", 49.5],
  ["docteur/make", "makeImage", "packer", 36.5],
  ["docteur/sync", "openSync", "core", 40],
  ["docteur/diff", "compare", undefined, 2],
  ["docteur/emscripten", "createFileSystemType", undefined, 14],
  ["docteur/verify", "verify", "verifier", 49],
  ["docteur/worker", "inWorker", undefined, 2],
  ["docteur/fs", "createFs", undefined, 12.5],
  ["docteur/http", "createHandler", undefined, 11.5],
] as const;

for (const [entry, name, wasm, budget] of ENTRIES) {
  test(`${entry} in a browser`, async () => {
    const { metafile, warnings, outputFiles } = await bundle(`export { ${name} } from "${entry}";`, {
      minify: true,
    });
    const { contents, text } = outputFiles[0]!;
    assert.doesNotMatch(text, /\bBuffer\.\w+\(/);
    const kib = brotliCompressSync(contents).length / 1024;
    assert.ok(kib <= budget, `${kib.toFixed(1)} KiB`);
    assert.deepEqual(warnings, []);
    const inputs = Object.keys(metafile.inputs);
    assert.ok(!inputs.some((path) => /\/node\//.test(path) || path.includes("/node-")), inputs.join());
    // Of the Wasm, what it uses and no more.
    assert.deepEqual(
      inputs.filter((path) => path.startsWith("dist/src/wasm/inlined/") && !path.endsWith("text.js")),
      wasm === undefined ? [] : [`dist/src/wasm/inlined/${wasm}.js`],
    );
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
    assert.ok(imports.length > 5);
    // Workers that are classic scripts cannot be in several files.
    assert.ok(imports.every(({ kind }) => kind === "import-statement"));
    assert.deepEqual(
      imports.filter(({ external, path }) => external || path.startsWith("node:")),
      [],
    );
  });
}

test("what needs Node is not among the exports for browsers", async () => {
  await assert.rejects(bundle('export { make } from "docteur/make";'), /No matching export .* import "make"/);
});
