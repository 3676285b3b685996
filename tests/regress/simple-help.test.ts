/** `simple --filename PATH --help` printed the file, then the help. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MemoryDevice, run } from "../../src/tender/index.js";
import { fixture } from "../support/fixtures.js";
import { guestPath } from "../support/programs.js";

const HELP =
  "usage: simple [--mode light|fast|analyze] [--follow] --filename PATH\nPrints a file of the image on the device docteur.\n";

for (const build of ["simple", "simple.simd"])
  test(`--help is answered by help alone, wherever it stands (${build})`, () => {
    for (const args of [
      ["--help"],
      ["--filename", "/README.md", "--help"],
      ["--help", "--filename", "/foo"],
    ]) {
      const chunks: Uint8Array[] = [];
      const outcome = run(readFileSync(guestPath(build)), {
        args,
        devices: { docteur: new MemoryDevice(fixture("tiny.img")) },
        console: (bytes) => chunks.push(bytes),
      });
      assert.deepEqual(outcome, { status: 0, cause: "exit" });
      assert.equal(Buffer.concat(chunks).toString(), HELP, args.join(" "));
    }
  });
