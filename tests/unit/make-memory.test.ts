/** Images of files in memory: the bytes that `make` writes for a directory of the same files. */
import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runInNewContext } from "node:vm";
import { DocteurError, type ErrorCode, open } from "../../src/index.js";
import {
  type MemoryFile,
  type MemoryFiles,
  type MemoryOptions,
  type MemoryProgress,
  make,
  makeImage,
} from "../../src/make/index.js";
import { compilePacker } from "../../src/make/pack/compile-packer.js";
import { DATE, makeAndCheck } from "../support/checked-image.js";
import { seeded } from "../support/random.js";
import { createRandomTree } from "../support/random-tree.js";
import { temporaryFolder } from "../support/temporary.js";

type Pairs = [Buffer, MemoryFile][];

/** A directory's files as `makeImage` takes them, with their bare paths. */
function readTree(folder: Buffer, prefix = Buffer.alloc(0)): Pairs {
  return readdirSync(folder, { encoding: "buffer" }).flatMap((name): Pairs => {
    const path = Buffer.concat([folder, Buffer.from("/"), name]);
    const bare = Buffer.concat([prefix, name]);
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return [[bare, { link: readlinkSync(path, { encoding: "buffer" }) }]];
    if (!found.isDirectory())
      return [[bare, { content: readFileSync(path), executable: (found.mode & 0o100) !== 0 }]];
    const inside = readTree(path, Buffer.concat([bare, Buffer.from("/")]));
    return inside.length > 0 ? inside : [[bare, { directory: true }]];
  });
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seeded(seed);
  const ranked = items.map((item) => ({ item, rank: random(1 << 30) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** Text of lines that files of other `version`s share for the most part. */
function versionedText(version: number, lineCount: number): string {
  const random = seeded(7);
  const line = (at: number): string =>
    at % 97 === version ? `changed in version ${version}` : `line ${at}: ${random(1e9)} ${random(1e9)}`;
  return `${Array.from({ length: lineCount }, (_, at) => line(at)).join("\n")}\n`;
}

/** Files whose packing takes every way: whole, as deltas, by pieces, stored, met twice, empty. */
const FILES: Record<string, MemoryFile> = {
  "README.md": "# Everything\n",
  "/.hidden": "",
  "bin/run": { content: "#!/bin/sh\nexec true\n", executable: true },
  "bin/plain": { content: "#!/bin/sh\nexec true\n", executable: false },
  "bin/other": { link: "run" },
  "docs/a.md": versionedText(1, 900),
  "docs/b.md": new TextEncoder().encode(versionedText(2, 900)),
  "docs/é/日本語.md": versionedText(3, 900),
  __proto__file: "not a prototype",
  constructor: "neither",
  "data/noise": Uint8Array.from(
    { length: 70_000 },
    (
      (random) => () =>
        random(256)
    )(seeded(3)),
  ),
  "data/zeros": new ArrayBuffer(9 << 20),
  "data/words": Uint16Array.of(1, 2, 0xfffe),
  "data/part": new Uint8Array(new TextEncoder().encode("a part of it").buffer, 2, 4),
  empty: { directory: true },
  data: { directory: true },
};

function contentOf(file: MemoryFile): Buffer | undefined {
  if (typeof file === "string") return Buffer.from(file);
  if (file instanceof ArrayBuffer) return Buffer.from(file);
  if (ArrayBuffer.isView(file)) return Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if ("directory" in file) return undefined;
  return contentOf("link" in file ? file.link : file.content);
}

function writeTree(folder: string, files: Record<string, MemoryFile>): void {
  for (const [path, file] of Object.entries(files)) {
    const place = join(folder, path);
    const content = contentOf(file);
    mkdirSync(content === undefined ? place : join(place, ".."), { recursive: true });
    if (content === undefined) continue;
    if (typeof file === "object" && "link" in file) symlinkSync(content, place);
    else {
      const isExecutable = typeof file === "object" && "executable" in file && file.executable;
      writeFileSync(place, content, { mode: isExecutable ? 0o755 : 0o644 });
    }
  }
}

/** Rejects with an error of that code, in one line. */
async function rejects(promise: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof DocteurError, String((error as Error).stack));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

test("the image of a directory with the same files, which git agrees with", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  writeTree(source, FILES);
  const { summary, bytes } = await makeAndCheck(source, work);
  const { image, ...made } = await makeImage(FILES, { date: DATE });
  assert.ok(bytes.equals(image));
  for (const [name, value] of Object.entries(made))
    assert.deepEqual(value, (summary as unknown as Record<string, unknown>)[name], name);
  assert.equal(made.imageBytes, image.length);
  assert.ok(made.deltaCount >= 2, `${made.deltaCount} deltas`);
});

test("options mean what they mean to make", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  const files = { "a.md": versionedText(1, 300), "b.md": versionedText(2, 300) };
  writeTree(source, files);
  const date = new Date("2021-02-03T04:05:06Z");
  for (const options of [{ date }, { date, blockSize: 4096 }, { date, depth: 0 }]) {
    await make(source, join(work, "image"), options);
    const { image } = await makeImage(files, options);
    assert.ok(readFileSync(join(work, "image")).equals(image), JSON.stringify(options));
  }
  const { image, deltaCount } = await makeImage(files, { depth: 0 });
  assert.equal(deltaCount, 0);
  const volume = await open(image);
  assert.equal(volume.commit.date?.getTime(), 0);
  await volume.close();
});

test("random trees, in any order, with names that are no text", async (t) => {
  for (const seed of [1, 2, 3]) {
    const work = temporaryFolder(t);
    const source = join(work, "source");
    mkdirSync(source);
    createRandomTree(source, seed, seed);
    await make(source, join(work, "image"), { date: DATE });
    const expected = readFileSync(join(work, "image"));
    const pairs = readTree(Buffer.from(source));
    for (const order of [10, 11]) {
      const { image } = await makeImage(shuffled(pairs, order), { date: DATE });
      assert.ok(expected.equals(image), `tree ${seed}, order ${order}`);
    }
  }
});

test("objects, maps and generators of pairs are the same", async () => {
  const files = { "a/b": "1", "/c": "2", d: { directory: true } } as const;
  const { image } = await makeImage(files);
  const entries: [string, MemoryFile][] = Object.entries(files);
  function* generate(): Generator<[string, MemoryFile]> {
    yield* entries;
  }
  for (const same of [new Map(entries), entries, generate()])
    assert.deepEqual((await makeImage(same)).image, image);
});

test("every build of the packer gives the same bytes", async () => {
  const files = {
    "a.md": versionedText(1, 300),
    "b/a.md": versionedText(2, 300),
    "c.md": versionedText(3, 200),
    noise: Uint8Array.from(
      { length: 3000 },
      (
        (random) => () =>
          random(256)
      )(seeded(5)),
    ),
  };
  const { image, deltaCount } = await makeImage(files);
  assert.equal(deltaCount, 2);
  for (const debug of [false, true])
    for (const simd of [false, true]) {
      const module = await compilePacker(simd, debug);
      assert.deepEqual((await makeImage(files, { module })).image, image, `debug ${debug}, SIMD ${simd}`);
    }
});

test("an image is read back", async () => {
  const { image, commit, tree, fileCount } = await makeImage(FILES, { date: DATE });
  const volume = await open(image);
  assert.equal(volume.commit.oid, commit);
  assert.equal(volume.commit.tree, tree);
  assert.equal(volume.commit.date?.toISOString(), "2024-06-07T06:09:10.000Z");
  let read = 0;
  for (const [path, file] of Object.entries(FILES)) {
    const content = contentOf(file);
    if (content === undefined) continue;
    read++;
    assert.ok(content.equals(await volume.get(path)), path);
  }
  assert.equal(read, fileCount);
  assert.deepEqual(await volume.list("/empty"), []);
  const kinds = (await volume.list("/bin")).map(({ name, kind }) => `${kind} ${name}`);
  assert.deepEqual(kinds, ["symlink other", "file plain", "executable run"]);
  await volume.close();
});

test("an image of nothing", async () => {
  const { image, objectCount, fileCount } = await makeImage({});
  assert.deepEqual([objectCount, fileCount], [2, 0]);
  const volume = await open(image);
  assert.deepEqual(await volume.list("/"), []);
  await volume.close();
});

test("a key of an object is a path, whatever JavaScript means by it", async () => {
  const files = JSON.parse('{"__proto__": "1", "toString/valueOf": "2", "__proto__x/__proto__": "3"}');
  const { image } = await makeImage(files);
  const volume = await open(image);
  const decoder = new TextDecoder();
  for (const [path, content] of Object.entries(files))
    assert.equal(decoder.decode(await volume.get(path)), content);
  await volume.close();
});

test("contents of other realms are contents", async () => {
  const [bytes, buffer] = runInNewContext("[Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3).buffer]");
  const { image } = await makeImage({ bytes: Uint8Array.of(1, 2, 3), buffer: Uint8Array.of(1, 2, 3) });
  assert.deepEqual((await makeImage({ bytes, buffer })).image, image);
});

test("paths that no image can hold", async () => {
  const refused: [MemoryFiles, RegExp][] = [
    [{ "": "" }, /^"" cannot be in an image: a name in its path is empty/],
    [{ "/": "" }, /a name in its path is empty/],
    [{ "/": { directory: true } }, /a name in its path is empty/],
    [{ "a/": "" }, /a name in its path is empty/],
    [{ "//a": "" }, /a name in its path is empty/],
    [{ "a//b": "" }, /a name in its path is empty/],
    [{ "a/../b": "" }, /no file is named "\.\."/],
    [{ "./a": "" }, /no file is named "\."/],
    [{ "a/..": { directory: true } }, /no file is named "\.\."/],
    [{ "a\0b": "" }, /^"a\\000b" .* zero byte/],
    [{ "a/.git/config": "" }, /take for \.git/],
    [{ ".GIT": { directory: true } }, /take for \.git/],
    [{ ".gitmodules": { link: "a" } }, /git has settings in files of that name/],
    [{ ".gitmodules": { directory: true } }, /git has settings in files of that name/],
    [{ [`${"d/".repeat(512)}f`]: "" }, /more than 512 levels deep/],
    [{ [`${"é".repeat(2047)}/f`]: "" }, /longer than 4095 bytes/],
    [{ a: "", "/a": "" }, /^"\/a" cannot be in an image: it is there twice/],
    [{ a: "", "a/b": "" }, /^"a\/b" .* "a" is a file by one path, and a directory by another$/],
    [{ "a/b": "", a: "" }, /^"a" .* "a" is a file by one path, and a directory by another$/],
    [
      { a: "", "/a": { directory: true } },
      /^"\/a" .* "a" is a file by one path, and a directory by another$/,
    ],
    [
      { a: { directory: true }, "/a": { link: "b" } },
      /"a" is a file by one path, and a directory by another$/,
    ],
    [{ a: { link: "" } }, /a symbolic link leads to no such path/],
    [{ a: { link: "b\0c" } }, /a symbolic link leads to no such path/],
    [
      [
        ["a", "1"],
        [Uint8Array.of(0x61), "1"],
      ],
      /it is there twice/,
    ],
  ];
  for (const [files, message] of refused) await rejects(makeImage(files), "BadSource", message);
});

test("paths at the limits", async () => {
  const deep = `${"d/".repeat(511)}f`;
  const long = `${"n".repeat(4000)}/${"m".repeat(94)}`;
  const { image } = await makeImage({ [deep]: "deep", [long]: "long" });
  const volume = await open(image);
  for (const [path, content] of [
    [deep, "deep"],
    [long, "long"],
  ] as const)
    assert.equal(new TextDecoder().decode(await volume.get(path)), content);
  await volume.close();
});

test("what is no path, no file, or no set of files", async () => {
  const refused: [unknown, RegExp][] = [
    [undefined, /not files by their paths/],
    [null, /not files by their paths/],
    ["a", /not files by their paths/],
    [["a"], /pairs/],
    [[["a"]], /pairs/],
    [[[1, "a"]], /not a path: 1/],
    [{ a: undefined }, /^"a" .* not a file's content/],
    [{ a: null }, /not a file's content/],
    [{ a: 1 }, /not a file's content/],
    [{ a: {} }, /not a file's content/],
    [{ a: [1, 2] }, /not a file's content/],
    [{ a: { content: 5 } }, /not a file's content/],
    [{ a: { content: { content: "nested" } } }, /not a file's content/],
    [{ a: { link: 5 } }, /not a file's content/],
    [{ a: { content: "", link: "b" } }, /not a file's content/],
    [{ a: { directory: "yes" } }, /not a file's content/],
    [{ a: { directory: true, content: "" } }, /not a file's content/],
  ];
  for (const [files, message] of refused)
    await rejects(makeImage(files as MemoryFiles), "InvalidArgument", message);
});

test("options that are none", async () => {
  const refused: [MemoryOptions, RegExp][] = [
    [{ blockSize: 1000 }, /not a block size: 1000/],
    [{ blockSize: 256 }, /not a block size/],
    [{ depth: -1 }, /not a number for depth/],
    [{ depth: 4096 }, /not a number for depth/],
    [{ depth: 1.5 }, /not a number for depth/],
    [{ date: "yesterday" }, /not a date/],
    [{ date: new Date(-1000) }, /no time before 1970/],
    [{ date: new Date(Number.NaN) }, /no time before 1970/],
  ];
  for (const [options, message] of refused)
    await rejects(makeImage({ a: "" }, options), "InvalidArgument", message);
});

/** Calls an action once in the middle of a phase. */
function once(phase: string, action: () => void): MemoryOptions["onProgress"] {
  let isDone = false;
  return (progress) => {
    if (isDone || progress.phase !== phase) return;
    isDone = true;
    action();
  };
}

test("a signal ends the work with its reason", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, at) => [`f${at}`, versionedText(at, 20_000)]),
  );
  const reason = new Error("enough");
  const isReason = (error: unknown): boolean => error === reason;
  await assert.rejects(makeImage(files, { signal: AbortSignal.abort(reason) }), isReason);
  for (const phase of ["read", "compare", "pack"]) {
    const controller = new AbortController();
    let after = 0;
    const abort = once(phase, () => controller.abort(reason));
    const onProgress: MemoryOptions["onProgress"] = (progress) => {
      if (controller.signal.aborted) after++;
      abort?.(progress);
    };
    await assert.rejects(makeImage(files, { signal: controller.signal, onProgress }), isReason, phase);
    const heard = after;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(after, heard, `${phase}: work went on`);
  }
});

test("progress counts to the end of every phase", async () => {
  const steps: MemoryProgress[] = [];
  const { objectCount } = await makeImage(FILES, { onProgress: (progress) => steps.push(progress) });
  const phases = ["read", "compare", "pack"];
  assert.deepEqual([...new Set(steps.map(({ phase }) => phase))], phases);
  for (const [at, { phase, done, total }] of steps.entries()) {
    const next = steps[at + 1];
    assert.ok(done > 0 && done <= total);
    assert.ok(
      done < total ? next?.phase === phase && next.done > done : next?.done !== total || next.phase !== phase,
    );
    if (phase === "pack") assert.equal(total, objectCount);
  }
});

test("content that changes meanwhile is noticed", async () => {
  const actions: ((bytes: Uint8Array<ArrayBuffer>) => unknown)[] = [
    (bytes) => bytes.fill(0x20, 10, 20),
    // A buffer that goes to another thread leaves nothing behind.
    (bytes) => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }),
  ];
  for (const act of actions) {
    const content = new TextEncoder().encode(versionedText(1, 500));
    const onProgress = once("read", () => act(content));
    await rejects(makeImage({ a: content, b: "b" }, { onProgress }), "Io", /changed while/);
  }
});

test("many files", async (t: TestContext) => {
  const count = 5_000;
  const files = new Map<string, MemoryFile>();
  for (let at = 0; at < count; at++) files.set(`${at % 50}/${at % 7}/file-${at}.txt`, `content of ${at}\n`);
  const { image, fileCount, objectCount } = await makeImage(files);
  assert.deepEqual([fileCount, objectCount], [count, count + 1 + 50 + 350 + 1]);
  const volume = await open(image);
  t.after(() => volume.close());
  assert.equal(new TextDecoder().decode(await volume.get("/49/6/file-3499.txt")), "content of 3499\n");
});
