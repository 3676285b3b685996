/** The device over a source of ranges: the contract, and what it asks for and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteDevice } from "../../src/devices/remote.js";
import { type DocteurError, type RangeSource, RESULT, TransientError } from "../../src/index.js";
import { sourceContract } from "../contract/sources.js";
import { seeded } from "../support/random.js";
import { PAGE, setUp, turns } from "../support/remote-device.js";
import { ScriptedSource } from "../support/scripted-source.js";

function memorySource(bytes: Uint8Array): RangeSource {
  return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
}

sourceContract("memory", memorySource);
sourceContract("memory, late and out of order", (bytes) => ({
  size: bytes.length,
  async read(offset, length) {
    for (let turns = (offset / 512) % 5; turns >= 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    return bytes.slice(offset, offset + length);
  },
}));
sourceContract("memory, with all of it read before", (bytes) => ({
  ...memorySource(bytes),
  prefetched: [{ offset: 0, bytes }],
}));

test("pages that are asked for in one turn, and lie beside each other, come in one request", async () => {
  const { source, device, read } = setUp(100);
  for (const page of [12, 10, 40, 11, 41, 10]) assert.equal(read(page), RESULT.AGAIN);
  assert.equal(source.asked.length, 0);
  await turns();
  assert.deepEqual(source.pages(PAGE), ["10+3", "40+2"]);
  // What is on its way is not asked for again.
  assert.equal(read(11), RESULT.AGAIN);
  await turns();
  assert.equal(source.asked.length, 2);
  const ready = device.ready();
  source.asked[0]!.give();
  await ready;
  for (const page of [10, 11, 12]) assert.equal(read(page), RESULT.OK);
  assert.equal(read(40), RESULT.AGAIN);
  await device.close();
});

test("a request is of one mebibyte at the most", async () => {
  const { source, device, read } = setUp(1000);
  assert.equal(read(0, 600), RESULT.AGAIN);
  await turns();
  assert.deepEqual(source.pages(PAGE), ["0+256", "256+256", "512+88"]);
  for (const asked of source.asked) asked.give();
  await turns();
  assert.equal(read(0, 600), RESULT.OK);
  await device.close();
});

test("no more requests run at a time than allowed, and those first that somebody waits for", async () => {
  const { source, device, read } = setUp(1000, { concurrency: 3 });
  for (const page of [0, 10, 20, 30, 40]) read(page);
  await turns();
  assert.deepEqual(source.pages(PAGE), ["0+1", "10+1", "20+1"]);
  source.asked[1]!.give();
  await turns();
  assert.deepEqual(source.pages(PAGE).slice(3), ["30+1"]);
  // A stream has pages fetched ahead: they leave one request free.
  source.asked[0]!.give();
  await turns();
  assert.deepEqual(source.pages(PAGE).slice(4), ["40+1"]);
  await device.close();
});

test("a stream has the pages ahead of it fetched, more and more; random reads have none", async () => {
  const { source, device, read } = setUp(4000, { cacheSize: 64 << 20 });
  const settle = async (page: number, pages?: number): Promise<void> => {
    while (read(page, pages) === RESULT.AGAIN) {
      await turns();
      for (const asked of source.asked) asked.give();
    }
  };
  for (const page of [900, 17, 400, 33, 2000, 19, 403]) {
    const before = source.asked.length;
    await settle(page, 1);
    await turns();
    assert.deepEqual(source.pages(PAGE).slice(before), [`${page}+1`]);
  }
  const before = source.asked.length;
  for (let page = 1000; page < 1600; page++) await settle(page, 1);
  const streamed = source.asked.slice(before);
  assert.ok(streamed.length < 32, `${streamed.length} requests for 600 pages`);
  const bytes = streamed.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes <= 600 * PAGE + (8 << 20) + (1 << 20), `${bytes} bytes`);
  const pages = new Set<number>();
  for (const { offset, length } of streamed)
    for (let page = offset / PAGE; page < (offset + length) / PAGE; page++) {
      assert.ok(!pages.has(page), `page ${page} twice`);
      pages.add(page);
    }
  await device.close();
});

test("two streams by turns are both fetched ahead", async () => {
  const { source, device, read } = setUp(4000, { cacheSize: 64 << 20 });
  for (let step = 0; step < 300; step++)
    for (const page of [100 + step, 3000 + step])
      while (read(page, 1) === RESULT.AGAIN) {
        await turns();
        for (const asked of source.asked) asked.give();
      }
  assert.ok(source.asked.length < 40, `${source.asked.length} requests for 600 pages`);
  await device.close();
});

/** Small reads, each settled before the next; then how many pages were fetched that none of them touched. */
async function wasted(offsets: readonly number[], length: number): Promise<number> {
  const { source, device } = setUp(4000, { cacheSize: 64 << 20 });
  const touched = new Set<number>();
  const target = new Uint8Array(length);
  for (const offset of offsets) {
    for (let at = offset; at < offset + length; at += 512) touched.add(Math.floor(at / PAGE));
    while (device.read(offset, target) === RESULT.AGAIN) {
      await turns();
      for (const asked of source.asked) asked.give();
    }
  }
  await turns();
  await device.close();
  const fetched = source.asked.reduce((sum, asked) => sum + Math.ceil(asked.length / PAGE), 0);
  return fetched - touched.size;
}

test("small reads that lie apart, in order, have nothing fetched ahead", async () => {
  // As trees among blobs: a sector of each page, of each second one, or two sectors of each.
  const offsets = Array.from({ length: 500 }, (_, index) => index * PAGE);
  assert.equal(await wasted(offsets, 512), 0);
  assert.equal(await wasted(offsets, 1024), 0);
  assert.equal(
    await wasted(
      offsets.map((offset) => 2 * offset),
      PAGE,
    ),
    0,
  );
});

test("reads all over a few pages, as of an index, have nothing fetched ahead", async () => {
  const random = seeded(3);
  const offsets = Array.from({ length: 2000 }, () => random(24 * 8) * 512);
  assert.equal(await wasted(offsets, 512), 0);
});

test("what a stream has fetched ahead is bounded by what it has read", async () => {
  for (const pages of [3, 6, 12, 24, 100]) {
    const offsets = Array.from({ length: pages }, (_, index) => index * PAGE);
    const ahead = await wasted(offsets, PAGE);
    assert.ok(ahead > 0 && ahead <= 4 * pages, `${ahead} pages ahead of ${pages}`);
  }
});

test("no more pages are kept than the cache has room for, but those of one read", async () => {
  const { source, device, read } = setUp(300, { cacheSize: 10 * PAGE });
  const settle = async (page: number, pages?: number): Promise<void> => {
    while (read(page, pages) === RESULT.AGAIN) {
      await turns();
      for (const asked of source.asked) asked.give();
    }
  };
  for (let page = 0; page < 40; page += 2) await settle(page);
  const before = source.asked.length;
  for (let page = 38; page >= 20; page -= 2) await settle(page);
  assert.equal(source.asked.length, before);
  await settle(0);
  assert.equal(source.asked.length, before + 1);
  await settle(100, 150);
  await device.close();
});

test("what opening has read is not asked for, and counts", async () => {
  const scripted = new ScriptedSource(100 * PAGE + 512);
  const source: RangeSource = {
    size: scripted.size,
    read: (offset, length, signal) => scripted.read(offset, length, signal),
    prefetched: [
      { offset: 0, bytes: scripted.bytes.slice(0, 2 * PAGE) },
      { offset: 98 * PAGE + 512, bytes: scripted.bytes.slice(98 * PAGE + 512) },
    ],
  };
  const device = new RemoteDevice(source, { pageSize: PAGE });
  const sector = new Uint8Array(512);
  assert.equal(device.read(0, sector), RESULT.AGAIN, "the first read tells that the device is slow");
  await device.ready();
  for (const page of [0, 1, 99, 100])
    assert.equal(device.read(page * PAGE, sector), RESULT.OK, `page ${page}`);
  assert.deepEqual(sector, scripted.bytes.subarray(100 * PAGE));
  assert.equal(device.read(98 * PAGE, sector), RESULT.AGAIN);
  const { requests, roundTrips, bytes, hits } = device.stats();
  assert.deepEqual([requests, roundTrips, hits], [2, 1, 4]);
  assert.equal(bytes, 2 * PAGE + 2 * PAGE);
  await device.close();
});

test("the source's bytes are copied: it may use its memory again", async () => {
  const { source, device, read } = setUp(10);
  read(0);
  await turns();
  const bytes = source.bytes.slice(0, PAGE);
  source.asked[0]!.give(bytes);
  await turns();
  bytes.fill(0);
  assert.equal(read(0), RESULT.OK);
  await device.close();
});

test("closing ends what runs and what waits, and closes the source once", async () => {
  const { source, device, clock, read } = setUp(100, { concurrency: 2 });
  for (const page of [0, 10, 20, 30]) read(page);
  await turns();
  const ready = device.ready();
  source.asked[0]!.fail(new TransientError("busy"));
  await turns();
  await Promise.all([device.close(), device.close()]);
  await ready;
  assert.ok(source.asked.slice(1).every(({ signal }) => signal.aborted));
  assert.equal(clock.pending, 0);
  assert.equal(source.closed, 1);
  assert.equal(read(0), RESULT.EUNSPEC);
  assert.equal((device.failure as DocteurError).code, "Closed");
  // What comes now is nobody's.
  source.asked[1]!.give();
  await turns();
  assert.equal(read(10), RESULT.EUNSPEC);
  assert.equal(source.asked.length, 2);
  await device.ready();
});

test("pages fetched ahead leave one request free for what somebody waits for", async () => {
  const { source, device, read } = setUp(4000, { concurrency: 2 });
  for (const page of [0, 1]) {
    read(page, 1);
    await turns();
    source.asked.at(-1)!.give();
    await turns();
  }
  // A stream and its next pages: one request for those ahead, and no more of them.
  for (const page of [2, 3, 4, 5, 6]) read(page, 1);
  await turns();
  const running = source.asked.length;
  assert.equal(running, 3);
  read(3000);
  await turns();
  assert.deepEqual(source.pages(PAGE).slice(running), ["3000+1"]);
  await device.close();
});

test("reads that ask again while they wait do not count twice", async () => {
  const { source, device, read } = setUp(100);
  read(3);
  read(50);
  await turns();
  for (let round = 0; round < 5; round++) {
    // Something else arrives, and everybody who waits asks again.
    source.asked.at(-1)!.give();
    await turns();
    read(3);
    read(60 + 5 * round);
    await turns();
  }
  source.asked[0]!.fail(new Error("gone"));
  await turns();
  assert.equal(read(3), RESULT.EUNSPEC);
  assert.equal(read(3), RESULT.AGAIN);
  await device.close();
});

test("a page that several reads wait for is awaited once", async () => {
  const { source, device, read } = setUp(100);
  for (let count = 0; count < 3; count++) read(3);
  await turns();
  const ready = device.ready();
  source.asked[0]!.give();
  await ready;
  // Nothing is on its way any more.
  await device.ready();
  assert.equal(device.stats().misses, 1);
  await device.close();
});

test("ready resolves where nothing is awaited, and for news that came while nobody waited", async () => {
  const { source, device, read } = setUp(100);
  await device.ready();
  read(0);
  read(50);
  await turns();
  source.asked[0]!.give();
  await turns();
  await device.ready();
  assert.equal(read(0), RESULT.OK);
  assert.equal(read(50), RESULT.AGAIN);
  let isReady = false;
  void device.ready().then(() => {
    isReady = true;
  });
  await turns();
  assert.ok(!isReady);
  source.asked[1]!.give();
  await turns();
  assert.ok(isReady);
  await device.close();
});

test("round trips are the longest chain of requests that waited for each other", async () => {
  const { source, device, read } = setUp(100);
  for (const page of [0, 20, 40]) read(page);
  await turns();
  for (const asked of source.asked) asked.give();
  await turns();
  assert.equal(device.stats().roundTrips, 1);
  read(60);
  await turns();
  source.asked[3]!.give();
  await turns();
  assert.equal(device.stats().roundTrips, 2);
  assert.equal(device.stats().requests, 4);
  await device.close();
});
