/** `docteur licenses` of the package: it has the licenses of what the package's files contain. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { docteur } from "../support/cli.js";
import { distPath } from "../support/programs.js";

const licenseOf = (file: string): string => readFileSync(distPath(`../${file}`), "utf8").trim();

test("the packages that the page and the Wasm contain are listed, with their licenses", async () => {
  const { status, stdout: text } = await docteur(["licenses"]);
  assert.equal(status, 0);
  assert.match(text, /^This program contains:\n\n {2}docteur \S+ +MIT\n/);
  for (const name of ["dompurify", "marked", "assemblyscript", "@assemblyscript/loader"])
    assert.match(text, new RegExp(`^ {2}${name} \\d`, "m"), name);
  for (const file of ["LICENSE", "node_modules/marked/LICENSE", "node_modules/assemblyscript/LICENSE"])
    assert.ok(text.includes(licenseOf(file)), file);
  assert.ok(!text.includes("Node.js 2"), "the package does not contain Node");
});
