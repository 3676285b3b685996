/** The Wasm that scripts carry as text: it is the built one, and the inflater for it reads every kind of block. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { inflate } from "../../src/wasm/inflate.js";
import { build as core } from "../../src/wasm/inlined/core.js";
import { build as packer } from "../../src/wasm/inlined/packer.js";
import { build as verifier } from "../../src/wasm/inlined/verifier.js";
import { build as nodeCore } from "../../src/wasm/node/core.js";
import { build as nodePacker } from "../../src/wasm/node/packer.js";
import { build as nodeVerifier } from "../../src/wasm/node/verifier.js";
import { distPath } from "../support/programs.js";
import { seeded } from "../support/random.js";

test("scripts carry the SIMD builds", () => {
  for (const build of [core, packer, verifier, nodeCore, nodePacker, nodeVerifier]) {
    const file = readFileSync(distPath(`${build.name}.simd.wasm`));
    assert.deepEqual(Buffer.from(build.simd() as Uint8Array), file, build.name);
  }
});

test("Node reads the other builds from files", () => {
  for (const build of [nodeCore, nodePacker, nodeVerifier]) {
    const name = `${build.name}.wasm`;
    assert.deepEqual(Buffer.from(build.file!(name)), readFileSync(distPath(name)));
  }
});

test("the scripts' inflater reads stored, fixed and dynamic blocks", () => {
  const next = seeded(15);
  const samples = [
    new Uint8Array(0),
    new Uint8Array(1),
    new Uint8Array(100_000),
    Uint8Array.from({ length: 70_000 }, () => next(256)),
    Uint8Array.from({ length: 50_000 }, (_, at) => (at % 40) * (next(20) === 0 ? 1 : 0)),
    readFileSync(distPath("core.wasm")),
  ];
  for (const sample of samples)
    for (const level of [0, 1, 6, 9])
      for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY]) {
        const stream = deflateRawSync(sample, { level, strategy });
        const label = `${sample.length} bytes, level ${level}, strategy ${strategy}`;
        assert.deepEqual(Buffer.from(inflate(stream, sample.length)), Buffer.from(sample), label);
      }
});
