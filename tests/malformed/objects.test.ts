/** Commits and trees, one defect a test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { assertSound, verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, OK_TEXT, PACK_START, type Placed, treeEntry } from "../support/crafted-image.js";
import { assertFails, checkDefect, type Expected, type Outcome } from "../support/defects.js";
import { gitOid } from "../support/fixtures.js";

const ABSENT = "e".repeat(40);
const variants = await coreVariants();

/** An image whose commit `add` makes, beside a root with `/ok`. */
function committed(add: (image: CraftedImage, root: Placed) => Placed): {
  bytes: Uint8Array;
  offset: number;
} {
  const image = new CraftedImage();
  const root = image.tree(treeEntry("100644", "ok", image.object("blob", OK_TEXT).oid));
  const { offset } = image.head(add(image, root));
  return { bytes: image.finish().bytes, offset: PACK_START + offset };
}

/** Fails to open, everywhere and alike. */
async function unopenable(bytes: Uint8Array, expected: Expected): Promise<void> {
  await checkDefect(bytes, { open: expected, openAnalyze: expected });
}

const tree = `tree ${"0123456789abcdef".repeat(2)}01234567`;
for (const [title, text] of [
  ["without a tree", "author A <a@b> 1 +0000\n\nmessage\n"],
  ["of no bytes", ""],
  ["whose tree's id is cut off", `${tree.slice(0, -1)}\n\n`],
  ["whose tree's id is too long", `${tree}0\n\n`],
  ["whose tree's id has no line feed", tree],
  ["whose tree's id has what is no digit", `${tree.replace("a", "g")}\n`],
] as const)
  test(`a commit ${title}`, () => {
    const { bytes, offset } = committed((image) => image.object("commit", text));
    return unopenable(bytes, ["BadCommit", offset]);
  });

test("a commit whose tree's id has capital digits, which git takes", async () => {
  const { bytes } = committed((image, root) =>
    image.object("commit", `tree ${root.oid.toUpperCase()}\n\nmessage\n`),
  );
  await checkDefect(bytes, { path: "/ok" });
});

for (const kind of ["tag", "blob", "tree"] as const)
  test(`a ${kind} in the commit's place`, () => {
    const { bytes, offset } = committed((image, root) =>
      image.object(kind, kind === "tree" ? "" : `tree ${root.oid}\n\nmessage\n`),
    );
    return unopenable(bytes, ["WrongKind", offset]);
  });

test("a commit that is not in the image", async () => {
  const { bytes } = committed(() => ({ oid: ABSENT, offset: 0 }));
  await unopenable(bytes, ["MissingObject", undefined]);
  await assert.rejects(open(bytes), { code: "MissingObject", oid: ABSENT });
});

test("a root tree that is not in the image", async () => {
  const { bytes } = committed((image) => image.object("commit", `tree ${ABSENT}\n\n`));
  await unopenable(bytes, ["MissingObject", undefined]);
  await assert.rejects(open(bytes), { code: "MissingObject", oid: ABSENT });
});

for (const kind of ["commit", "blob", "tag"] as const)
  test(`a ${kind} in the root tree's place`, () => {
    let offset = 0;
    const { bytes } = committed((image) => {
      const placed = image.object(kind, "what is no tree");
      offset = PACK_START + placed.offset;
      return image.object("commit", `tree ${placed.oid}\n\n`);
    });
    return unopenable(bytes, ["WrongKind", offset]);
  });

test("commits whose committer has no readable date", async () => {
  for (const [line, time] of [
    ["committer", null],
    ["committer A <a@b>", null],
    ["committer A <a@b> 12 +0000", 12_000],
    ["committer A <a@b> -12 +0000", null],
    ["committer A <a@b> 99999999999999999999 +0000", null],
    ["committer A <a@b> soon +0000", null],
    ["committer 77", null],
  ] as const)
    for (const { label, module } of variants) {
      const { bytes } = committed((image, root) => image.object("commit", `tree ${root.oid}\n${line}\n\n`));
      const { commit } = await open(bytes, { module });
      assert.equal(commit.date?.getTime() ?? null, time, `${label}: ${line}`);
    }
});

/** An image whose root holds `/d`, a tree of these bytes, and `/ok`. */
function nested(content: (ok: string) => Uint8Array): { bytes: Uint8Array; offset: number; ok: string } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const folder = image.object("tree", content(ok.oid));
  const root = image.tree(treeEntry("40000", "d", folder.oid), treeEntry("100644", "ok", ok.oid));
  image.commit(root.oid);
  return { bytes: image.finish().bytes, offset: PACK_START + folder.offset, ok: ok.oid };
}

const raw = (text: string): Buffer => Buffer.from(text, "latin1");
const id = raw("12345678901234567890");
for (const [title, bytes] of [
  ["an id that is cut off", Buffer.concat([raw("100644 f\0"), id.subarray(1)])],
  ["no id", raw("100644 f\0")],
  ["no NUL after the name", raw("100644 f")],
  ["no name", raw("100644 ")],
  ["an empty name", Buffer.concat([raw("100644 \0"), id])],
  ["a name with a slash", treeEntry("100644", "a/b", ABSENT)],
  ["the name .", treeEntry("40000", ".", ABSENT)],
  ["the name ..", treeEntry("40000", "..", ABSENT)],
  ["a name of 4,097 bytes", treeEntry("100644", "x".repeat(4097), ABSENT)],
  ["no mode", treeEntry("", "f", ABSENT)],
  ["no space after the mode", raw("100644")],
  ["a mode with a digit beyond 7", treeEntry("100844", "f", ABSENT)],
  ["a mode with a letter", treeEntry("10064a", "f", ABSENT)],
] as const)
  test(`a tree with ${title}`, async () => {
    const image = nested(() => bytes);
    const expected = ["BadTree", image.offset] as const;
    await checkDefect(image.bytes, {
      path: "/d/f",
      read: expected,
      openFast: expected,
      readAnalyze: expected,
    });
    for (const { label, module } of variants) {
      const volume = await open(image.bytes, { module });
      await assertFails(volume.list("/d"), expected, label);
      assert.deepEqual(
        (await volume.list("/")).map(({ name }) => name),
        ["d", "ok"],
      );
    }
  });

for (const [title, names] of [
  ["out of order", ["b", "a"]],
  ["with a name twice", ["a", "a"]],
  ["with a directory where its name alone would sort", ["a/", "a.b"]],
  ["with a file and a directory of one name", ["a", "a/"]],
  ["with a file and a directory of one name, and others between", ["a", "a-b", "a.c", "a/"]],
] as const)
  test(`a tree ${title} cannot be listed`, async () => {
    const image = nested((ok) =>
      Buffer.concat(
        names.map((name) =>
          name.endsWith("/")
            ? treeEntry("40000", name.slice(0, -1), gitOid("tree", raw("")))
            : treeEntry("100644", name, ok),
        ),
      ),
    );
    for (const { label, module } of variants) {
      const volume = await open(image.bytes, { module });
      for (const sizes of [false, true])
        await assertFails(volume.list("/d", { sizes }), ["BadTree", image.offset], label);
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
    }
  });

/** Modes that git never writes, and what its `canon_mode` makes of them. */
const ODD_MODES: readonly (readonly [octal: string, mode: number])[] = [
  ["100664", 0o100644],
  ["100600", 0o100644],
  ["100755", 0o100755],
  ["100744", 0o100755],
  ["100777", 0o100755],
  ["120777", 0o120000],
  ["0100644", 0o100644],
  ["00000000000000000000100755", 0o100755],
  ["1100644", 0o100644],
  ["644", 0o160000],
  ["0", 0o160000],
  ["20000", 0o160000],
  ["60000", 0o160000],
  ["7777777777777777777777760000", 0o160000],
];

test("odd modes are read as git reads them, in every mode", async () => {
  const { bytes } = nested((ok) =>
    Buffer.concat(ODD_MODES.map(([octal], index) => treeEntry(octal, `${10 + index}`, ok))),
  );
  const report = await verify(bytes);
  assert.equal(report.status, "sound", JSON.stringify(report.findings));
  for (const { label, module } of variants)
    for (const mode of ["light", "fast", "analyze"] as const) {
      const volume = await open(bytes, { module, mode });
      const entries = await volume.list("/d");
      const where = `${label}, ${mode}`;
      assert.deepEqual(
        entries.map((entry) => entry.mode),
        ODD_MODES.map(([, canonical]) => canonical),
        where,
      );
      for (const [index, [octal, canonical]] of ODD_MODES.entries()) {
        const path = `/d/${10 + index}`;
        const { kind, mode: found } = await volume.stat(path);
        assert.deepEqual([kind, found], [entries[index]!.kind, canonical], `${where}: ${octal}`);
        if (kind === "submodule") await assertFails(volume.get(path), ["Submodule"], `${where}: ${octal}`);
        else assert.equal(Buffer.from(await volume.get(path)).toString(), OK_TEXT, `${where}: ${octal}`);
      }
    }
});

test("directories of odd modes are read as git reads them, in every mode", async () => {
  for (const octal of ["040000", "40755", "00000000000000000000000040000", "1040000"]) {
    const image = new CraftedImage();
    const ok = image.object("blob", OK_TEXT);
    const folder = image.tree(treeEntry("100644", "f", ok.oid));
    image.commit(image.tree(treeEntry(octal, "d", folder.oid), treeEntry("100644", "ok", ok.oid)).oid);
    await checkDefect(image.finish().bytes, { path: "/d/f", content: Buffer.from(OK_TEXT) });
  }
});

/** An image whose `/f` the root gives another mode. */
function moded(octal: string, add: (image: CraftedImage) => Placed): { bytes: Uint8Array; offset: number } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const placed = add(image);
  image.commit(image.tree(treeEntry(octal, "f", placed.oid), treeEntry("100644", "ok", ok.oid)).oid);
  return { bytes: image.finish().bytes, offset: PACK_START + placed.offset };
}

test("a directory that is a blob", async () => {
  const { bytes, offset } = moded("40000", (image) => image.object("blob", "no tree"));
  const expected = ["WrongKind", offset] as const;
  await checkDefect(bytes, { path: "/f/x", read: expected, openFast: expected, readAnalyze: expected });
  for (const { label, module } of variants) {
    const volume = await open(bytes, { module });
    await assertFails(volume.list("/f"), expected, label);
    await assertFails(volume.get("/f"), ["ValueExpected"], label);
  }
});

for (const octal of ["100644", "100755", "120000"])
  for (const kind of ["tree", "commit", "tag"] as const)
    test(`a file of mode ${octal} that is a ${kind}`, async () => {
      const { bytes, offset } = moded(octal, (image) => image.object(kind, kind === "tree" ? "" : "no blob"));
      const expected = ["WrongKind", offset] as const;
      await checkDefect(bytes, { read: expected, readAnalyze: expected });
      for (const { label, module } of variants) {
        const volume = await open(bytes, { module });
        await assertFails(volume.get("/f", { follow: true }), expected, label);
        // Once cached, too.
        const [entry] = await volume.list("/");
        await volume.object(entry!.oid);
        await assertFails(volume.get("/f"), expected, label);
      }
    });

test("a file that is not in the image", () => {
  const { bytes } = moded("100644", () => ({ oid: ABSENT, offset: 0 }));
  const expected = ["MissingObject", undefined] as const;
  return checkDefect(bytes, { read: expected, openFast: expected, readAnalyze: expected });
});

test("a directory that holds itself, by an IDX that lies", async () => {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const entries = Buffer.concat([treeEntry("40000", "d", ABSENT), treeEntry("100644", "ok", ok.oid)]);
  image.object("tree", entries, ABSENT);
  image.commit(ABSENT);
  const { bytes } = image.finish();
  const { findings } = await verify(bytes);
  assert.deepEqual(
    [...new Set(findings.map(({ code }) => code))],
    ["BadIdx", "MissingObject", "Unreachable"],
  );
  for (const { label, module } of variants) {
    await assertFails(open(bytes, { module, mode: "fast" }), ["TreeTooDeep"], label);
    await assertFails(open(bytes, { module, mode: "analyze" }), ["MissingObject"], label);
    const volume = await open(bytes, { module });
    assert.equal(Buffer.from(await volume.get(`${"/d".repeat(511)}/ok`)).toString(), OK_TEXT);
    await assertFails(volume.get(`${"/d".repeat(512)}/ok`), ["TreeTooDeep"], label);
  }
});

test("few trees that make very many paths end at the memory limit", async () => {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  let last = image.tree(...["a", "b", "c", "d"].map((name) => treeEntry("100644", name, ok.oid)));
  for (let level = 0; level < 20; level++)
    last = image.tree(...["a", "b", "c", "d"].map((name) => treeEntry("40000", name, last.oid)));
  image.commit(last.oid);
  const { bytes } = image.finish();
  await assertSound(bytes);
  for (const { label, module } of variants) {
    const limit = 4 << 20;
    await assertFails(open(bytes, { module, mode: "fast", memoryLimit: limit }), ["OutOfMemory"], label);
    const volume = await open(bytes, { module, memoryLimit: limit });
    assert.equal(Buffer.from(await volume.get(`${"/c".repeat(20)}/d`)).toString(), OK_TEXT);
  }
});

test("symbolic links whose targets are no paths", async () => {
  const cases: [string, Outcome["read"]][] = [
    ["", ["NotFound"]],
    ["a\0b", ["NotFound"]],
    ["x".repeat(5000), ["PathTooLong"]],
    ["x/".repeat(600), ["TreeTooDeep"]],
    ["f", ["SymlinkLoop"]],
    ["f/f", ["SymlinkLoop"]],
    ["./../f/.", ["SymlinkLoop"]],
    ["ok/x", ["NotFound"]],
  ];
  for (const [target, expected] of cases) {
    const { bytes } = moded("120000", (image) => image.object("blob", target));
    for (const { label, module } of variants) {
      const volume = await open(bytes, { module });
      await assertFails(volume.get("/f", { follow: true }), expected!, `${label}: ${target.slice(0, 20)}`);
      assert.equal(Buffer.from(await volume.get("/f")).toString(), target);
      assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT);
    }
  }
});
