/**
 * Memory that is refused: by the limit that the embedder sets, stepped over every page that matters, and by an engine that lets the memory grow to
 * every size in turn. What has no room is `OutOfMemory`; what has is right, before and after.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DocteurError, type OpenOptions, open, type Volume } from "../../src/index.js";
import { capModule } from "../../src/tender/cap-module.js";
import { PAGE, readModuleShape } from "../../src/tender/wasm-module.js";
import { verify } from "../../src/verify/index.js";
import { MODES } from "../support/core.js";
import { distPath } from "../support/programs.js";
import { richImage } from "../support/rich-image.js";

/** Its delta and the base of it do not fit into the smallest memory. */
const { image, commit, files } = richImage(1_200_000);
const LIMIT_MIN = 2 << 20;

async function isRefused(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return false;
  } catch (error) {
    assert.ok(error instanceof DocteurError, String((error as Error).stack));
    assert.equal(error.code, "OutOfMemory");
    return true;
  }
}

/** Reads everything, twice: what has room has it again. @returns how much was refused */
async function readAll(volume: Volume): Promise<number> {
  const refused: string[][] = [];
  for (let round = 0; round < 2; round++) {
    const without: string[] = [];
    for (const [path, content] of files)
      if (await isRefused(async () => assert.ok(content.equals(await volume.get(path)), path)))
        without.push(path);
    assert.equal((await volume.list("/docs", { sizes: true })).length, 3);
    refused.push(without);
  }
  assert.deepEqual(refused[1], refused[0]);
  return refused[0]!.length;
}

/** Opens and reads. @returns what was refused: all, some, or nothing */
async function visit(options: OpenOptions): Promise<"all" | "some" | "nothing"> {
  let volume: Volume | undefined;
  if (await isRefused(async () => (volume = await open(image, options)))) return "all";
  const refused = await readAll(volume!);
  assert.ok(volume!.stats().memoryBytes <= (options.memoryLimit ?? Number.POSITIVE_INFINITY));
  return refused > 0 ? "some" : "nothing";
}

const LEVELS = [{ proof: "none" }, { proof: "crc" }, { commit, collisions: true }] as const;

for (const mode of MODES)
  test(`the memory limit, page by page, until there is room (${mode})`, async () => {
    const seen: string[] = [];
    let step = 0;
    // Only what is hashed has to fit whole: each level of proof has its own least memory.
    for (
      let limit = LIMIT_MIN;
      !seen.slice(-3).every((what) => what === "nothing") || step < 3;
      limit += PAGE, step++
    )
      seen.push(await visit({ mode, memoryLimit: limit + (step % 3), ...LEVELS[step % LEVELS.length]! }));
    // `analyze` hashes every object when it opens.
    assert.ok(seen.includes(mode === "analyze" ? "all" : "some"));
    assert.ok(seen.length > 5, `${seen.length} limits`);
  });

for (const name of ["core", "core.simd", "core.debug"])
  test(`every growth of the memory refused by the engine (${name})`, async () => {
    const bytes = readFileSync(distPath(`${name}.wasm`));
    const shape = readModuleShape(bytes);
    const seen: string[] = [];
    let pages = shape.memory!.minimum;
    for (; !seen.slice(-3).every((refused) => refused === "nothing") || seen.length < 3; pages++) {
      const module = new WebAssembly.Module(capModule(bytes, shape, pages * PAGE) as BufferSource);
      seen.push(await visit({ module, mode: MODES[pages % 3]!, ...LEVELS[(pages >> 1) % LEVELS.length]! }));
    }
    assert.equal(seen[0], "all");
    assert.ok(seen.includes("some") && seen.length > 40, `${seen.length} sizes`);
  });

test("verify in memories of every size: it says that there is too little, or that the image is sound", async () => {
  const seen = new Set<string>();
  for (let limit = PAGE; limit < 10 << 20; limit += 5 * PAGE)
    if (
      await isRefused(async () => {
        const report = await verify(image, { memoryLimit: limit });
        if (report.findings.some(({ code }) => code === "OutOfMemory"))
          throw new DocteurError("OutOfMemory", "reported");
        assert.equal(report.status, "sound", JSON.stringify(report.findings));
      })
    )
      seen.add("refused");
    else seen.add("sound");
  assert.deepEqual(seen, new Set(["refused", "sound"]));
});
