/** `extract` of hostile images, and into destinations where something stands in the way: nothing leaves the destination. */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DocteurError, ErrorCode } from "../../src/errors.js";
import { closeRoot, openRoot, Position } from "../../src/extract/destination.js";
import { archive, type ExtractOptions, extract } from "../../src/extract/index.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { temporaryFolder } from "../support/temporary.js";

type Row = readonly [mode: string, name: string, content: string | readonly Row[]];

/** An image of a tree whose entries are written as they are told, in their order. Names are byte strings. */
function imageOf(rows: readonly Row[]): Uint8Array {
  const image = new CraftedImage();
  const known = new Map<string, string>();
  const add = (kind: "blob" | "tree", bytes: Buffer): string => {
    const key = `${kind} ${bytes.toString("latin1")}`;
    let oid = known.get(key);
    if (oid === undefined) {
      oid = image.object(kind, bytes).oid;
      known.set(key, oid);
    }
    return oid;
  };
  const tree = (entries: readonly Row[]): string =>
    add(
      "tree",
      Buffer.concat(
        entries.map(([mode, name, content]) => {
          if (mode === "160000") return treeEntry(mode, name, "1".repeat(40));
          const oid =
            typeof content === "string" ? add("blob", Buffer.from(content, "latin1")) : tree(content);
          return treeEntry(mode, name, oid);
        }),
      ),
    );
  image.commit(tree(rows));
  return image.finish().bytes;
}

const file = (name: string, content = "evil\n"): Row => ["100644", name, content];
const link = (name: string, target: string): Row => ["120000", name, target];
const folder = (name: string, ...rows: Row[]): Row => ["40000", name, rows];

/** Extracts an image; nothing but the destination may have changed beside it. @returns the error's code */
async function attempt(
  base: string,
  image: Uint8Array,
  options?: ExtractOptions,
): Promise<ErrorCode | undefined> {
  const outside = join(base, "outside");
  mkdirSync(outside, { recursive: true });
  let code: ErrorCode | undefined;
  try {
    await extract(image, join(base, "out"), options);
  } catch (error) {
    code = (error as DocteurError).code;
    assert.ok(code !== undefined, String(error));
  }
  assert.deepEqual(readdirSync(base).sort(), ["out", "outside"]);
  assert.deepEqual(readdirSync(outside), []);
  for (const name of readdirSync(join(base, "out"), { recursive: true, encoding: "utf8" }))
    assert.ok(!name.includes(".docteur-"), name);
  return code;
}

const HOSTILE: readonly (readonly [string, readonly Row[]])[] = [
  ["..", [folder("..", folder("outside", file("x")))]],
  [".. as a file", [file("..")]],
  [".", [folder(".", file("x"))]],
  ["a path as a name", [file("../outside/x")]],
  ["an absolute name", [file("/outside/x")]],
  ["a slash at the end", [file("x/")]],
  ["an empty name", [file("")]],
  [".git", [folder(".git", file("config"))]],
  [".GIT", [folder("a", folder(".GIT", file("config")))]],
  [".git as a file", [file(".git", "gitdir: /outside\n")]],
  [".git of HFS+", [folder(".g\xe2\x80\x8cit", file("config"))]],
  ["git~1", [folder("git~1", file("config"))]],
  [".git of NTFS", [folder(".git. .", file("config"))]],
  [".git's stream", [folder(".git::$INDEX_ALLOCATION", file("config"))]],
  ["a link .gitmodules", [link(".gitmodules", "../outside/x")]],
  ["a link, then a directory of its name", [link("a", "../outside"), folder("a", file("x"))]],
  ["a directory, then a link of its name", [folder("a", file("x")), link("a", "../outside")]],
  ["a link, then a file of its name", [link("a", "../outside/x"), file("a")]],
  ["a file twice", [file("a", "1"), file("a", "2")]],
  ["a file twice, with another between", [file("a", "1"), file("b"), file("a", "2")]],
];

for (const [name, rows] of HOSTILE)
  test(`a tree with ${name} is refused`, async (t) => {
    const image = imageOf(rows);
    const code = await attempt(temporaryFolder(t), image);
    assert.ok(code === "BadTree", `${code}`);
    assert.equal(await attempt(temporaryFolder(t), image, { overwrite: true }), "BadTree");
    for (const format of ["tar", "zip"] as const)
      await assert.rejects(
        async () => {
          for await (const _ of archive(image, format));
        },
        { code: "BadTree" },
      );
  });

test("links may lead out, as git has them, and are not followed", async (t) => {
  const base = temporaryFolder(t);
  const image = imageOf([link("a", "../outside"), link("b", "/etc/passwd"), file("c", "fine")]);
  assert.equal(await attempt(base, image), undefined);
  assert.equal(readlinkSync(join(base, "out/a")), "../outside");
  // Stripping puts a file of one directory where another has a link.
  const crossed = imageOf([folder("1", link("a", "../outside")), folder("2", folder("a", file("x")))]);
  assert.equal(await attempt(temporaryFolder(t), crossed, { stripComponents: 1 }), "Io");
});

const FOLDED: readonly (readonly [string, readonly Row[]])[] = [
  ["case", [file("A", "1"), file("a", "2")]],
  ["case of a directory and a link", [folder("A", file("x")), link("a", "../outside")]],
  ["case beyond ASCII", [file("\xc3\x84", "1"), file("\xc3\xa4", "2")]],
  ["composition", [file("a\xcc\x88", "1"), file("\xc3\xa4", "2")]],
];

for (const [name, rows] of FOLDED)
  test(`names that differ only in ${name} are refused where they would be one`, async (t) => {
    assert.equal(await attempt(temporaryFolder(t), imageOf(rows), { portable: true }), "Io");
    assert.equal(await attempt(temporaryFolder(t), imageOf(rows)), undefined);
  });

test("names that Windows does not have are refused where they could get there", async (t) => {
  const names = [
    "CON",
    "nul",
    "Aux.txt",
    "COM1",
    "com9.log",
    "LPT\xc2\xb9",
    "CONIN$",
    "prn .x",
    "a.",
    "a ",
    "a...",
  ];
  for (const name of [...names, "a\\b", "c:", "a:b", "a*", "a?", '"', "<", "|", "a\x01", "\xff"]) {
    const image = imageOf([file(name)]);
    assert.equal(await attempt(temporaryFolder(t), image, { portable: true }), "Io", name);
    assert.equal(await attempt(temporaryFolder(t), image), undefined, name);
  }
  for (const name of ["CONSOLE", "COM", "COM10", "a.con", ".con", "null", "\xe6\x97\xa5"])
    assert.equal(
      await attempt(temporaryFolder(t), imageOf([file(name)]), { portable: true }),
      undefined,
      name,
    );
});

test("what stands in the destination is never written through", async (t) => {
  const image = imageOf([folder("a", file("x", "ours\n")), file("b", "ours\n")]);
  for (const overwrite of [false, true])
    for (const [at, target] of [
      ["a", "../outside"],
      ["a/x", "../../outside/x"],
      ["b", "../outside/b"],
    ] as const) {
      const base = temporaryFolder(t);
      mkdirSync(join(base, "out"));
      if (at === "a/x") mkdirSync(join(base, "out/a"));
      symlinkSync(target, join(base, "out", at));
      assert.equal(await attempt(base, image, { overwrite }), overwrite ? undefined : "Io", at);
      if (!overwrite) assert.equal(readlinkSync(join(base, "out", at)), target);
      else assert.equal(readFileSync(join(base, "out/a/x"), "utf8"), "ours\n");
    }
});

test("a directory in a file's place stays", async (t) => {
  const base = temporaryFolder(t);
  mkdirSync(join(base, "out/b"), { recursive: true });
  assert.equal(await attempt(base, imageOf([file("b")]), { overwrite: true }), "Io");
  assert.ok(lstatSync(join(base, "out/b")).isDirectory());
});

test("a directory that becomes a link meanwhile leads nowhere", {
  skip: !existsSync("/proc/self/fd"),
}, (t) => {
  const base = temporaryFolder(t);
  mkdirSync(join(base, "outside"));
  for (const isAnchored of [true, false]) {
    const root = openRoot(join(base, "out"), isAnchored);
    const position = new Position(root);
    position.make("a", "a", false);
    position.enter("a");
    renameSync(join(base, "out/a"), join(base, "moved"));
    symlinkSync("../outside", join(base, "out/a"));
    // An open directory stays the one that it was; a path is looked at again.
    if (isAnchored) writeFileSync(position.at("x"), "");
    position.enter("");
    assert.throws(() => position.enter("a"), { code: "Io" });
    position.close();
    closeRoot(root);
    assert.deepEqual(readdirSync(join(base, "outside")), []);
    rmSync(join(base, "out/a"));
    rmSync(join(base, "moved"), { recursive: true });
  }
});

test("a destination whose directories turn into links all the time keeps everything inside", async (t) => {
  const base = temporaryFolder(t);
  mkdirSync(join(base, "outside"));
  mkdirSync(join(base, "out"));
  const rows = Array.from({ length: 20 }, (_, index) =>
    folder(`d${String(index).padStart(2, "0")}`, ...["a", "b", "c"].map((name) => file(name, `${index}`))),
  );
  const image = imageOf(rows);
  let isDone = false;
  const swap = async (): Promise<void> => {
    while (!isDone) {
      for (const name of readdirSync(join(base, "out")).filter((one) => one.startsWith("d"))) {
        try {
          renameSync(join(base, "out", name), join(base, "out", `.${name}`));
          symlinkSync("../outside", join(base, "out", name));
        } catch {
          // It is one already.
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const swapping = swap();
  const result = await extract(image, join(base, "out")).catch((error: DocteurError) => error.code);
  isDone = true;
  await swapping;
  assert.ok(typeof result === "object" || result === "Io", String(result));
  assert.deepEqual(readdirSync(join(base, "outside")), []);
});

test("modes are those of files and executables, and a submodule is an empty directory", async (t) => {
  const base = temporaryFolder(t);
  const image = imageOf([
    ["40000", "empty", []],
    ["160000", "module", ""],
    ["104755", "setuid", "x"],
    ["100777", "wide", "x"],
  ]);
  assert.equal(await attempt(base, image), undefined);
  const umask = process.umask();
  for (const name of ["setuid", "wide"])
    assert.equal(lstatSync(join(base, "out", name)).mode & 0o7777, 0o755 & ~umask, name);
  for (const name of ["module", "empty"]) assert.deepEqual(readdirSync(join(base, "out", name)), []);
});
