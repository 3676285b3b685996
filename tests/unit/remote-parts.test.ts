/** The device over a source that gives bytes as they come: when pages can be read, and what is asked for again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PageStore } from "../../src/devices/remote/kept-pages.js";
import { CheckedPages } from "../../src/devices/remote/kept-pages.js";
import { RemoteDevice, type RemoteOptions, type RemoteParts } from "../../src/devices/remote.js";
import { type DocteurError, type RangeSource, RESULT, TransientError } from "../../src/index.js";
import { sourceContract } from "../contract/sources.js";
import { ManualClock } from "../support/manual-clock.js";
import { type AskedParts, ScriptedParts } from "../support/scripted-source.js";

const PAGE = 4096;

sourceContract("memory, in parts", (bytes) => ({
  size: bytes.length,
  read: async (offset, length) => bytes.slice(offset, offset + length),
  async readParts(offset, length, _signal, take) {
    for (let at = 0; at < length; at += 1000) {
      await new Promise((resolve) => setImmediate(resolve));
      take(bytes.subarray(offset + at, offset + Math.min(length, at + 1000)));
    }
  },
}));

/** Lets everything run that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}

interface Setup {
  source: ScriptedParts;
  device: RemoteDevice;
  clock: ManualClock;
  /** Reads whole pages. */
  read(page: number, pages?: number): number;
  /** Reads pages that are not here, and finds the request for them. */
  ask(page: number, pages: number): Promise<AskedParts>;
}

function setUp(pageCount: number, options: RemoteOptions = {}, parts: RemoteParts = {}): Setup {
  const source = new ScriptedParts(pageCount * PAGE);
  const clock = new ManualClock();
  const device = new RemoteDevice(source, { pageSize: PAGE, ...options }, { clock, ...parts });
  const read = (page: number, pages = 1): number => {
    const target = new Uint8Array(pages * PAGE);
    const result = device.read(page * PAGE, target);
    if (result === RESULT.OK)
      assert.deepEqual(target, source.bytes.subarray(page * PAGE, page * PAGE + target.length));
    return result;
  };
  const ask = async (page: number, pages: number): Promise<AskedParts> => {
    assert.equal(read(page, pages), RESULT.AGAIN);
    await turns();
    return source.asked.at(-1)!;
  };
  return { source, device, clock, read, ask };
}

test("a page can be read before the rest of its request is here", async () => {
  const { source, device, read, ask } = setUp(100);
  const asked = await ask(10, 4);
  const ready = device.ready();
  asked.part(PAGE - 1);
  assert.equal(read(10), RESULT.AGAIN);
  asked.part(PAGE + 2);
  await ready;
  assert.equal(read(10), RESULT.OK);
  assert.equal(read(11), RESULT.OK);
  assert.equal(read(12), RESULT.AGAIN);
  asked.part(2 * PAGE - 1);
  // The last page is not used before the source has ended as it should.
  assert.equal(read(12), RESULT.OK);
  assert.equal(read(13), RESULT.AGAIN);
  asked.end();
  await turns();
  assert.equal(read(13), RESULT.OK);
  assert.equal(source.asked.length, 1);
  const { requests, bytes, roundTrips } = device.stats();
  assert.deepEqual([requests, bytes, roundTrips], [1, 4 * PAGE, 1]);
  await device.close();
});

test("what waits for a page of a request that runs is another round trip", async () => {
  const { device, ask } = setUp(100);
  const asked = await ask(10, 2);
  asked.part(PAGE);
  await turns();
  await ask(50, 1);
  assert.equal(device.stats().roundTrips, 2);
  await device.close();
});

test("a request that breaks off goes on behind the pages that have arrived", async () => {
  const { source, device, clock, read, ask } = setUp(100, { retries: 1 });
  let asked = await ask(10, 5);
  // A try that gets anywhere begins the count of tries anew.
  for (let page = 10; page < 14; page++) {
    asked.part(PAGE + 100);
    asked.fail(new TransientError("reset"));
    await turns();
    assert.equal(read(page), RESULT.OK);
    assert.equal(read(page + 1), RESULT.AGAIN);
    assert.equal(clock.pauses.at(-1), 187.5);
    clock.advance(1000);
    await turns();
    asked = source.asked.at(-1)!;
    assert.deepEqual([asked.offset, asked.length], [(page + 1) * PAGE, (14 - page) * PAGE]);
  }
  asked.give();
  await turns();
  assert.equal(read(14), RESULT.OK);
  await device.close();
});

test("tries that get nowhere are counted, and only pages that have not arrived fail", async () => {
  const { source, device, clock, read, ask } = setUp(100, { retries: 2 });
  let asked = await ask(10, 3);
  asked.part(PAGE + 1);
  for (let tries = 1; tries <= 3; tries++) {
    asked.fail(new TransientError("reset"));
    await turns();
    if (tries === 3) break;
    clock.advance(10_000);
    await turns();
    asked = source.asked.at(-1)!;
  }
  assert.equal(source.asked.length, 3);
  assert.equal(read(10), RESULT.OK);
  for (const page of [11, 12]) {
    assert.equal(read(page), RESULT.EUNSPEC);
    assert.match((device.failure as DocteurError).message, /: reset \(after 3 tries\)$/);
  }
  await device.close();
});

test("a request that stalls is given up after the time of a page, however much it asks for", async () => {
  const { source, device, clock, read, ask } = setUp(1000, { timeout: 1000, retries: 0 });
  const asked = await ask(10, 200);
  const limit = Math.ceil(1000 + PAGE / 32.768);
  // Slow bytes are no stall.
  for (let page = 10; page < 15; page++) {
    clock.advance(limit - 1);
    asked.part(PAGE);
    await turns();
    assert.equal(read(page), RESULT.OK);
  }
  clock.advance(limit - 1);
  await turns();
  assert.equal(read(15), RESULT.AGAIN);
  clock.advance(1);
  await turns();
  assert.equal(read(15), RESULT.EUNSPEC);
  assert.match(
    (device.failure as DocteurError).message,
    new RegExp(`: no further bytes within ${limit} ms$`),
  );
  assert.ok(asked.signal.aborted);
  assert.equal(clock.pending, 0);
  // What comes after all is nobody's, and begins no time limit.
  asked.part(PAGE);
  asked.end();
  await turns();
  assert.equal(clock.pending, 0);
  assert.equal(read(15), RESULT.AGAIN);
  assert.equal(source.asked.length, 1);
  await device.close();
});

const BROKEN: Record<string, [parts: unknown[], message: RegExp, tries: number]> = {
  "fewer bytes": [[new Uint8Array(10)], /the source gave 10 bytes for 4096 \(after 2 tries\)$/, 2],
  "more bytes": [
    [new Uint8Array(PAGE), new Uint8Array(1)],
    /the source gave 4097 bytes for 4096 \(after 2 tries\)$/,
    2,
  ],
  "no bytes": [[], /the source gave 0 bytes for 4096 \(after 2 tries\)$/, 2],
};

for (const [name, [parts, message, tries]] of Object.entries(BROKEN))
  test(`a source whose parts are ${name} is a failure`, async () => {
    const { source, device, clock, read, ask } = setUp(10, { retries: 1 });
    let asked = await ask(0, 1);
    for (let count = 1; count <= tries; count++) {
      for (const part of parts) asked.part(0, part);
      asked.end();
      await turns();
      if (count === tries) break;
      clock.advance(8000);
      await turns();
      asked = source.asked.at(-1)!;
    }
    assert.equal(read(0), RESULT.EUNSPEC);
    assert.match((device.failure as Error).message, message);
    assert.equal(source.asked.length, tries);
    await device.close();
  });

test("a part that is no Uint8Array is told to the source, and is a failure if it passes that on", async () => {
  const source: RangeSource = {
    size: PAGE,
    read: async () => new Uint8Array(0),
    readParts: async (_offset, _length, _signal, take) => take("bytes" as never),
  };
  const device = new RemoteDevice(source, { retries: 0 });
  device.read(0, new Uint8Array(512));
  await device.ready();
  assert.equal(device.read(0, new Uint8Array(512)), RESULT.EUNSPEC);
  assert.match((device.failure as Error).message, /the source gave "bytes", not a Uint8Array$/);
  await device.close();
});

test("closing ends a request, and what it still gives is dropped", async () => {
  const { device, clock, read, ask } = setUp(10);
  const asked = await ask(0, 3);
  asked.part(PAGE);
  await device.close();
  assert.ok(asked.signal.aborted);
  asked.part(PAGE);
  asked.end();
  await turns();
  assert.equal(read(1), RESULT.EUNSPEC);
  assert.equal(clock.pending, 0);
});

test("memory of pages is used again, and never while it is being kept", async () => {
  const kept = new Map<string, Uint8Array>();
  const store: PageStore = {
    get: async (key) => kept.get(key),
    async set(key, bytes) {
      await turns();
      kept.set(key, bytes);
    },
    delete: async (key) => void kept.delete(key),
  };
  const clock = new ManualClock();
  const pages = await CheckedPages.of(store, "an image", PAGE, clock);
  const { source, device, read, ask } = setUp(200, { cacheSize: 8 * PAGE }, { kept: pages });
  for (let page = 0; page < 200; page += 2) {
    const asked = await ask(page, 1);
    asked.give();
    await turns();
    assert.equal(read(page), RESULT.OK);
  }
  await device.close();
  assert.equal(kept.size, 100);
  const again = await CheckedPages.of(store, "an image", PAGE, clock);
  for (let page = 0; page < 200; page += 2)
    assert.deepEqual(await again!.get(page), source.bytes.slice(page * PAGE, (page + 1) * PAGE));
});

test("what is fetched ahead comes in requests of four mebibytes at the most", async () => {
  const { source, device, read } = setUp(8000, { cacheSize: 64 << 20 });
  for (let page = 0; page < 3000; page++)
    while (read(page) === RESULT.AGAIN) {
      await turns();
      for (const asked of source.asked) asked.give();
    }
  const largest = Math.max(...source.asked.map(({ length }) => length));
  assert.ok(largest > 1 << 20 && largest <= 4 << 20, `${largest}`);
  await device.close();
});
