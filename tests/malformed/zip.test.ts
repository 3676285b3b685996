/** Zip archives that are damaged, or made to do harm: one test for each thing that is refused. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { open } from "../../src/index.js";
import { type MakeOptions, make } from "../../src/make/index.js";
import { temporaryFolder } from "../support/temporary.js";
import { extraField, type ZipMember, zipOf } from "../support/zip-writer.js";

interface Made {
  /** Paths, with a slash at the end of directories', and kinds. */
  entries: Record<string, string>;
  text(path: string): Promise<string>;
}

async function imageOf(t: TestContext, archive: Uint8Array, options: MakeOptions = {}): Promise<Made> {
  const work = temporaryFolder(t);
  const image = join(work, "image");
  writeFileSync(join(work, "archive"), archive);
  try {
    await make(join(work, "archive"), image, options);
  } catch (error) {
    assert.ok(!existsSync(image));
    assert.deepEqual(readdirSync(work), ["archive"]);
    throw error;
  }
  const volume = await open(readFileSync(image));
  t.after(() => volume.close());
  const entries: Record<string, string> = {};
  for await (const { pathBytes, kind } of volume.walk())
    entries[Buffer.from(pathBytes).toString("latin1")] = kind;
  return { entries, text: (path) => volume.text(path) };
}

async function refuses(
  t: TestContext,
  members: readonly ZipMember[] | Buffer,
  message: RegExp,
): Promise<void> {
  const archive = Buffer.isBuffer(members) ? members : zipOf(members);
  await assert.rejects(imageOf(t, archive), (error: Error & { code?: string }) => {
    assert.match(error.message, message);
    assert.equal(error.code, "BadSource");
    return true;
  });
}

const FILE: ZipMember = { name: "file", content: "content" };

test("kinds of members", async (t) => {
  const { entries, text } = await imageOf(
    t,
    zipOf([
      { name: "dir/", mode: 0o040755, method: 0 },
      { name: "dir2", mode: 0o040755, method: 0 },
      { name: "dos", host: 0, attributes: 0x10, method: 0 },
      { name: "run", mode: 0o100755, content: "#!" },
      { name: "link", mode: 0o120777, content: "run", method: 0 },
      // Another system's upper half is not a mode.
      { name: "plain", host: 0, attributes: 0o120777 * 0x10000, content: "a" },
      { name: "a/b/c", content: "" },
    ]),
  );
  assert.deepEqual(entries, {
    "/a": "directory",
    "/a/b": "directory",
    "/a/b/c": "file",
    "/dir": "directory",
    "/dir2": "directory",
    "/dos": "directory",
    "/link": "symlink",
    "/plain": "file",
    "/run": "executable",
  });
  assert.equal(await text("/run"), "#!");
});

test("an empty archive is an image without files", async (t) => {
  assert.deepEqual((await imageOf(t, zipOf([]))).entries, {});
});

test("names: absolute, of DOS, in code page 437, in a field of their own, twice", async (t) => {
  const raw = Buffer.from("x\x81", "latin1");
  const { entries, text } = await imageOf(
    t,
    zipOf([
      { name: "/abs", content: "1" },
      { name: "./dot//file", content: "1" },
      { name: "d\\e", host: 0, attributes: 0, content: "1" },
      { name: "u\\x", content: "1" },
      { name: raw, host: 0, attributes: 0, content: "1" },
      { name: Buffer.from("y\x81", "latin1"), content: "1" },
      {
        name: "other",
        extra: extraField(
          0x7075,
          Buffer.concat([Buffer.from([1, 0x81, 0xb6, 0x68, 0xa8]), Buffer.from("ü")]),
        ),
        content: "1",
      },
      { name: "twice", content: "first" },
      { name: "twice", content: "last" },
    ]),
  );
  assert.deepEqual(Object.keys(entries).sort(), [
    "/abs",
    "/d",
    "/d/e",
    "/dot",
    "/dot/file",
    "/other",
    "/twice",
    "/u\\x",
    "/x\u00c3\u00bc",
    "/y\x81",
  ]);
  assert.equal(await text("/twice"), "last");
});

test("names that are refused", async (t) => {
  await refuses(t, [{ name: "../out" }], /: a path that leads out of the archive, \.\.\/out$/);
  await refuses(t, [{ name: "a/../../out" }], /: a path that leads out of the archive/);
  await refuses(t, [{ name: "a\\..\\out", host: 0 }], /: a path that leads out of the archive/);
  await refuses(t, [{ name: "a\0b" }], /: a path with a zero byte in it$/);
  await refuses(t, [{ name: "" }], /: a member that has no name$/);
  await refuses(t, [{ name: `/${"a/".repeat(3000)}b` }], / its path is more than 512 levels deep$/);
  await refuses(
    t,
    [{ name: Buffer.from("a\xff", "latin1"), flags: 0x800 }],
    /is not UTF-8, as it is marked$/,
  );
  await refuses(t, [{ name: "a" }, { name: "a/b" }], /: a is no directory, but has entries$/);
  await refuses(
    t,
    [{ name: "l", mode: 0o120777, content: "/etc" }, { name: "l/passwd" }],
    /: l is no directory/,
  );
  await refuses(t, [{ name: "a/b" }, { name: "a" }], /: a is a directory, and no directory$/);
});

test("members that cannot be read", async (t) => {
  const cannot = (why: string): RegExp => new RegExp(`: file cannot be read: ${why}$`);
  await refuses(t, [{ ...FILE, flags: 1 }], cannot("it is encrypted"));
  await refuses(t, [{ ...FILE, flags: 0x2000 }], cannot("it is encrypted"));
  await refuses(t, [{ ...FILE, flags: 0x41 }], /strong encryption/);
  await refuses(t, [{ ...FILE, flags: 0x20 }], cannot("it is a patch"));
  await refuses(t, [{ ...FILE, method: 9 }], cannot("it is compressed by Deflate64"));
  await refuses(t, [{ ...FILE, method: 77 }], cannot("it is compressed by method 77"));
  // Left out, it need not be readable.
  await imageOf(t, zipOf([{ ...FILE, flags: 1 }]), { exclude: ["file"] });
  await refuses(t, [{ name: "fifo", mode: 0o010644 }], /fifo/);
  await refuses(t, [{ name: "socket", mode: 0o140644 }], /socket/);
  const { entries } = await imageOf(t, zipOf([{ name: "device", mode: 0o060644 }]), { skipSpecial: true });
  assert.deepEqual(entries, {});
  await refuses(
    t,
    [{ name: "link", mode: 0o120777, content: "" }],
    /a symbolic link with no proper target, link$/,
  );
  await refuses(
    t,
    [{ name: "link", mode: 0o120777, content: "a\0b" }],
    /a symbolic link with no proper target/,
  );
});

test("contents that are not what the headers say", async (t) => {
  const damaged = (why: string): RegExp => new RegExp(`: file is damaged: ${why}`);
  const large = "x".repeat(3 << 20);
  for (const content of ["content", large]) {
    const file = { name: "file", content };
    await refuses(t, [{ ...file, crc: 1 }], damaged("its content does not match its checksum$"));
    await refuses(t, [{ ...file, size: content.length - 1 }], damaged("its content has "));
    await refuses(t, [{ ...file, size: content.length + 1 }], damaged("its content has "));
    const cut = deflateRawSync(Buffer.from(content)).subarray(0, -1);
    await refuses(t, [{ ...file, raw: cut }], damaged("its content"));
    const more = Buffer.concat([deflateRawSync(Buffer.from(content)), Buffer.from("more")]);
    await refuses(t, [{ ...file, raw: more }], damaged("its compressed content ends too early$"));
    await refuses(t, [{ ...file, raw: Buffer.alloc(0) }], damaged("its content"));
  }
  await refuses(t, [{ ...FILE, raw: Buffer.from([7]) }], damaged("its content is damaged"));
  await refuses(t, [{ ...FILE, method: 0, crc: 1 }], damaged("its content does not match its checksum$"));
});

test("local headers that disagree with the central directory", async (t) => {
  const disagree = /: file: its local header says other things than the central directory$/;
  await refuses(t, [{ ...FILE, local: { name: "evil" } }], disagree);
  await refuses(t, [{ ...FILE, local: { name: "longer" } }], disagree);
  await refuses(t, [{ ...FILE, local: { method: 0 } }], disagree);
  await refuses(t, [{ ...FILE, local: { flags: 1 } }], disagree);
  await refuses(t, [{ ...FILE, local: { crc: 1 } }], disagree);
  await refuses(t, [{ ...FILE, local: { size: 1 } }], disagree);
  await refuses(t, [{ ...FILE, local: { stored: 1 } }], disagree);
  // A program that wrote to a pipe noted sizes and checksum behind the content.
  const { text } = await imageOf(t, zipOf([{ ...FILE, flags: 8, local: { crc: 0, size: 0, stored: 0 } }]));
  assert.equal(await text("file"), "content");
  await refuses(t, [{ ...FILE, offset: 1 }], /: file: it has no local header$/);
  await refuses(t, [{ ...FILE, offset: 100_000 }], /: file: its local header lies outside the archive$/);
  await refuses(
    t,
    [{ ...FILE, stored: 100_000 }],
    /: file: its content lies outside the archive$|says other/,
  );
});

test("members that overlap", async (t) => {
  // Many names for one content: a small archive of any inflated size.
  const bomb = { name: "file", content: "x".repeat(1 << 16) };
  await refuses(t, [bomb, { ...bomb, offset: 0 }], /: members of it overlap, as in a zip bomb$/);
  const stored = { name: "a", method: 0, content: zipOf([FILE]).subarray(0, 60) };
  await refuses(t, [stored, { ...FILE, offset: 31 }], /: members of it overlap, as in a zip bomb$/);
});

test("archives that are cut off, or have more members than they announce", async (t) => {
  const whole = zipOf([FILE, { name: "b", content: "b" }]);
  for (let length = 4; length < whole.length; length += 7)
    await refuses(t, Buffer.from(whole.subarray(0, length)), /: the zip archive is damaged: /);
  await refuses(t, zipOf([FILE, FILE], 1), /: it has more members than it announces$/);
  await refuses(t, zipOf([FILE], 2), /: the zip archive is damaged: /);
});

test(".git is left out, patterns and parts hold", async (t) => {
  const archive = zipOf([
    { name: ".git/config", content: "x" },
    { name: "top/a.txt", content: "a" },
    { name: "top/b.o", content: "b" },
    { name: "top/sub/c", content: "c" },
  ]);
  const { entries } = await imageOf(t, archive, { subdir: "top", exclude: ["*.o"] });
  assert.deepEqual(Object.keys(entries), ["/a.txt", "/sub", "/sub/c"]);
  const stripped = await imageOf(t, archive, { stripComponents: 1 });
  assert.deepEqual(Object.keys(stripped.entries), ["/a.txt", "/b.o", "/sub", "/sub/c"]);
  await assert.rejects(imageOf(t, archive, { subdir: "none" }), { code: "NoSuchRevision" });
});
