/** An image as a mount of ZenFS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, fs, umount } from "@zenfs/core";
import { open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { Docteur } from "../../src/zenfs/index.js";
import { noise } from "../support/rich-image.js";

const large = noise(3 << 20, 5);
const FILES = {
  "docs/a.txt": "content",
  "docs/same.txt": "content",
  "docs/link": { link: "a.txt" },
  run: { content: "#!", executable: true },
  large,
} as const;

test("synchronous calls, and promises", async (t) => {
  const { image } = await makeImage(FILES, { date: new Date("2024-06-07T08:09:10Z") });
  await configure({ mounts: { "/site": { backend: Docteur, volume: openSync(image) } } });
  t.after(() => umount("/site"));
  assert.equal(fs.readFileSync("/site/docs/a.txt", "utf8"), "content");
  assert.equal(fs.readFileSync("/site/docs/link", "utf8"), "content");
  assert.equal(fs.readlinkSync("/site/docs/link"), "a.txt");
  assert.equal(await fs.promises.readFile("/site/docs/same.txt", "utf8"), "content");
  assert.deepEqual(fs.readdirSync("/site"), ["docs", "large", "run"]);
  assert.deepEqual(await fs.promises.readdir("/site/docs"), ["a.txt", "link", "same.txt"]);
  const stats = fs.statSync("/site/run");
  assert.deepEqual(
    [stats.size, stats.mode, stats.mtime.toISOString()],
    [2, 0o100755, "2024-06-07T08:09:10.000Z"],
  );
  assert.ok(fs.lstatSync("/site/docs/link").isSymbolicLink());
  assert.ok(fs.statSync("/site/docs").isDirectory());
  assert.ok(!fs.existsSync("/site/none"));
  // Two open files of equal content are two files.
  const [one, other] = [fs.openSync("/site/docs/a.txt", "r"), fs.openSync("/site/docs/same.txt", "r")];
  assert.notEqual(fs.fstatSync(one).ino, fs.fstatSync(other).ino);
  const part = Buffer.alloc(100);
  const fd = fs.openSync("/site/large", "r");
  assert.equal(fs.readSync(fd, part, 0, 100, 2_000_000), 100);
  assert.ok(part.equals(large.subarray(2_000_000, 2_000_100)));
  for (const open of [one, other, fd]) fs.closeSync(open);
  assert.ok(Buffer.from(await fs.promises.readFile("/site/large")).equals(large));
});

test("promises over an image that answers by promises", async (t) => {
  const { image } = await makeImage(FILES);
  await using volume = await open(image);
  await configure({ mounts: { "/remote": { backend: Docteur, volume } } });
  t.after(() => umount("/remote"));
  assert.equal(await fs.promises.readFile("/remote/docs/link", "utf8"), "content");
  assert.deepEqual(await fs.promises.readdir("/remote"), ["docs", "large", "run"]);
  assert.ok(Buffer.from(await fs.promises.readFile("/remote/large")).equals(large));
  await assert.rejects(fs.promises.readFile("/remote/none"), { code: "ENOENT" });
  assert.throws(() => fs.readFileSync("/remote/docs/a.txt"));
});

test("writes fail with EROFS", async (t) => {
  const { image } = await makeImage(FILES);
  await configure({ mounts: { "/ro": { backend: Docteur, volume: openSync(image) } } });
  t.after(() => umount("/ro"));
  const code = { code: "EROFS" };
  assert.throws(() => fs.writeFileSync("/ro/new", "x"), code);
  assert.throws(() => fs.mkdirSync("/ro/folder"), code);
  assert.throws(() => fs.unlinkSync("/ro/run"), code);
  assert.throws(() => fs.renameSync("/ro/run", "/ro/walk"), code);
  assert.throws(() => fs.rmdirSync("/ro/docs"), code);
  await assert.rejects(fs.promises.writeFile("/ro/run", "x"), code);
  await assert.rejects(fs.promises.mkdir("/ro/folder"), code);
  await assert.rejects(fs.promises.writeFile("/ro/run", "longer than before"), code);
  assert.throws(() => fs.appendFileSync("/ro/run", "x"), code);
  // Nothing of it shows.
  assert.equal(fs.readFileSync("/ro/run", "utf8"), "#!");
  assert.equal(await fs.promises.readFile("/ro/run", "utf8"), "#!");
});

test("a mount needs a volume", async () => {
  await assert.rejects(configure({ mounts: { "/none": { backend: Docteur } as never } }));
});
