/**
 * Random operations, many at once, over sources, servers and stores that fail at random in every way they can: each
 * result is right or an error; afterwards everything works, and nothing is left running.
 */
import assert from "node:assert/strict";
import { openHttp } from "../../src/devices/http.js";
import type { Clock } from "../../src/devices/remote/clock.js";
import { CheckedPages } from "../../src/devices/remote/kept-pages.js";
import { RemoteDevice } from "../../src/devices/remote.js";
import { DocteurError, open, type RangeSource, type Volume } from "../../src/index.js";
import { MODES } from "../support/core.js";
import {
  FaultyParts,
  FaultySource,
  FaultyStore,
  faultyFetch,
  type Weather,
} from "../support/faulty-source.js";
import { gitOid } from "../support/fixtures.js";
import type { Random } from "../support/random.js";
import { type RichImage, richImage } from "../support/rich-image.js";
import type { Case, Target } from "./target.js";

/** Milliseconds of the devices' clock in one of the system's. */
const HURRY = 2000;
/** What aborted operations reject with. */
const ENOUGH = new Error("enough");
/** Tries of an operation that must work again: a busy machine may be slower than a hurried time limit. */
const PATIENCE = 50;

/** A clock on which time-outs come soon, and which knows whether any are left. */
class HurriedClock implements Clock {
  pending = 0;
  readonly random = Math.random;

  now(): number {
    return performance.now() * HURRY;
  }

  after(delay: number, callback: () => void): () => void {
    this.pending++;
    let isOver = false;
    const end = (): void => {
      if (!isOver) this.pending--;
      isOver = true;
    };
    const timer = setTimeout(() => {
      end();
      callback();
    }, delay / HURRY);
    return () => {
      end();
      clearTimeout(timer);
    };
  }
}

/** An operation, which throws where its result is not right. */
type Operation = (volume: Volume, rich: RichImage, random: Random, signal: AbortSignal) => Promise<void>;

function anyFile({ files }: RichImage, random: Random): [path: string, content: Buffer] {
  return [...files][random(files.size)]!;
}

/** Where right results are compared: what these throw is a finding, whatever its kind. */
class Wrong extends Error {}

function same(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (!Buffer.from(actual).equals(expected)) throw new Wrong(`${what}: other bytes`);
}

const OPERATIONS: Record<string, Operation> = {
  async get(volume, rich, random, signal) {
    const [path, content] = anyFile(rich, random);
    same(await volume.get(path, { signal }), content, path);
  },
  async part(volume, rich, random, signal) {
    const [path, content] = anyFile(rich, random);
    const offset = random(content.length + 2);
    const length = random(content.length + 2);
    const part = await volume.getPartial(path, offset, length, { signal });
    same(part, content.subarray(offset, offset + length), `${path} from ${offset}`);
  },
  async stream(volume, rich, random, signal) {
    const [path, content] = anyFile(rich, random);
    const parts: Uint8Array[] = [];
    const reader = volume.stream(path, { signal }).getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      if (random(8) === 0) await reader.cancel();
    }
    const read = Buffer.concat(parts);
    same(read, content.subarray(0, read.length), `${path} as a stream`);
  },
  async stat(volume, rich, random, signal) {
    const [path, content] = anyFile(rich, random);
    const { size, oid } = await volume.stat(path, { signal });
    if (size !== content.length || oid !== gitOid("blob", content))
      throw new Wrong(`${path}: ${size}, ${oid}`);
  },
  async object(volume, rich, random, signal) {
    const [path, content] = anyFile(rich, random);
    same((await volume.object(gitOid("blob", content), { signal })).data, content, `the object of ${path}`);
  },
  async list(volume, { files }, _, signal) {
    const names = (await volume.list("/fill", { signal })).map(({ path }) => path);
    const expected = [...files.keys()].filter((path) => path.startsWith("/fill/")).sort();
    if (names.join() !== expected.join()) throw new Wrong(`the list is ${names}`);
  },
  async walk(volume, { files }, _, signal) {
    const found: string[] = [];
    for await (const { kind, path } of volume.walk("/", { signal }))
      if (kind !== "directory") found.push(path);
    if (found.sort().join() !== [...files.keys()].sort().join()) throw new Wrong(`the walk finds ${found}`);
  },
  async nothing(volume, _, random, signal) {
    const found = await volume.exists(`/docs/${random(1000)}`, { signal });
    if (found !== null) throw new Wrong("a file that is not there");
  },
};

/** Runs an operation. @returns what came of it: an error is none of the engine's */
async function attempt(run: () => Promise<void>): Promise<string> {
  try {
    await run();
    return "right";
  } catch (error) {
    if (error === ENOUGH) return "aborted";
    if (!(error instanceof DocteurError)) throw error;
    if (!["DeviceFailed", "ImageChanged"].includes(error.code)) throw error;
    assert.ok(error.cause !== undefined, "a failed device says why");
    return error.code;
  }
}

async function untilItWorks<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof DocteurError) || tries === PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

interface Stack {
  volume: Volume;
  clock: HurriedClock;
  source: FaultySource | undefined;
}

function anyOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random(choices.length)]!;
}

/** A volume over a device over a source, of any options. It may fail, as things are. */
async function build(rich: RichImage, weather: Weather, store: FaultyStore, isHttp: boolean): Promise<Stack> {
  const { random } = weather;
  const clock = new HurriedClock();
  const options = {
    pageSize: anyOf(random, [4096, 4096, 16384, 65536]),
    cacheSize: anyOf(random, [0, 1 << 17, 1 << 25]),
    retries: random(4),
    concurrency: 1 + random(6),
    timeout: 20_000,
  };
  const fetch = faultyFetch(rich.image, weather);
  const Source = anyOf(random, [FaultySource, FaultyParts]);
  const plain = new Source(rich.image, weather, random(2) === 0 ? rich.commit : undefined);
  weather.isOpening = true;
  const opening: RangeSource | Promise<RangeSource> = isHttp
    ? openHttp(new URL("https://host.invalid/disk.img"), { ...options, fetch }, clock)
    : plain;
  const source = await Promise.resolve(opening).finally(() => {
    weather.isOpening = false;
  });
  const { identity } = source;
  const kept =
    identity === undefined ? undefined : await CheckedPages.of(store, identity, options.pageSize, clock);
  const device = new RemoteDevice(source, options, { clock, kept });
  const mode = anyOf(random, MODES);
  const memoryLimit = anyOf(random, [2 << 20, 8 << 20]);
  const volume = await open(device, { mode, memoryLimit, proof: anyOf(random, ["none", "crc", "oid"]) });
  return { volume, clock, source: isHttp ? undefined : plain };
}

/** Everything that an image holds, with nothing that fails. */
async function readAll(volume: Volume, rich: RichImage): Promise<void> {
  for (const [path, content] of rich.files) same(await untilItWorks(() => volume.get(path)), content, path);
}

async function chaosCase(images: readonly RichImage[], { random, index, count }: Case): Promise<void> {
  const rich = images[index % images.length]!;
  const weather: Weather = { oneIn: 1 + random(30), random, count };
  const store = new FaultyStore(weather);
  const isHttp = random(2) === 0;
  const { oneIn } = weather;
  let stack: Stack | undefined;
  for (let tries = 0; stack === undefined && tries < 3; tries++)
    stack = await build(rich, weather, store, isHttp).catch((error: unknown) => {
      if (!(error instanceof DocteurError)) throw error;
      count("not opened");
      return undefined;
    });
  weather.oneIn = 0;
  stack ??= await untilItWorks(() => build(rich, weather, store, isHttp));
  weather.oneIn = oneIn;
  const { volume, clock, source } = stack;
  for (let round = 0; round < 4; round++) {
    const operations = Array.from({ length: 1 + random(12) }, async () => {
      const name = anyOf(random, Object.keys(OPERATIONS));
      const controller = new AbortController();
      const isAborted = random(6) === 0;
      const running = attempt(() => OPERATIONS[name]!(volume, rich, random, controller.signal));
      if (isAborted) for (let turns = random(20); turns > 0; turns--) await Promise.resolve();
      if (isAborted) controller.abort(ENOUGH);
      count(await running);
    });
    await Promise.all(operations);
  }
  weather.oneIn = 0;
  await readAll(volume, rich);
  await volume.close();
  assert.equal(clock.pending, 0, "timers are left");
  assert.equal(source?.running ?? 0, 0, "reads are left that were not told to end");
  assert.equal(source?.closed ?? 1, 1, "the source is closed once");
}

export const chaos: Target = async () => {
  // The last one has many more sectors than the smallest memory holds.
  const images = [richImage(100, 3), richImage(300_000, 20), richImage(60_000, 400)];
  return (fuzz) => chaosCase(images, fuzz);
};
