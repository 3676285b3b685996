/** Archives that are damaged, or made to do harm: one test for each thing that is refused. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { make } from "../../src/make/index.js";
import { ExcludePatterns } from "../../src/make/source/exclude.js";
import type { Listing } from "../../src/make/source/listing.js";
import type { ArchiveOptions } from "../../src/make/source/member-paths.js";
import { listTar } from "../../src/make/source/tar.js";
import { archiveOf } from "../support/archive.js";
import { pathsOf } from "../support/listing.js";
import { fixChecksum, paxHeader, type TarMember, tarMember, tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

function list(archive: Uint8Array, options: Partial<ArchiveOptions> = {}): Promise<Listing> {
  return listTar(archiveOf(archive), { exclude: new ExcludePatterns([]), skipSpecial: false, ...options });
}

async function refuses(archive: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(list(archive), { code: "BadSource", message });
}

const SOUND: TarMember[] = [
  { name: "a/", type: "5" },
  { name: "a/file", content: "x".repeat(700) },
  paxHeader({ path: "a/long" }),
  { name: "a/short", content: "y" },
];

test("an archive that is cut off, wherever that is", async () => {
  const whole = tarOf(...SOUND);
  assert.deepEqual(pathsOf(await list(whole)), ["a/", "a/file", "a/long"]);
  const end = whole.length - 1024;
  // Where a member ends, so may an archive; the extended header is the next one's.
  const ends = [512, 2048, end];
  for (let length = 256; length <= end; length += 256)
    if (length === 256) await refuses(whole.subarray(0, length), /is not an archive: neither tar nor zip$/);
    else if (length === 3072)
      await refuses(whole.subarray(0, length), /: an extended header that belongs to nothing, at byte 2048 /);
    else if (!ends.includes(length))
      await refuses(whole.subarray(0, length), /: it is cut off.*, at byte \d+ of the archive$/);
  await refuses(
    whole.subarray(0, end + 511),
    /: it is cut off: it has 4607 bytes, and should go on, at byte 4096 /,
  );
  const notices: string[] = [];
  const options = { onNotice: (text: string) => notices.push(text) };
  for (const length of ends) await list(whole.subarray(0, length), options);
  assert.deepEqual(
    notices,
    Array(3).fill("archive: it ends without blocks of zeros: what may have followed is lost"),
  );
  // One block of zeros is an end: GNU tar takes it for one, too.
  assert.deepEqual(pathsOf(await list(whole.subarray(0, end + 512), options)), ["a/", "a/file", "a/long"]);
  assert.equal(notices.length, 3);
  const alone = Buffer.concat([whole.subarray(0, end + 512), tarOf({ name: "more" })]);
  assert.deepEqual(pathsOf(await list(alone, options)), ["a/", "a/file", "a/long"]);
  assert.equal(
    notices[3],
    "archive: a lone block of zeros before byte 4608 ends it: what follows is not read",
  );
  // What follows the end is nobody's.
  await list(Buffer.concat([whole, Buffer.alloc(100, "garbage")]));
});

test("what is no archive", async (t) => {
  const work = temporaryFolder(t);
  const cases: [Uint8Array, RegExp][] = [
    [Buffer.alloc(0), /is not an archive: neither tar nor zip$/],
    [Buffer.from("some text"), /is not an archive: neither tar nor zip$/],
    [Buffer.alloc(2048, "more than a block of text\n"), /is not an archive: neither tar nor zip$/],
    [Buffer.alloc(100), /is not an archive: neither tar nor zip$/],
    [gzipSync("no archive"), /is not an archive: neither tar nor zip$/],
    [Buffer.from("LZIP"), /is compressed by lzip, which is not inflated here$/],
    [gzipSync(gzipSync("twice")), /is compressed by gzip inside another compression$/],
    [gzipSync(tarOf(...SOUND)).subarray(0, 60), /: its compression is damaged: unexpected end of file$/],
    [Buffer.from("1f8b0800", "hex"), /: its compression is damaged: unexpected end of file$/],
    [Buffer.from("1f8bffffffffffffffffffff", "hex"), /: its compression is damaged: /],
  ];
  for (const [bytes, message] of cases) {
    writeFileSync(join(work, "source"), bytes);
    await assert.rejects(make(join(work, "source"), join(work, "image")), { code: "BadSource", message });
    assert.deepEqual(readdirSync(work), ["source"]);
  }
});

test("a wrong checksum", async () => {
  for (const [at, offset] of [
    [1030, 512],
    [2048 + 3, 2048],
  ] as const) {
    const archive = tarOf(...SOUND);
    archive[at === 1030 ? 520 : at]! ^= 1;
    await refuses(archive, new RegExp(`: a header whose checksum is wrong, at byte ${offset} `));
  }
});

test("sums of signed bytes are checksums, too", async () => {
  const member = tarMember({ name: "\xff\xfe" });
  const sum = member.subarray(0, 512).reduce((total, byte, at) => {
    const value = at >= 148 && at < 156 ? 0x20 : byte;
    return total + (value < 0x80 ? value : value - 0x100);
  }, 0);
  member.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  assert.deepEqual(pathsOf(await list(Buffer.concat([member, Buffer.alloc(1024)]))), ["\xff\xfe"]);
});

test("numbers that are none, sizes below 0 and beyond everything", async () => {
  const binary = (first: number, rest: number): Buffer =>
    Buffer.from([first, ...Array<number>(11).fill(rest)]);
  const cases: [TarMember["size"], RegExp][] = [
    ["-0000000001\0", /: a header with a field that is not a number, at byte 0 /],
    ["00000000009\0", /: a header with a field that is not a number, at byte 0 /],
    ["0x000000000\0", /: a header with a field that is not a number, at byte 0 /],
    [binary(0xff, 0xff), /: a header with a size below 0, at byte 0 /],
    [binary(0xff, 0x80), /: a header with a field that is not a number, at byte 0 /],
    [binary(0x80, 0xff), /: a header with a field that is not a number, at byte 0 /],
    [binary(0xc0, 0), /: a header with a field that is not a number, at byte 0 /],
    ["777777777777", /: it is cut off in a: it has 1536 bytes, at byte 0 /],
    [Buffer.from([0x80, 0, 0, 0, 0, 0x1f, ...Array<number>(6).fill(0xff)]), /: it is cut off in a: /],
  ];
  for (const [size, message] of cases) await refuses(tarOf({ name: "a", size: size! }), message);
  for (const size of ["-1", "1e3", "99999999999999999999", "0x10", " 1", "1.5", ""])
    await refuses(tarOf(paxHeader({ size }), { name: "a" }), /: a damaged extended header, at byte 0 /);
  for (const mtime of ["never", "1e999", "99999999999999999999", "--1", ""])
    await refuses(tarOf(paxHeader({ mtime }), { name: "a" }), /: a damaged extended header, at byte 0 /);
  await refuses(tarOf(paxHeader({ size: "9007199254740991" }), { name: "a" }), /: it is cut off in a: /);
  // GNU tar finds no number in blanks, and skips the member.
  await refuses(tarOf({ name: "a", size: "            " }), /: a header with a field that is not a number, /);
});

test("extended headers that are none", async () => {
  const bodies = [
    "5 a=b\n",
    "6 a=b",
    "0 a=b\n",
    "x a=b\n",
    "7 aab\n\n",
    "99999999999 a=b\n",
    "-6 a=b\n",
    "\n",
  ];
  bodies.push("6 a=b\n7", "3 \n", "6=a b\n", "5 =\n", "7 a\0=b\n");
  for (const content of bodies)
    await refuses(
      tarOf({ name: "x", type: "x", content }, { name: "a" }),
      /: a damaged extended header, at byte 0 /,
    );
  for (const type of ["x", "L", "K"])
    await refuses(tarOf({ name: "a" }, { name: "x", type, content: "" }), /belongs to nothing, at byte 512 /);
});

test("extended headers of any size", async () => {
  for (const type of ["x", "g", "L", "K"]) {
    await refuses(
      tarOf({ name: "x", type, size: 2 ** 33 - 1 }),
      /: an extended header of 8589934591 bytes, /,
    );
    await refuses(
      tarOf({ name: "x", type, content: Buffer.alloc((1 << 20) + 1) }),
      /: an extended header of 1048577 bytes/,
    );
  }
  const path = "a/".repeat((1 << 19) - 100);
  await refuses(
    tarOf(paxHeader({ path }), { name: "x" }),
    /^"(a\/){100}"\.\.\. cannot be in an image: its path is more than 512 /,
  );
  await refuses(
    tarOf(paxHeader({ path: "n".repeat(4096) }), { name: "x" }),
    /its path is longer than 4095 bytes$/,
  );
  await list(tarOf(paxHeader({ path: "n".repeat(4095) }), { name: "x" }));
});

test("paths that lead elsewhere", async () => {
  for (const name of ["../a", "a/../b", "/..", "a/..", "..", "./../a"])
    await refuses(tarOf({ name }), /: a path that leads out of the archive, .*, at byte 0 /);
  await refuses(tarOf({ name: "a" }, { name: "b", type: "1", link: "../a" }), /: a path that leads out of /);
  const listing = await list(tarOf({ name: "///etc/./passwd" }, { name: "b", type: "2", link: "../../x" }));
  assert.deepEqual(pathsOf(listing), ["b", "etc/", "etc/passwd"]);
});

test("paths through what is no directory", async () => {
  const through = /^archive: a is no directory, but has entries$/;
  await refuses(tarOf({ name: "a" }, { name: "a/b" }), through);
  await refuses(tarOf({ name: "a", type: "2", link: "/etc" }, { name: "a/passwd" }), through);
  await refuses(tarOf({ name: "a", type: "2", link: "." }, { name: "a/b/", type: "5" }), through);
  await refuses(tarOf({ name: "a/b" }, { name: "a" }), /^archive: a is a directory, and no directory$/);
});

test("members without a proper name or target", async () => {
  for (const name of ["", ".", "./.", "/"]) {
    const member: TarMember = { name, type: name.endsWith("/") ? "2" : "0", link: "x" };
    await refuses(tarOf(member), /: a member that has no name, at byte 0 /);
  }
  await list(tarOf({ name: "./", type: "5" }));
  await refuses(tarOf(paxHeader({ path: "a\0b" }), { name: "x" }), /: a path with a zero byte in it, /);
  await refuses(tarOf({ name: "a", type: "2" }), /: a symbolic link with no proper target, a, /);
  await refuses(
    tarOf(paxHeader({ linkpath: "x\0y" }), { name: "a", type: "2" }),
    /with no proper target, a, /,
  );
});

test("hard links to what is not there, or no file", async () => {
  const link: TarMember = { name: "b", type: "1", link: "a" };
  const message = /: a hard link, b, to no file before it, a, at byte \d+ /;
  await refuses(tarOf(link, { name: "a" }), message);
  await refuses(tarOf({ name: "a", type: "5" }, link), message);
  await refuses(tarOf({ name: "a", type: "1", link: "a" }), /: a hard link, a, to no file before it, a, /);
  const listing = await list(
    tarOf({ name: "a" }, { name: "a", type: "1", link: "./a" }, { ...link, size: 12345 }),
  );
  assert.equal(listing.blobs.length, 1);
  assert.deepEqual(pathsOf(listing), ["a", "b"]);
});

test("members of other kinds are named", async () => {
  await refuses(tarOf({ name: "a", type: "S" }), /^archive: a is a sparse file of GNU tar's, at byte 0$/);
  for (const key of ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size"])
    await refuses(
      tarOf(paxHeader({ [key]: "1" }), { name: "a" }),
      /^archive: a is a sparse file of GNU tar's, /,
    );
  await refuses(tarOf({ name: "a", type: "M" }), /^archive: a is the rest of a file in another volume, /);
  for (const [type, kind] of [
    ["3", "a device"],
    ["4", "a device"],
    ["6", "a FIFO"],
  ] as const) {
    const archive = tarOf({ name: "d/a", type });
    await refuses(archive, new RegExp(`^d/a is ${kind}$`));
    const listing = await list(archive, { skipSpecial: true });
    assert.deepEqual(
      [pathsOf(listing), listing.skipped.first],
      [["d/"], [{ sourcePath: "d/a", reason: "special" }]],
    );
  }
});

test("names that git's check finds fault with", async () => {
  for (const name of [".GIT/config", "a/git~1", "a/.git./x"])
    await refuses(tarOf({ name }), / cannot be in an image: git trees hold no name that /);
  await refuses(
    tarOf({ name: "x/.gitmodules", type: "2", link: "y" }),
    /^x\/\.gitmodules cannot be in an image: /,
  );
  assert.deepEqual(
    pathsOf(await list(tarOf({ name: "a/.GIT" }, { name: "b" }), { exclude: new ExcludePatterns(["a"]) })),
    ["b"],
  );
});

test("extended headers say it for the members that they are for", async () => {
  const listing = await list(
    tarOf(
      paxHeader({ path: "global", mtime: "7.9" }, "g"),
      { name: "one", content: "12", mtime: 5 },
      paxHeader({ path: "own", size: "3" }),
      { name: "two", content: "123", size: 0, mtime: 6 },
      { name: "header's", mtime: 3 },
    ),
  );
  assert.deepEqual(pathsOf(listing), ["global", "own"]);
  assert.deepEqual(
    Array.from({ length: listing.blobs.length }, (_, index) => listing.blobs.sizeOf(index)),
    [3, 0],
  );
  assert.equal(listing.newest, 7);
});

test("an archive that unfolds to much is read from the disk", async (t) => {
  const work = temporaryFolder(t);
  const large = tarMember({ name: "zeros", content: Buffer.alloc(64 << 20) });
  writeFileSync(
    join(work, "bomb.tar.gz"),
    gzipSync(Buffer.concat([large, Buffer.alloc(1024)]), { level: 1 }),
  );
  const before = process.memoryUsage().rss;
  await make(join(work, "bomb.tar.gz"), join(work, "image"));
  assert.ok(process.memoryUsage().rss - before < 200 << 20);
  assert.deepEqual(readdirSync(work).sort(), ["bomb.tar.gz", "image"]);
});

test("a header's checksum is that of the writer's", () => {
  const header = tarMember({ name: "a" });
  const before = Buffer.from(header);
  fixChecksum(header);
  assert.deepEqual(header, before);
});
