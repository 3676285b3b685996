/** The device over sources of ranges that fail, stall, or break their contract. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteDevice } from "../../src/devices/remote.js";
import { type DocteurError, RESULT, TransientError } from "../../src/index.js";
import { PAGE, setUp, turns } from "../support/remote-device.js";

test("a failure that may pass is tried again, after pauses that grow; each has a random part", async () => {
  const { source, device, clock, read } = setUp(10);
  assert.equal(read(3), RESULT.AGAIN);
  const ready = device.ready();
  for (const [index, pause] of [187.5, 375, 750].entries()) {
    await turns();
    assert.equal(source.asked.length, index + 1);
    source.asked[index]!.fail(new TransientError("busy"));
    await turns();
    assert.equal(clock.pauses.at(-1), pause);
    clock.advance(pause);
  }
  await turns();
  source.asked[3]!.give();
  await ready;
  assert.equal(read(3), RESULT.OK);
  const { requests, retries, bytes, roundTrips, misses, hits } = device.stats();
  assert.deepEqual([requests, retries, bytes, roundTrips, misses, hits], [4, 3, PAGE, 1, 1, 0]);
  await turns();
  assert.equal(clock.pending, 0);
  await device.close();
});

test("a pause that the other side asks for is kept to, up to a minute", async () => {
  const { source, device, clock, read } = setUp(10);
  read(3);
  await turns();
  source.asked[0]!.fail(new TransientError("busy", { retryAfter: 60_000 }));
  await turns();
  assert.equal(clock.pauses.at(-1), 60_000);
  clock.advance(59_999);
  await turns();
  assert.equal(source.asked.length, 1);
  clock.advance(1);
  await turns();
  const ready = device.ready();
  source.asked[1]!.fail(new TransientError("busy", { retryAfter: 60_001 }));
  await ready;
  assert.equal(read(3), RESULT.EUNSPEC);
  const { code, hint } = device.failure as DocteurError;
  assert.deepEqual([code, hint], ["Network", "the server asks to try again after 61 seconds"]);
  await device.close();
});

test("a failure is told to each read that waits for the page, once; then the page is asked for anew", async () => {
  const { source, device, read } = setUp(10);
  // Three reads of one page, and one of its neighbour.
  for (const page of [3, 3, 3, 4]) assert.equal(read(page), RESULT.AGAIN);
  const ready = device.ready();
  await turns();
  source.asked[0]!.fail(new Error("gone"));
  await ready;
  for (const page of [3, 3, 3, 4]) {
    assert.equal(read(page), RESULT.EUNSPEC);
    const { code, message, url, cause } = device.failure as DocteurError;
    assert.equal(code, "Io");
    assert.equal(message, "https://host.invalid/disk.img: gone");
    assert.equal(url, "https://host.invalid/disk.img");
    assert.equal((cause as Error).message, "gone");
  }
  assert.equal(source.asked.length, 1);
  assert.equal(read(3), RESULT.AGAIN);
  await turns();
  source.asked[1]!.give();
  await turns();
  assert.equal(read(3), RESULT.OK);
  await device.close();
});

test("a read of several pages that have failed is told so once", async () => {
  const { source, device, read } = setUp(10);
  assert.equal(read(0, 4), RESULT.AGAIN);
  await turns();
  source.asked[0]!.fail(new Error("gone"));
  await turns();
  assert.equal(read(0, 4), RESULT.EUNSPEC);
  for (const page of [0, 1, 2, 3]) assert.equal(read(page), RESULT.AGAIN);
  await device.close();
});

test("a failure that nobody asked about is forgotten, and one that is polled for is not", async () => {
  const { source, device, clock, read } = setUp(10);
  read(3);
  await turns();
  source.asked[0]!.fail(new Error("gone"));
  await turns();
  clock.advance(4000);
  assert.equal(read(3), RESULT.EUNSPEC);
  read(3);
  await turns();
  source.asked[1]!.fail(new Error("gone"));
  await turns();
  // The reader that waited has given up. A later read must not get its error.
  clock.advance(5000);
  assert.equal(read(3), RESULT.AGAIN);
  await device.close();
});

test("a read does not fail because fetching ahead has failed", async () => {
  const { source, device, read } = setUp(1000);
  assert.equal(read(0, 1), RESULT.AGAIN);
  await turns();
  source.asked[0]!.give();
  await turns();
  assert.equal(read(0, 1), RESULT.OK);
  // The second page of a stream, and eight ahead.
  assert.equal(read(1, 1), RESULT.AGAIN);
  await turns();
  assert.deepEqual(source.pages(PAGE), ["0+1", "1+9"]);
  source.asked[1]!.give();
  await turns();
  assert.equal(read(1, 1), RESULT.OK);
  for (const page of [2, 3]) assert.equal(read(page, 1), RESULT.OK);
  await turns();
  assert.deepEqual(source.pages(PAGE).slice(2), ["10+10"]);
  source.asked[2]!.fail(new Error("gone"));
  await turns();
  for (const page of [4, 9]) assert.equal(read(page), RESULT.OK);
  assert.equal(read(10), RESULT.AGAIN);
  await turns();
  source.asked.find(({ offset, length }) => offset === 10 * PAGE && length === PAGE)!.give();
  await turns();
  assert.equal(read(10), RESULT.OK);
  await device.close();
});

const BROKEN: Record<string, [answer: unknown, message: RegExp, tries: number]> = {
  "fewer bytes": [new Uint8Array(10), /the source gave 10 bytes for 4096 \(after 4 tries\)$/, 4],
  "more bytes": [new Uint8Array(PAGE + 1), /the source gave 4097 bytes for 4096 \(after 4 tries\)$/, 4],
  nothing: [undefined, /the source gave undefined, not a Uint8Array$/, 1],
  "a string": ["x".repeat(PAGE), /the source gave "x+…", not a Uint8Array$/, 1],
  "an ArrayBuffer": [new ArrayBuffer(PAGE), /the source gave an object, not a Uint8Array$/, 1],
};

for (const [name, [answer, message, tries]] of Object.entries(BROKEN))
  test(`a source that gives ${name} is a failure`, async () => {
    const { source, device, clock, read } = setUp(10);
    read(0);
    const ready = device.ready();
    for (let count = 0; count < tries; count++) {
      await turns();
      source.asked[count]!.give(answer);
      await turns();
      if (count < tries - 1) clock.advance(8000);
    }
    await ready;
    assert.equal(read(0), RESULT.EUNSPEC);
    assert.match((device.failure as Error).message, message);
    assert.equal(source.asked.length, tries);
    await device.close();
  });

test("a source that never answers is given up, try by try, and told so", async () => {
  const { source, device, clock, read } = setUp(10, { timeout: 1000, retries: 2 });
  read(0);
  await clock.runUntil(device.ready());
  assert.equal(read(0), RESULT.EUNSPEC);
  const limit = Math.ceil(1000 + PAGE / 32.768);
  const message = `https://host.invalid/disk.img: no complete answer within ${limit} ms (after 3 tries)`;
  assert.equal((device.failure as Error).message, message);
  assert.equal(source.asked.length, 3);
  assert.ok(source.asked.every(({ signal }) => signal.aborted));
  assert.equal(clock.pending, 0);
  // An answer that comes after all changes nothing.
  source.asked[0]!.give();
  source.asked[1]!.fail(new Error("late"));
  await turns();
  assert.equal(read(0), RESULT.AGAIN);
  await device.close();
});

test("a source that throws, or throws what is no error, is a failure", async () => {
  const thrown: [unknown, RegExp][] = [
    [new TypeError("a fault"), /^the source: a fault$/],
    ["a string", /^the source: a string$/],
    [undefined, /^the source: undefined$/],
  ];
  for (const [error, message] of thrown) {
    const read = (): never => {
      throw error;
    };
    const device = new RemoteDevice({ size: 4096, read }, { retries: 0 });
    device.read(0, new Uint8Array(512));
    await device.ready();
    assert.equal(device.read(0, new Uint8Array(512)), RESULT.EUNSPEC);
    assert.match((device.failure as Error).message, message);
    await device.close();
  }
});
