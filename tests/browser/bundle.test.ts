/** What bundles for browsers hold: nothing that needs Node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle } from "../support/browser.js";

for (const [entry, name] of [
  ["docteur", "open"],
  ["docteur/make", "makeImage"],
  ["docteur/sync", "openSync"],
] as const) {
  test(`${entry} in a browser`, async () => {
    const { metafile, warnings } = await bundle(`export { ${name} } from "${entry}";`);
    assert.deepEqual(warnings, []);
    const inputs = Object.keys(metafile.inputs);
    assert.ok(inputs.includes("dist/src/devices/no-files.js"), inputs.join());
    assert.ok(!inputs.some((path) => /dist\/src\/(files|devices\/file)\.js/.test(path)), inputs.join());
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
    assert.ok(imports.length > 5);
    assert.deepEqual(
      imports.filter(({ external, path }) => external || path.startsWith("node:")),
      [],
    );
  });
}

test("what needs Node is not among the exports for browsers", async () => {
  await assert.rejects(bundle('export { make } from "docteur/make";'), /No matching export .* import "make"/);
});
