/** `docteur/fs`: what no file system of the host can show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFs as createBrowserFs } from "../../src/fs/browser.js";
import { DECODERS } from "../../src/fs/encoding.js";
import { createFs } from "../../src/fs/index.js";
import { DocteurError, open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { noise } from "../support/rich-image.js";

const FILES = {
  "a/b/file": "content",
  "a/up": { link: "../../../a/b/file" },
  absolute: { link: "/a/b/file" },
  "a/b/root": { link: "/" },
  "empty-folder": { directory: true },
} as const;

test("links stay inside the image", async () => {
  const { image } = await makeImage(FILES);
  const fs = createFs(openSync(image));
  for (const path of [
    "/absolute",
    "/a/up",
    "absolute",
    "/../../absolute",
    "/a/b/root/a/b/file",
    "/a/b/root/../absolute",
  ])
    assert.equal(fs.readFileSync(path, "utf8"), "content", path);
  assert.equal(fs.realpathSync("/a/b/root/a/up"), "/a/b/file");
  assert.equal(fs.realpathSync.native("/a/b/root"), "/");
  assert.deepEqual(fs.readdirSync("/empty-folder"), []);
  assert.equal(fs.readlinkSync("/absolute"), "/a/b/file");
});

test("attributes come from the commit and the ids", async () => {
  const { image } = await makeImage(FILES, { date: new Date("2024-06-07T08:09:10Z") });
  const volume = openSync(image);
  const fs = createFs(volume);
  const stats = fs.statSync("/a/b/file");
  assert.equal(stats.mtime.toISOString(), "2024-06-07T08:09:10.000Z");
  assert.equal(stats.mtimeMs, volume.commit.date!.getTime());
  assert.equal(stats.ino, Number.parseInt(volume.digest("/a/b/file").slice(0, 13), 16));
  assert.deepEqual([stats.size, stats.blocks, stats.nlink, stats.mode], [7, 1, 1, 0o100644]);
  const big = fs.statSync("/a/b/file", { bigint: true });
  assert.equal(big.mtimeNs, BigInt(stats.mtimeMs) * 1_000_000n);
  assert.equal(big.ino, BigInt(stats.ino));
  assert.equal(fs.statfsSync("/").blocks, Math.ceil(volume.imageSize / 4096));
});

test("synchronous calls over a volume that is not", async () => {
  const { image } = await makeImage(FILES);
  await using volume = await open(image);
  const fs = createFs(volume) as ReturnType<typeof createFs> & {
    [name in string]: (path: string) => unknown;
  };
  for (const name of ["readFileSync", "statSync", "existsSync", "readdirSync", "realpathSync"])
    assert.throws(() => fs[name]!("/a"), { code: "InvalidArgument", hint: /openSync/ }, name);
  assert.equal(await fs.promises.readFile("/a/b/file", "utf8"), "content");
  const content = await new Promise((resolve) =>
    fs.readFile("/a/b/file", (_, found) => resolve(String(found))),
  );
  assert.equal(content, "content");
});

test("an image that is damaged is an input error, whose cause says more", async () => {
  const { image } = await makeImage({ file: noise(5000, 1) });
  image.fill(0xff, 3000, 3100);
  const volume = openSync(image);
  assert.throws(
    () => createFs(volume).readFileSync("/file"),
    (error: NodeJS.ErrnoException) => {
      assert.equal(error.message, "EIO: i/o error, read");
      assert.equal(error.errno, -5);
      assert.ok(error.cause instanceof DocteurError);
      return true;
    },
  );
});

test("a large file is read in ranges, by several handles at once", async () => {
  const size = 24 << 20;
  const large = Buffer.concat([
    noise(1 << 20, 1),
    Buffer.alloc(size - (2 << 20), "all work and no play\n"),
    noise(1 << 20, 2),
  ]);
  const { image } = await makeImage({ large });
  await using volume = await open(image, { memoryLimit: 8 << 20 });
  const fs = createFs(volume);
  const before = volume.stats().inflatedBytes;
  let held = 0;
  const read = async (start: number): Promise<number> => {
    let at = start;
    for await (const part of fs.createReadStream("/large", { start })) {
      const piece = part as Buffer;
      held = Math.max(held, piece.length);
      assert.ok(piece.equals(large.subarray(at, at + piece.length)), `${at}`);
      at += piece.length;
    }
    return at;
  };
  assert.deepEqual(await Promise.all([0, 1, size - 100, 12 << 20].map(read)), [size, size, size, size]);
  assert.ok(held <= 65536, `${held}`);
  assert.ok(volume.stats().memoryBytes <= 8 << 20);
  // Readers that go on side by side share what is inflated, but for the windows of the latest.
  assert.ok(volume.stats().inflatedBytes - before < 4 * size, `${volume.stats().inflatedBytes - before}`);
});

test("a signal refuses a read, with Node's error", async () => {
  const { image } = await makeImage({ file: "content" });
  await using volume = await open(image);
  const controller = new AbortController();
  const fs = createFs(volume);
  controller.abort(new Error("enough"));
  await assert.rejects(
    fs.promises.readFile("/file", { signal: controller.signal }),
    (error: Error & { code: string }) => {
      assert.deepEqual(
        [error.name, error.code, (error.cause as Error).message],
        ["AbortError", "ABORT_ERR", "enough"],
      );
      return true;
    },
  );
});

test("stat by promise and by callback gives undefined where there is nothing, as from Node 24 on", async () => {
  const { image } = await makeImage({ file: "content" });
  await using volume = await open(image);
  const fs = createFs(volume);
  const options = { throwIfNoEntry: false } as const;
  for (const path of ["/none", "/file/below"]) {
    assert.equal(await fs.promises.stat(path, options), undefined);
    const [error, stats] = await new Promise<unknown[]>((resolve) =>
      fs.stat(path, options as object, (...given: unknown[]) => resolve(given)),
    );
    assert.deepEqual({ error, stats }, { error: null, stats: undefined });
    await assert.rejects(fs.promises.stat(path), { code: /ENOENT|ENOTDIR/ });
    await assert.rejects(fs.promises.lstat(path, options as object), { code: /ENOENT|ENOTDIR/ });
  }
  assert.equal((await fs.promises.stat("/file", options))?.size, 7);
});

test("descriptors of two file systems are never equal", async () => {
  const { image } = await makeImage({ file: "content" });
  const [one, other] = [createFs(openSync(image)), createFs(openSync(image))];
  const fd = one.openSync("/file");
  assert.notEqual(other.openSync("/file"), fd);
  assert.throws(() => other.fstatSync(fd), { code: "EBADF" });
  assert.ok(fd >= 0x40000000);
});

test("bytes become text without Buffer as with it", () => {
  const bytes = Buffer.concat([
    noise(999, 3),
    Buffer.from("\ufeffé😀\ud800", "utf16le"),
    Buffer.from([0x3d]),
  ]);
  for (const [encoding, decode] of Object.entries(DECODERS))
    for (let length = 0; length < bytes.length; length += 7) {
      const part = bytes.subarray(0, length);
      assert.equal(decode(part), part.toString(encoding as BufferEncoding), `${encoding}, ${length}`);
    }
});

test("streams of Node's are refused where there is no Node", async () => {
  const { image } = await makeImage({ file: "content" });
  const fs = createBrowserFs(openSync(image));
  assert.throws(() => fs.createReadStream("/file"), { code: "InvalidArgument", hint: /readableWebStream/ });
  assert.throws(() => createFs({} as never), { code: "InvalidArgument" });
});
