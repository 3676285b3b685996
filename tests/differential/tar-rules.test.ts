/** Archives that programs read in different ways: an image has what GNU tar extracts. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { make } from "../../src/make/index.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { git } from "../support/git.js";
import { fixChecksum, paxHeader, paxRecord, tarMember, tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

/**
 * Makes an image of an archive, which must be that of the folder to which GNU tar extracts it.
 * @returns paths of the files, and what was told on the way
 */
async function asExtracted(t: TestContext, bytes: Uint8Array): Promise<{ paths: string; notices: string[] }> {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const extracted = join(work, "extracted");
  writeFileSync(archive, bytes);
  mkdirSync(extracted);
  execFileSync("tar", ["-xf", archive, "-C", extracted], {
    stdio: "pipe",
    env: { PATH: process.env.PATH, LC_ALL: "C" },
  });
  const notices: string[] = [];
  const { summary, repository } = await makeAndCheck(archive, work, {
    onNotice: (text: string) => notices.push(text.replace(archive, "archive")),
  });
  const directory = await make(extracted, join(work, "directory.img"), { date: DATE });
  assert.equal(summary.tree, directory.tree);
  return { paths: git(repository, "ls-tree", "-rt", "--name-only", "image"), notices };
}

test("a directory by its slash has no content, whatever its size is", async (t) => {
  for (const type of ["0", "\0", "7"]) {
    const files = ["a", "b", "c"].map((name) => ({ name: `d1/${name}`, content: `${name}\n` }));
    const bytes = tarOf({ name: "d1/", type, size: 700 }, ...files);
    assert.equal((await asExtracted(t, bytes)).paths, "d1\nd1/a\nd1/b\nd1/c");
  }
  const long = tarOf(paxHeader({ path: "d2/", size: "700" }), { name: "x" }, { name: "d2/a", content: "a" });
  assert.equal((await asExtracted(t, long)).paths, "d2\nd2/a");
});

test("the last of several extended headers counts alone", async (t) => {
  const bytes = tarOf(paxHeader({ path: "one" }), paxHeader({ mtime: "5" }), { name: "q", content: "q" });
  assert.equal((await asExtracted(t, bytes)).paths, "q");
  const globals = tarOf(paxHeader({ path: "all" }, "g"), paxHeader({ comment: "another" }, "g"), {
    name: "own",
    content: "x",
  });
  assert.equal((await asExtracted(t, globals)).paths, "own");
  const empty = tarOf({ name: "a" }, paxHeader({ path: "" }), { name: "own", type: "5" });
  assert.equal((await asExtracted(t, empty)).paths, "a");
});

test("extended headers with blanks and zero bytes where GNU tar allows them", async (t) => {
  const blanks = "13  path=abc\n";
  for (const content of [
    blanks,
    ` ${paxRecord("path", "ab").replace("11", "12")}`,
    `${paxRecord("path", "abc")}\0\0`,
  ])
    assert.match(
      (await asExtracted(t, tarOf({ name: "x", type: "x", content }, { name: "o" }))).paths,
      /^abc?$/,
    );
});

test("numbers with zero bytes and blanks in front", async (t) => {
  const content = Buffer.concat([Buffer.alloc(600), Buffer.from("x".repeat(428))]);
  for (const size of ["\x000000002004", "\0   2004 ", "    2004\0", "2004 9junk", "\t2004\n"]) {
    const bytes = tarOf({ name: "a", content, size: size.padEnd(12, "\0") }, { name: "b", content: "b\n" });
    const { paths } = await asExtracted(t, bytes);
    assert.equal(paths, "a\nb", JSON.stringify(size));
  }
  const size = Buffer.from([0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  assert.equal((await asExtracted(t, tarOf({ name: "a", content: "ab", size }))).paths, "a");
  for (const [offset, text] of [
    [100, "\x00000755"],
    [100, "   755 "],
    [136, "\x0012345670123"],
  ] as const) {
    const member = tarMember({ name: "a", content: "x" });
    member.fill(0, offset, offset + (offset === 100 ? 8 : 12));
    member.write(text, offset, "latin1");
    fixChecksum(member);
    await asExtracted(t, Buffer.concat([member, Buffer.alloc(1024)]));
  }
});

test("a hard link's size is not looked at, nor an extended header's mode", async (t) => {
  const bytes = tarOf(
    { name: "a", content: "x" },
    { name: "b", type: "1", link: "a", size: "not a number" },
    { ...paxHeader({ path: "c" }), mode: 0 },
    { name: "x", content: "y" },
  );
  const header = 512 + 512 + 512;
  bytes.write("        ", header + 100, "latin1");
  fixChecksum(bytes.subarray(header));
  assert.equal((await asExtracted(t, bytes)).paths, "a\nb\nc");
});

test("members of unknown types are files, and are told of", async (t) => {
  const bytes = tarOf(
    ...["Z", "A", "a", "?", "\xff", "9"].map((type, at) => ({ name: `f${at}/`, type, content: `${at}` })),
  );
  const { paths, notices } = await asExtracted(t, bytes);
  assert.equal(paths, "f0\nf1\nf2\nf3\nf4\nf5");
  assert.equal(notices.length, 1);
  assert.match(
    notices[0]!,
    /^archive: members of unknown types .*: f0 \("Z"\), f1 \("A"\), .*, f4 \(".+"\), … \(6 in all\)$/,
  );
});

test("a label takes the long name that is before it", async (t) => {
  const bytes = tarOf(
    { name: "long", type: "L", content: "label's\0" },
    { name: "v", type: "V" },
    { name: "own" },
  );
  assert.equal((await asExtracted(t, bytes)).paths, "own");
});

test("a long name ends at a zero byte, not with its header's size", async (t) => {
  const long = tarMember({ name: "long", type: "L", content: "abc" });
  long.write("defg", 512 + 3, "latin1");
  const bytes = Buffer.concat([long, tarOf({ name: "short", content: "x" })]);
  assert.equal((await asExtracted(t, bytes)).paths, "abcdefg");
});

test("an archive without blocks of zeros at its end is taken, and told of unless gzip proves it whole", async (t) => {
  const bytes = tarMember({ name: "a", content: "a\n" });
  const plain = await asExtracted(t, bytes);
  assert.equal(plain.paths, "a");
  assert.deepEqual(plain.notices, [
    "archive: it ends without blocks of zeros: what may have followed is lost",
  ]);
  const packed = await asExtracted(t, gzipSync(bytes));
  assert.deepEqual(packed, { paths: "a", notices: [] });
});

test("what GNU tar fails at is refused", async (t) => {
  const work = temporaryFolder(t);
  const archive = join(work, "archive");
  const cases: [Buffer, RegExp][] = [
    [tarOf({ name: "a", content: "x" }, { name: "a/.", content: "y" }), /a\/\., as only a directory can be/],
    [
      tarOf({ name: "a", content: "x" }, { name: "a/./", type: "5" }),
      /: a is no directory, but has entries$/,
    ],
    [tarOf({ name: "a", content: "x" }, { name: "b", type: "1", link: "a/" }), /a hard link, b, to no file/],
    [tarOf({ name: "a", content: "x" }, { name: "b", type: "1", link: "a/." }), /a hard link, b, to no file/],
    [tarOf({ name: "/", content: "x" }), /a member that has no name/],
    [
      tarOf(paxHeader({ path: "all" }, "g"), paxHeader({ path: "" }), { name: "a" }),
      /a member that has no name/,
    ],
    [tarOf(paxHeader({ linkpath: "" }), { name: "a", type: "2", link: "b" }), /no proper target/],
  ];
  for (const [bytes, message] of cases) {
    writeFileSync(archive, bytes);
    mkdirSync(join(work, "extracted"), { recursive: true });
    assert.throws(() =>
      execFileSync("tar", ["-xf", archive, "-C", join(work, "extracted")], { stdio: "pipe" }),
    );
    await assert.rejects(make(archive, join(work, "image")), { code: "BadSource", message });
    assert.ok(!readdirSync(work).includes("image"));
  }
  assert.ok(readFileSync(archive).length > 0);
});
