/** Reports of images that are not sound: everything that is wrong, each thing named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { DocteurError, RESULT } from "../../src/index.js";
import { assertSound, type Report, verify } from "../../src/verify/index.js";
import { CraftedImage, imageWith, OK_TEXT, type Placed, treeEntry } from "../support/crafted-image.js";
import { fixture, fixturePath } from "../support/fixtures.js";

const ABSENT = "e".repeat(40);

/** An image whose root has these entries, and `/ok`. */
function rooted(entries: (ok: string, image: CraftedImage) => Uint8Array[]): Uint8Array {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT).oid;
  image.commit(image.tree(...entries(ok, image)).oid);
  return image.finish().bytes;
}

function messages({ findings }: Report, severity = "error"): string[] {
  return findings.filter((finding) => finding.severity === severity).map(({ message }) => message);
}

test("every name that git refuses is a finding", async () => {
  for (const name of [
    ".git",
    ".GIT",
    ".Git ",
    ".git.",
    "git~1",
    "GIT~1",
    ".g\u200cit",
    ".git::$INDEX_ALLOCATION",
  ]) {
    const report = await verify(
      rooted((ok) => [treeEntry("100644", Buffer.from(name).toString("latin1"), ok)]),
    );
    assert.deepEqual(
      [report.status, report.findings.map(({ code }) => code)],
      ["damaged", ["BadTree"]],
      name,
    );
  }
  for (const name of [".gitignore", ".github", "git", "agit~1", ".gitx", "digits", "git~x"]) {
    const report = await verify(rooted((ok) => [treeEntry("100644", name, ok)]));
    assert.deepEqual([report.status, report.findings], ["sound", []], name);
  }
  const link = await verify(rooted((ok) => [treeEntry("120000", ".gitmodules", ok)]));
  assert.equal(link.status, "damaged");
});

test("every defect of one tree is told", async () => {
  const report = await verify(
    rooted((ok) => [
      treeEntry("100644", "b", ok),
      treeEntry("100644", "a", ok),
      treeEntry("100644", "a", ok),
      treeEntry("100644", "..", ok),
      treeEntry("100644", "x/y", ok),
      treeEntry("20000", "z", ok),
    ]),
  );
  assert.equal(report.status, "damaged");
  for (const part of [
    '"a" is out of order',
    '"a" is there twice',
    '"..": no entry',
    '"x/y": a name holds a slash',
    "20000",
  ])
    assert.ok(
      [...messages(report), ...messages(report, "warning")].some((message) => message.includes(part)),
      part,
    );
});

test("odd modes are warnings", async () => {
  for (const mode of ["100664", "100600", "040000"]) {
    const bytes = rooted((ok, image) => [
      treeEntry(mode, "a", mode === "040000" ? image.tree().oid : ok),
      treeEntry("100644", "ok", ok),
    ]);
    const report = await verify(bytes);
    assert.deepEqual([report.status, report.findings.map(({ code }) => code)], ["sound", ["OddMode"]], mode);
  }
});

test("objects that nothing leads to are a note, and malformed trees among them a warning", async () => {
  const report = await verify(
    rooted((ok, image) => {
      image.object("blob", "nobody's\n");
      image.object("tree", "no tree");
      return [treeEntry("100644", "ok", ok)];
    }),
  );
  assert.equal(report.status, "sound");
  assert.equal(report.unreachableCount, 2);
  assert.deepEqual(
    report.findings.map(({ severity, code }) => [severity, code]),
    [
      ["warning", "BadTree"],
      ["note", "Unreachable"],
    ],
  );
});

test("what follows the index is a warning, unless it is zero", async () => {
  const { bytes, idxEnd } = imageWith((image) => image.object("blob", "text"));
  const more = new Uint8Array(bytes.length + 1024);
  more.set(bytes);
  assert.deepEqual((await verify(more)).findings, []);
  more[more.length - 1] = 1;
  const { status, findings } = await verify(more);
  assert.deepEqual(
    [status, findings[0]?.code, findings[0]?.offset],
    ["sound", "TrailingData", more.length - 1],
  );
  assert.ok(idxEnd < more.length);
});

test("behind a damaged object the others are checked", async () => {
  const image = new CraftedImage();
  const placed: Placed[] = [];
  const entries: Uint8Array[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    placed.push(image.object("blob", `${name}\n`.repeat(50)));
    entries.push(treeEntry("100644", name, placed.at(-1)!.oid));
  }
  image.commit(image.tree(...entries).oid);
  const { bytes } = image.finish();
  // In the streams of two of them.
  for (const at of [0, 2]) bytes[28 + placed[at]!.offset + 6]! ^= 0xff;
  const report = await verify(bytes);
  assert.equal(report.status, "damaged");
  const offsets = report.findings
    .filter(({ message }) => /^an object/.test(message))
    .map(({ offset }) => offset);
  assert.deepEqual(offsets.slice(0, 2), [28 + placed[0]!.offset, 28 + placed[2]!.offset]);
  const missing = report.findings.filter(({ code }) => code === "MissingObject").map(({ path }) => path);
  assert.deepEqual(missing, ["/a", "/c"]);
  assert.equal(report.objects?.blobs.count, 2);
  // Nothing says where to go on, where the IDX is damaged, too.
  for (let at = bytes.length - 1024; at < bytes.length; at++) bytes[at] = 0;
  const blind = await verify(bytes);
  assert.ok(messages(blind, "warning").some((message) => /could not be found$/.test(message)));
});

test("every missing object is told, with its path", async () => {
  const report = await verify(
    rooted((ok) => [
      treeEntry("100644", "a", ABSENT),
      treeEntry("40000", "d", ABSENT),
      treeEntry("40000", "f", ok),
      treeEntry("100644", "ok", ok),
    ]),
  );
  assert.deepEqual(
    report.findings.map(({ code, path }) => [code, path]),
    [
      ["MissingObject", "/a"],
      ["MissingObject", "/d"],
      ["WrongKind", "/f"],
    ],
  );
});

test("--quick finds every change of header, trailers and index, and no other", async () => {
  const image = fixture("tiny.img");
  const { idxBytes } = await verify(image);
  const idxEnd = 0x600 + idxBytes!;
  for (let at = 0; at < idxEnd; at += 3) {
    const bytes = image.slice();
    bytes[at]! ^= 4;
    assert.notEqual((await verify(bytes, { quick: true })).status, "sound", `${at}`);
  }
  assert.deepEqual((await verify(image, { quick: true })).findings, []);
  const { bytes } = imageWith((crafted) => crafted.object("blob", "another content", ABSENT));
  assert.equal((await verify(bytes, { quick: true })).status, "sound");
  assert.equal((await verify(bytes)).status, "damaged");
});

test("a device that fails, and one that answers later", async () => {
  const image = fixture("gitdelta.img");
  const failing = { blockSize: 512, capacity: image.length, read: () => RESULT.EUNSPEC };
  const report = await verify(failing);
  assert.deepEqual([report.status, report.findings[0]?.code], ["unreadable", "DeviceFailed"]);
  await assert.rejects(
    assertSound(failing),
    (error) => error instanceof DocteurError && error.code === "DeviceFailed",
  );
  const known = new Set<number>();
  const later = {
    blockSize: 512,
    capacity: image.length,
    read: (offset: number, target: Uint8Array) => {
      if (!known.has(offset)) {
        known.add(offset);
        return RESULT.AGAIN;
      }
      target.set(image.subarray(offset, offset + target.length));
      return RESULT.OK;
    },
    ready: () => Promise.resolve(),
  };
  assert.deepEqual(await verify(later), await verify(image));
});

test("missing and wrong objects in trees that nothing leads to are warnings", async () => {
  const report = await verify(
    rooted((ok, image) => {
      image.tree(
        treeEntry("100644", "a", ABSENT),
        treeEntry("40000", "d", ABSENT),
        treeEntry("40000", "f", ok),
        treeEntry("160000", "m", ABSENT),
      );
      return [treeEntry("100644", "ok", ok)];
    }),
  );
  assert.equal(report.status, "sound");
  assert.deepEqual(report.findings.map(({ severity, code, oid }) => [severity, code, oid]).slice(0, 2), [
    ["warning", "MissingObject", ABSENT],
    ["warning", "MissingObject", ABSENT],
  ]);
  assert.deepEqual(report.findings.map(({ severity, code, path }) => [severity, code, path]).slice(2), [
    ["warning", "WrongKind", undefined],
    ["note", "Unreachable", undefined],
  ]);
  const few = await verify(
    rooted((ok, image) => {
      image.tree(treeEntry("100644", "a", ABSENT), treeEntry("40000", "f", ok));
      return [treeEntry("100644", "ok", ok)];
    }),
    { maxFindings: 1 },
  );
  assert.deepEqual([few.status, few.findings.length, few.truncated], ["sound", 1, true]);
});

test("assertSound throws where no finding may be kept", async () => {
  const damaged = rooted((ok) => [treeEntry("100644", ".git", ok)]);
  const failing = { blockSize: 512, capacity: 4096, read: () => RESULT.EUNSPEC };
  const sound = rooted((ok) => [treeEntry("100644", "ok", ok)]);
  assert.equal((await assertSound(sound, { maxFindings: 0 })).status, "sound");
  const commit = ABSENT;
  for (const [source, options, code, message] of [
    [damaged, {}, "BadPack", "the image is damaged"],
    [failing, {}, "Io", "the image is unreadable"],
    [sound, { commit }, "Mismatch", "the image is mismatch"],
    [sound, { memoryLimit: 1 << 16 }, "OutOfMemory", "the image is unknown"],
  ] as const)
    await assert.rejects(
      assertSound(source, { ...options, maxFindings: 0 }),
      (error) => error instanceof DocteurError && error.code === code && error.message === message,
      code,
    );
});

test("counts that numbers do not hold are strings in JSON, and the rest is exact", async () => {
  /** Trees of ten entries, each of which is the next tree. */
  const nested = (depth: number): Uint8Array => {
    const image = new CraftedImage();
    let tree = image.tree(treeEntry("100644", "f", image.object("blob", OK_TEXT).oid));
    for (let level = 0; level < depth; level++)
      tree = image.tree(...Array.from("abcdefghij", (name) => treeEntry("40000", name, tree.oid)));
    image.commit(tree.oid);
    return image.finish().bytes;
  };
  const asJson = async (depth: number): Promise<Report> =>
    JSON.parse(JSON.stringify(await verify(nested(depth)))) as Report;
  const exact = await asJson(14);
  assert.deepEqual([exact.status, exact.pathCounts?.files], ["sound", 10 ** 14]);
  assert.equal(exact.contentBytes, 10 ** 14 * OK_TEXT.length);
  for (const depth of [16, 400]) {
    const { status, pathCounts, objects, contentBytes } = await asJson(depth);
    assert.equal(status, "sound");
    const { directories, files, executables, symlinks } = pathCounts!;
    assert.deepEqual([files, directories, contentBytes], Array(3).fill("2^53 or more"));
    assert.deepEqual([executables, symlinks, objects!.trees.count], [0, 0, depth + 1]);
  }
});

test("dates in JSON are in UTC, and absent if git reads none", async () => {
  for (const [time, date, zone] of [
    ["1717740550 +0200", "2024-06-07T06:09:10Z", "+02:00"],
    ["0 +0000", "1970-01-01T00:00:00Z", "+00:00"],
    ["0 +9999", "1970-01-01T00:00:00Z"],
    ["8640000000000 +0000", "+275760-09-13T00:00:00Z", "+00:00"],
    ["8640000000001 +0000"],
    ["99999999999999999999 +0000"],
    ["none"],
  ] as [string, string?, string?][]) {
    const image = new CraftedImage();
    const root = image.tree(treeEntry("100644", "ok", image.object("blob", OK_TEXT).oid));
    const who = `A <a@x> ${time}`;
    image.head(image.object("commit", `tree ${root.oid}\nauthor ${who}\ncommitter ${who}\n\nm\n`));
    const report = JSON.parse(JSON.stringify(await verify(image.finish().bytes))) as Report;
    assert.equal(report.status, "sound", time);
    for (const one of [report.author!, report.committer!])
      assert.deepEqual([one.date, one.zone], [date, zone], time);
  }
});

test("options that are misspelt or of a wrong type are refused before anything is read", async () => {
  const image = fixture("tiny.img");
  for (const [options, message] of [
    [{ maxfindings: 3 }, 'verify has no option "maxfindings"'],
    [{ quick: "yes" }, 'verify: quick must be true or false, not "yes"'],
    [{ jobs: 0 }, "verify: jobs must be a whole number, from 1 to 8, not 0"],
    [{ maxFindings: -1 }, "verify: maxFindings must be a whole number, 0 or more, not -1"],
    [
      { memoryLimit: 2 ** 32 },
      "verify: memoryLimit must be a whole number, from 1 to 4294901760, not 4294967296",
    ],
    [{ blockSize: 513 }, "verify: blockSize must be a power of two, at least 512, not 513"],
    [{ commit: 7 }, "verify: commit must be a string, not 7"],
    [{ onProgress: true }, "verify: onProgress must be a function, not true"],
    [{ module: {} }, "verify: module must be a WebAssembly.Module, not an object"],
  ] as [object, string][])
    await assert.rejects(
      verify(image, options),
      (error) =>
        error instanceof DocteurError && error.code === "InvalidArgument" && error.message === message,
      message,
    );
  await assert.rejects(verify(image, null as never), { code: "InvalidArgument" });
  assert.equal((await verify(image, { quick: undefined as never })).status, "sound");
});

test("file: URLs are files, as strings too", async () => {
  const path = fixturePath("tiny.img");
  const url = pathToFileURL(path);
  for (const source of [path, url, url.href, url.href.replace("file:", "FILE:")]) {
    const { status, image } = await verify(source, { jobs: 2 });
    assert.deepEqual([status, image], ["sound", path]);
  }
  for (const source of ["gopher://example.org/disk.img", "file://elsewhere/disk.img"]) {
    const { status, image, findings } = await verify(source);
    assert.deepEqual([status, image, findings[0]?.code], ["unreadable", source, "InvalidArgument"]);
  }
});
