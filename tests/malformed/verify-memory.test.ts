/**
 * `verify` never calls an unsound image sound, whatever memory is refused: every allocation of its Wasm and every table in
 * JavaScript, one alone or all from one on; and every memory limit, page by page. Over images with one flaw each, of every kind.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { capModule } from "../../src/tender/cap-module.js";
import { readModuleShape } from "../../src/tender/wasm-module.js";
import { compileVerifier } from "../../src/verify/compile-verifier.js";
import { verify } from "../../src/verify/index.js";
import { distPath } from "../support/programs.js";
import { installRefusals, type Memory, type Mode, refuseAt, refuseNothing } from "../support/refusals.js";
import { flawedDirectories, soundImage, unsoundImages } from "../support/unsound-images.js";

const PAGE = 1 << 16;
const module = await compileVerifier();
const unsound = unsoundImages();
installRefusals();

/** The status that a run ends with while memory is refused. */
async function statusWith(
  image: Uint8Array,
  [memory, at, mode]: [Memory, number, Mode],
  quick = false,
): Promise<{ status: string; calls: number }> {
  refuseAt(memory, at, mode);
  try {
    const { status } = await verify(image, { module, quick });
    return { status, calls: refuseNothing() };
  } catch (error) {
    // Where there is no memory for the findings themselves.
    const calls = refuseNothing();
    assert.ok(error instanceof RangeError, String((error as Error).stack));
    return { status: "thrown", calls };
  }
}

/** Refuses each call in turn, until none is left. @returns the statuses that there were */
async function sweep(name: string, image: Uint8Array, memory: Memory, mode: Mode): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let at = 0; ; at++) {
    const { status, calls } = await statusWith(image, [memory, at, mode]);
    assert.notEqual(status, "sound", `${name}: ${memory} refused ${mode} at call ${at}`);
    seen.add(status);
    if (calls <= at) return seen;
  }
}

test("without any refusal, each flaw makes an image damaged", async () => {
  for (const [name, image] of unsound)
    assert.equal((await verify(image, { module })).status, "damaged", name);
  assert.equal((await verify(soundImage(), { module })).status, "sound");
});

for (const memory of ["wasm", "tables"] as const)
  for (const mode of ["once", "always"] as const)
    test(`${memory} refused ${mode}, at every call: never sound`, async () => {
      const all = new Set<string>();
      for (const [name, image] of unsound)
        for (const status of await sweep(name, image, memory, mode)) all.add(status);
      // With no table at all there is no room for the findings either.
      const lacking = memory === "tables" && mode === "always" ? "thrown" : "unknown";
      assert.ok(all.has(lacking) && all.has("damaged"), [...all].join());
    });

test("a sound image is sound, or could not be judged", async () => {
  const image = soundImage();
  for (const quick of [false, true])
    for (const memory of ["wasm", "tables"] as const)
      for (const mode of ["once", "always"] as const) {
        const seen = new Set<string>();
        for (let at = 0; ; at++) {
          const { status, calls } = await statusWith(image, [memory, at, mode], quick);
          seen.add(status);
          assert.ok(["sound", "unknown", "thrown"].includes(status), `${memory} ${mode} ${at}: ${status}`);
          if (calls <= at) break;
        }
        assert.ok(seen.has("sound") && seen.size > 1, `${memory} ${mode}: ${[...seen].join()}`);
      }
});

for (const name of ["verifier", "verifier.simd"])
  test(`every growth of the memory refused by the engine (${name}): never sound`, async () => {
    const bytes = readFileSync(distPath(`${name}.wasm`));
    const shape = readModuleShape(bytes);
    const images = flawedDirectories({ files: 6000 });
    const sound = soundImage({ files: 6000 });
    const statuses = new Set<string>();
    const seen: string[] = [];
    for (let pages = shape.memory!.minimum; seen.slice(-3).join() !== "sound,sound,sound"; pages++) {
      const capped = new WebAssembly.Module(capModule(bytes, shape, pages * PAGE) as BufferSource);
      seen.push((await verify(sound, { module: capped })).status);
      for (const [flaw, image] of images) {
        const { status } = await verify(image, { module: capped });
        assert.notEqual(status, "sound", `${flaw}: ${pages} pages`);
        statuses.add(status);
      }
    }
    assert.deepEqual(new Set(seen), new Set(["unknown", "sound"]));
    assert.deepEqual(statuses, new Set(["unknown", "damaged"]));
    assert.ok(seen.length > 20, `${seen.length} sizes`);
  });

test("memory limits, page by page, with the flaw in a tree that takes memory to read: never sound", async () => {
  const seen = new Set<string>();
  const images = flawedDirectories({ files: 6000 });
  const sound = soundImage({ files: 6000 });
  for (const [name, image] of images) {
    for (let limit = 11 * PAGE; limit < 32 * PAGE; limit += PAGE) {
      const { status } = await verify(image, { module, memoryLimit: limit });
      assert.notEqual(status, "sound", `${name}: ${limit}`);
      seen.add(status);
    }
  }
  assert.deepEqual(seen, new Set(["unknown", "damaged"]));
  const statuses = new Set<string>();
  for (let limit = PAGE; limit < 40 * PAGE; limit += PAGE)
    statuses.add((await verify(sound, { module, memoryLimit: limit })).status);
  assert.deepEqual(statuses, new Set(["unknown", "sound"]));
});
