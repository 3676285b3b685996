/**
 * Many operations at once over a device that answers late, in any order, and fails: each gives what it gives alone over
 * memory, or the error that is its own; within any memory, whatever is cancelled; and nothing is lost afterwards.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { DocteurError, type OpenOptions, open, type Volume } from "../../src/index.js";
import { type BusyImage, busyImage, LARGE_BYTES } from "../support/busy-image.js";
import { coreVariants, MODES } from "../support/core.js";
import { DisorderDevice } from "../support/disorder-device.js";
import { type Random, seeded } from "../support/random.js";

const MIB = 1 << 20;
const SMALLEST = 2 * MIB;
const image = busyImage();
const variants = await coreVariants();

/** What an operation gave. */
type Outcome = string;

interface Action {
  name: string;
  run(volume: Volume, signal: AbortSignal): Promise<Outcome>;
}

function hashOf(bytes: Uint8Array): Outcome {
  return `${bytes.length} ${createHash("sha1").update(bytes).digest("hex")}`;
}

/** Reads a stream to its end, or leaves it in the middle. */
async function drain(stream: ReadableStream<Uint8Array>, most: number): Promise<Outcome> {
  const hash = createHash("sha1");
  let left = most;
  for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) {
    const taken = piece.subarray(0, left);
    hash.update(taken);
    left -= taken.length;
    if (left === 0) break;
  }
  return `${most - left} ${hash.digest("hex")}`;
}

/** An operation of a random kind. */
function choose({ files, oids }: BusyImage, random: Random): Action {
  const paths = [...files.keys()];
  const path = random(12) === 0 ? `${paths[random(paths.length)]!}/nothing` : paths[random(paths.length)]!;
  const large = `/large/${random(2) ? "a" : "b"}${random(4)}`;
  const offset = random(LARGE_BYTES);
  const length = 1 + random(100_000);
  const folder = ["/", "/deep", "/deep/er/chain", "/large", "/nowhere"][random(5)]!;
  const oid = oids[random(oids.length)]!;
  const actions: Action[] = [
    { name: `get ${path}`, run: async (volume, signal) => hashOf(await volume.get(path, { signal })) },
    { name: `get ${large}`, run: async (volume, signal) => hashOf(await volume.get(large, { signal })) },
    {
      name: `getPartial ${large} ${offset} ${length}`,
      run: async (volume, signal) => hashOf(await volume.getPartial(large, offset, length, { signal })),
    },
    {
      name: `stream ${large} ${offset} ${length}`,
      run: async (volume, signal) => drain(volume.stream(large, { offset, signal }), length),
    },
    {
      name: `stat ${path}`,
      run: async (volume, signal) => JSON.stringify(await volume.stat(path, { signal, follow: true })),
    },
    { name: `size ${large}`, run: async (volume, signal) => String(await volume.size(large, { signal })) },
    {
      name: `list ${folder}`,
      run: async (volume, signal) => JSON.stringify(await volume.list(folder, { signal, sizes: true })),
    },
    {
      name: "list /many",
      run: async (volume, signal) => JSON.stringify(await volume.list("/many", { signal, limit: 5 })),
    },
    {
      name: `object ${oid}`,
      run: async (volume, signal) => hashOf((await volume.object(oid, { signal })).data),
    },
    {
      name: "get /deep/up",
      run: async (volume, signal) => hashOf(await volume.get("/deep/up", { signal, follow: true })),
    },
    {
      name: "exists /sub/x",
      run: async (volume, signal) => String(await volume.exists("/sub/x", { signal })),
    },
  ];
  return actions[random(actions.length)]!;
}

/** The outcome, or the code of the error that is the operation's own. */
async function outcome(action: Action, volume: Volume, signal: AbortSignal): Promise<Outcome> {
  try {
    return await action.run(volume, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return "aborted";
    assert.ok(error instanceof DocteurError, `${action.name}: ${String((error as Error).stack)}`);
    return error.code;
  }
}

interface Case {
  options: OpenOptions;
  seed: number;
  forgets?: boolean;
  failures?: number;
  /** Of how many operations one is aborted; 0 for none. */
  aborts?: number;
}

const never = new AbortController().signal;

/** Runs a random mix of operations, up to 40 at a time. @returns how many of them ended in which way */
async function mix({ options, seed, forgets, failures, aborts = 0 }: Case): Promise<Map<string, number>> {
  const random = seeded(seed);
  const model = await open(image.bytes, options);
  const device = new DisorderDevice(image.bytes, {
    seed,
    forgets: forgets ?? false,
    failures: failures ?? 0,
  });
  let volume: Volume | undefined;
  while (volume === undefined)
    volume = await open(device, options).catch((error: unknown) => {
      assert.ok(failures && error instanceof DocteurError && error.code === "DeviceFailed", String(error));
      return undefined;
    });
  const limit = options.memoryLimit!;
  const counts = new Map<string, number>();
  const run = async (): Promise<void> => {
    const action = choose(image, random);
    const controller = new AbortController();
    const isAborted = aborts > 0 && random(aborts) === 0;
    if (isAborted)
      for (let ticks = random(40); ticks >= 0; ticks--)
        controller.signal.aborted ||
          setImmediate(() => (ticks === 0 || random(8) === 0) && controller.abort(new Error("enough")));
    const expected = await outcome(action, model, never);
    const actual = await outcome(action, volume!, controller.signal);
    const isExcused =
      (isAborted && actual === "aborted") || (failures !== undefined && actual === "DeviceFailed");
    if (!isExcused) assert.equal(actual, expected, `${action.name}, seed ${seed}`);
    const kind = isExcused ? actual : "right";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    assert.ok(volume!.stats().memoryBytes <= limit, `${volume!.stats().memoryBytes} bytes, seed ${seed}`);
  };
  const lanes = Array.from({ length: 8 + random(32) }, async () => {
    for (let turn = 0; turn < 6; turn++) await run();
  });
  await Promise.all(lanes);
  let told = device.failedReads;
  // Whatever has happened, the volume works once the device does: blocks that have failed already are told once each.
  device.heal();
  for (const [path, content] of image.files) {
    let bytes: Uint8Array | undefined;
    while (bytes === undefined)
      bytes = await volume.get(path).catch((error: unknown) => {
        assert.ok(
          error instanceof DocteurError && error.code === "DeviceFailed",
          `${path}: ${String(error)}`,
        );
        assert.ok(failures !== undefined && device.failedReads > told, `${path}, seed ${seed}`);
        told = device.failedReads;
        return undefined;
      });
    assert.ok(content.equals(bytes), `${path}, seed ${seed}`);
  }
  await volume.close();
  await model.close();
  return counts;
}

const PROOFS: readonly Pick<OpenOptions, "proof" | "collisions">[] = [
  { proof: "none" },
  { proof: "oid" },
  { proof: "crc" },
  { proof: "oid", collisions: true },
];

for (const [index, { label, module }] of variants.entries()) {
  test(`mixes of operations in every mode and at every level of proof (${label})`, async (t) => {
    let seed = 1000 * (index + 1);
    for (const mode of MODES)
      for (const proof of PROOFS) {
        const options = { module, mode, memoryLimit: mode === "light" ? SMALLEST : 6 * MIB, ...proof };
        const counts = await mix({ options, seed: seed++, forgets: seed % 2 === 0, aborts: 6 });
        t.diagnostic(`${mode}, ${JSON.stringify(proof)}: ${JSON.stringify(Object.fromEntries(counts))}`);
        assert.ok((counts.get("right") ?? 0) > 0);
      }
  });

  test(`mixes of operations while the device fails now and then (${label})`, async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const options = { module, mode: "light" as const, memoryLimit: SMALLEST, ...PROOFS[seed % 4]! };
      const counts = await mix({
        options,
        seed: seed + 77 * index,
        forgets: seed % 2 === 1,
        failures: 60,
        aborts: 8,
      });
      assert.ok((counts.get("DeviceFailed") ?? 0) > 0 && (counts.get("right") ?? 0) > 0);
    }
  });
}

test("every memory limit from the smallest on has room for any mix", async () => {
  let seed = 500;
  for (let memoryLimit = SMALLEST; memoryLimit <= 5 * MIB; memoryLimit += 192 << 10) {
    const { module } = variants[seed % variants.length]!;
    await mix({
      options: { module, mode: "light", memoryLimit, ...PROOFS[seed % 4]! },
      seed: seed++,
      forgets: seed % 2 === 0,
    });
  }
});
