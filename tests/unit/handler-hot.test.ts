/** What a handler remembers: small files and where URLs led, within a bound, and of one image alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHandler, type ServedVolume } from "../../src/http/index.js";
import { Lru } from "../../src/http/lru.js";
import { volumeOf } from "../support/site.js";

/** A volume whose calls are counted. */
async function counted(
  files: Record<string, string>,
): Promise<{ volume: ServedVolume; calls: () => number }> {
  const volume = await volumeOf(files);
  let count = 0;
  const through =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      count++;
      return call(...args);
    };
  const served = {
    commit: volume.commit,
    stat: through(volume.stat.bind(volume)),
    getPartial: through(volume.getPartial.bind(volume)),
    stream: through(volume.stream.bind(volume)),
    entries: through(volume.entries.bind(volume)),
  };
  const calls = (): number => {
    const before = count;
    count = 0;
    return before;
  };
  return { volume: served, calls };
}

const get = (path: string, headers: Record<string, string> = {}): Request =>
  new Request(`http://h${path}`, { headers });

test("the second request for a small file reads nothing, and is answered as the first", async () => {
  const files = {
    "a.txt": "0123456789",
    "a.txt.gz": "packed",
    "about.html": "about",
    "dir/index.html": "dir",
  };
  const { volume, calls } = await counted(files);
  const handler = createHandler(volume);
  const asked: [path: string, fields: Record<string, string>, text: string][] = [
    ["/a.txt", {}, "0123456789"],
    ["/a.txt", { "accept-encoding": "gzip" }, "packed"],
    ["/a.txt?query", {}, "0123456789"],
    ["/about", {}, "about"],
    ["/dir/", {}, "dir"],
    ["/a.txt", { range: "bytes=2-4" }, "234"],
  ];
  const answers: string[][] = [[], []];
  for (const round of answers)
    for (const [path, fields, text] of asked) {
      const response = await handler(get(path, fields));
      assert.equal(await response.text(), text);
      round.push(JSON.stringify([response.status, [...response.headers]]));
      const count = calls();
      if (round === answers[1]) assert.equal(count, 0, path);
    }
  assert.deepEqual(answers[1], answers[0]);
  // What is given out is not what is remembered.
  const bytes = new Uint8Array(await (await handler(get("/a.txt"))).arrayBuffer());
  bytes.fill(0);
  assert.equal(await (await handler(get("/a.txt"))).text(), "0123456789");
});

test("another volume, or none to remember", async () => {
  const one = await counted({ "a.txt": "one", "gone.txt": "x" });
  const two = await counted({ "a.txt": "two" });
  let current = one.volume;
  const handler = createHandler(() => current);
  assert.equal(await (await handler(get("/a.txt"))).text(), "one");
  assert.equal((await handler(get("/gone.txt"))).status, 200);
  current = two.volume;
  assert.equal(await (await handler(get("/a.txt"))).text(), "two");
  assert.equal((await handler(get("/gone.txt"))).status, 404);
  const forgetful = createHandler(one.volume, { cacheSize: 0 });
  one.calls();
  await forgetful(get("/a.txt"));
  const first = one.calls();
  await forgetful(get("/a.txt"));
  assert.equal(one.calls(), first);
});

test("errors that break content off are told", async () => {
  const { volume } = await counted({ "large.bin": "x".repeat(600_000) });
  const error = new Error("damaged");
  const broken: ServedVolume = {
    ...volume,
    stream: () => {
      let count = 0;
      return new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (++count > 1) throw error;
            controller.enqueue(new Uint8Array(1000));
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  const told: unknown[] = [];
  const response = await createHandler(broken, { onError: (one) => told.push(one) })(get("/large.bin"));
  await assert.rejects(response.arrayBuffer());
  assert.deepEqual(told, [error]);
});

test("the bound holds, and what was used last stays", () => {
  const lru = new Lru<number>(100);
  for (let key = 0; key < 1000; key++) {
    lru.set(`k${key}`, key, 1 + (key % 30));
    assert.equal(lru.get("k0"), 0);
    assert.ok(lru.weight <= 100);
  }
  assert.equal(lru.get("k1"), undefined);
  lru.set("large", 1, 101);
  assert.equal(lru.get("large"), undefined);
  lru.set("k0", 5, 2);
  assert.equal(lru.get("k0"), 5);
});
