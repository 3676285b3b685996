/** Pages, walks, streams, signals and closing: what a volume does besides whole files and whole directories. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockDevice, DocteurError, type Entry, MemoryDevice, open, RESULT } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { fixture } from "../support/fixtures.js";
import { SlowDevice } from "../support/slow-device.js";

/** Names whose order in git's trees is another than that of their bytes. */
const NAMES = ["a/x", "a-b", "a.c", "a0", "a-/y", "a-.", "b", "b!/z/q", "b/r", "é"].filter(
  (name) => name !== "b",
);

async function sample() {
  const files = Object.fromEntries(NAMES.map((name) => [name, name]));
  for (let index = 0; index < 5000; index++) files[`many/f${index}`] = `${index % 7}`;
  return (await makeImage(files)).image;
}

const image = await sample();

async function all(entries: AsyncIterable<Entry>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path, kind } of entries) paths.push(kind === "directory" ? `${path}/` : path);
  return paths;
}

test("pages of every length hold what the whole list holds", async () => {
  const volume = await open(image);
  for (const folder of ["/", "/many"]) {
    const whole = await volume.list(folder, { sizes: true });
    for (const limit of folder === "/" ? [1, 2, 3, 100] : [999, 5000]) {
      const pages: Entry[] = [];
      for (let after: Uint8Array | string = ""; ; after = pages.at(-1)!.nameBytes) {
        const page = await volume.list(folder, { sizes: true, limit, after });
        assert.ok(page.length <= limit);
        pages.push(...page);
        if (page.length < limit) break;
      }
      assert.deepEqual(pages, whole);
    }
    assert.deepEqual(
      await all(volume.entries(folder)),
      await all(
        (async function* () {
          yield* whole;
        })(),
      ),
    );
  }
  const names = (await volume.list("/", { after: "a-z" })).map(({ name }) => name);
  assert.deepEqual(names, ["a.c", "a0", "b", "b!", "many", "é"]);
  assert.deepEqual(await volume.list("/", { after: "\u{10ffff}".repeat(2000) }), []);
});

test("a walk comes in the order of names, or of paths", async () => {
  const volume = await open(image, { memoryLimit: 2 << 20 });
  const byPath = await all(volume.walk("/", { order: "path" }));
  assert.equal(byPath.length, NAMES.length + 5000 + 6);
  assert.deepEqual(
    byPath,
    [...byPath].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
  );
  const byName = await all(volume.walk());
  assert.deepEqual([...byName].sort(), [...byPath].sort());
  assert.deepEqual(byName.slice(0, 5), ["/a/", "/a/x", "/a-/", "/a-/y", "/a-."]);
  assert.deepEqual(await all(volume.walk("/a0")), ["/a0"]);
});

test("a list that memory has no room for is refused, and its entries can be had one by one", async () => {
  const volume = await open(image, { memoryLimit: 2 << 20 });
  await assert.rejects(volume.list("/many"), { code: "OutOfMemory" });
  assert.equal((await all(volume.entries("/many"))).length, 5000);
});

test("a stream gives the part that was asked for, reads nothing ahead, and can be cancelled", async () => {
  const volume = await open(fixture("aligned.img"));
  const whole = await volume.get("/r.bin");
  for (const [offset, length] of [
    [0, undefined],
    [7, 100],
    [whole.length - 3, 99],
    [whole.length, 5],
    [3, 0],
  ]) {
    const stream = volume.stream("/r.bin", { offset, length });
    const read = new Uint8Array(await new Response(stream).arrayBuffer());
    assert.deepEqual(read, new Uint8Array(whole.slice(offset, offset! + (length ?? whole.length))));
  }
  const reader = volume.stream("/r.bin").getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(10));
  assert.deepEqual([...value!], [...whole.subarray(0, 10)]);
  await reader.cancel();
  await assert.rejects(new Response(volume.stream("/nope")).arrayBuffer(), { code: "NotFound" });
  const before = volume.stats().deviceReads + volume.stats().sectorHits;
  volume.stream("/r.bin");
  assert.equal(volume.stats().deviceReads + volume.stats().sectorHits, before);
  const controller = new AbortController();
  const stream = volume.stream("/r.bin", { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(stream.getReader().read(), { message: "enough" });
});

test("text, readlink, maxSize, and paths in messages", async () => {
  const volume = await open(fixture("gitmodes.img"));
  assert.equal(await volume.readlink("/link.txt"), "hello.txt");
  await assert.rejects(volume.readlink("/hello.txt"), { code: "InvalidArgument" });
  const text = await volume.text("/hello.txt");
  assert.equal(text, new TextDecoder().decode(await volume.get("/hello.txt")));
  await assert.rejects(volume.get("/hello.txt", { maxSize: 1 }), { code: "ObjectTooLarge" });
  await assert.rejects(volume.object(volume.commit.oid, { maxSize: 1 }), { code: "ObjectTooLarge" });
  await assert.rejects(volume.get("/$&$1"), { message: "/$&$1 not found" });
});

/** Answers AGAIN and has no answer as long as it is stuck. */
class Stuck extends SlowDevice {
  stuck = false;
  closes = 0;
  override async ready(): Promise<void> {
    while (this.stuck) await new Promise((resolve) => setTimeout(resolve, 1));
    await super.ready();
  }
  async close(): Promise<void> {
    this.closes++;
    this.stuck = false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("closing ends what waits, once", async () => {
  const device = new Stuck(fixture("gitdelta.img"), 1);
  const volume = await open(device, { memoryLimit: 2 << 20 });
  device.stuck = true;
  const waiting = ["/d1/file001.txt", "/d2/file002.txt", "/d3/file003.txt"].map((path) => volume.get(path));
  const rejected = Promise.all(waiting.map((each) => assert.rejects(each, { code: "Closed" })));
  await Promise.all([volume.close(), volume.close(), volume.close()]);
  await rejected;
  assert.equal(device.closes, 1);
  await assert.rejects(volume.get("/d1/file001.txt"), { code: "Closed" });
});

test("a signal ends the operation that waits, or stands in the queue, and no other", async () => {
  const bytes = fixture("gitdelta.img");
  const expected = await (await open(bytes)).get("/d3/file003.txt");
  for (const aborted of [0, 1]) {
    const device = new Stuck(bytes, 2);
    const volume = await open(device, { memoryLimit: 2 << 20 });
    const controllers = [new AbortController(), new AbortController()];
    device.stuck = true;
    const reads = controllers.map(({ signal }) => volume.get("/d3/file003.txt", { signal }));
    controllers[aborted]!.abort(new Error("enough"));
    await assert.rejects(reads[aborted]!, { message: "enough" });
    device.stuck = false;
    if (aborted === 1) continue;
    assert.deepEqual(await reads[1]!, expected);
    assert.deepEqual(await volume.get("/d3/file003.txt"), expected);
  }
  const signal = AbortSignal.abort(new Error("before"));
  await assert.rejects(open(bytes, { signal }), { message: "before" });
  const volume = await open(bytes);
  for (const call of [
    volume.get("/d3/file003.txt", { signal }),
    volume.list("/", { signal }),
    volume.exists("/", { signal }),
  ])
    await assert.rejects(call, { message: "before" });
});

const WRONG: readonly unknown[] = [
  ...[undefined, null, true, 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 7n, Symbol("x")],
  ...["", "\ud800", "no such", "https://example.org/x", "file://%", "\0", {}, [], new Map(), () => undefined],
  ...[new Date(Number.NaN), new Uint16Array(3), new DataView(new ArrayBuffer(4)), new Blob(["x"]), /x/],
  ...[
    { folow: true },
    { follow: 1 },
    { signal: {} },
    { mode: "slow" },
    { module: {} },
    { limit: 0 },
    { read: 1 },
  ],
];

test("whatever the arguments, errors are DocteurErrors with a code", async () => {
  const volume = await open(fixture("tiny.img"));
  const methods = [
    "exists",
    "stat",
    "get",
    "getPartial",
    "text",
    "readlink",
    "stream",
    "list",
    "entries",
    "walk",
  ];
  methods.push("size", "digest", "lastModified", "object");
  const calls: [string, (...values: unknown[]) => unknown][] = methods.map((name) => [
    name,
    (...values) => (volume as unknown as Record<string, (...values: unknown[]) => unknown>)[name]!(...values),
  ]);
  calls.push(
    ["open", (source, options) => open(source as never, options as never)],
    ["MemoryDevice", (bytes, size) => new MemoryDevice(bytes as never, size as never)],
    ["makeImage", (files, options) => makeImage(files as never, options as never)],
  );
  let errors = 0;
  for (const [name, call] of calls)
    for (const first of [...WRONG, "/hello.txt", fixture("tiny.img")])
      for (const second of [...WRONG.slice(0, 3), ...WRONG.slice(-7)]) {
        try {
          const result = call(first, second, second, second);
          if (result instanceof ReadableStream) await new Response(result).arrayBuffer();
          else if (Symbol.asyncIterator in Object(result)) await all(result as AsyncIterable<Entry>);
          else await result;
        } catch (error) {
          assert.ok(
            error instanceof DocteurError && error.code.length > 0,
            `${name}(${String(first)}): ${error}`,
          );
          errors++;
        }
      }
  assert.ok(errors > 1000, `${errors} errors`);
});

test("misspelt options name the nearest, and sources without a device say so", async () => {
  const volume = await open(fixture("tiny.img"));
  await assert.rejects(volume.get("/x", { folow: true } as never), { hint: "did you mean follow?" });
  await assert.rejects(open(new ReadableStream() as never), /no device for/);
  await assert.rejects(open("ftp://example.org/disk.img"), /no device for ftp: URLs/);
  const broken: BlockDevice = { blockSize: 512, capacity: 513, read: () => RESULT.OK };
  await assert.rejects(open(broken), { code: "InvalidArgument" });
});
