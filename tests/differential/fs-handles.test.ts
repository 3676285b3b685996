/** Open files, wrong arguments and patterns of `docteur/fs`, against `node:fs`. */
import assert from "node:assert/strict";
import * as nodeFs from "node:fs";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createFs, type FileSystemSync, matchesGlob } from "../../src/fs/index.js";
import { make } from "../../src/make/index.js";
import { openSync, type VolumeSync } from "../../src/sync/index.js";
import type { AnyFs } from "../support/fs-calls.js";
import { createFsTree } from "../support/fs-tree.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const work = temporaryFolder({ after });
const root = join(work, "root");
let volume: VolumeSync;
let fs: FileSystemSync & AnyFs;

before(async () => {
  mkdirSync(root);
  createFsTree(root, 7, seeded(7));
  mkdirSync(`${root}/glob/x.y/.hidden`, { recursive: true });
  for (const name of [
    "a.js",
    "b.ts",
    "c[1].js",
    "-d",
    ".e.js",
    "x.y/f.js",
    "x.y/.hidden/g.js",
    "h-2.md",
    "I.MD",
  ])
    writeFileSync(`${root}/glob/${name}`, "");
  const image = join(work, "disk.img");
  await make(root, image, { date: "1717740550" });
  volume = openSync(image);
  fs = createFs(volume) as FileSystemSync & AnyFs;
});
after(() => volume.close());

/** A random read of an open file, the same for any `fs`. */
async function randomReads(from: AnyFs, path: string, seed: number): Promise<unknown[]> {
  const random = seeded(seed);
  const handle = await from.promises.open(path);
  const fd = from.openSync(path, "r");
  const results: unknown[] = [];
  const note = async (work: () => unknown): Promise<void> => {
    try {
      results.push(await work());
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      results.push({ message, code });
    }
  };
  for (let count = 0; count < 60; count++) {
    const buffer = Buffer.alloc(random(5) ? 1 + random(4000) : 0);
    const offset = random(6) ? random(buffer.length + 1) : random(5000);
    const length = random(6) ? random(buffer.length + 1) : random(5000);
    const position = [null, undefined, 0, random(210_000), random(300), -1][random(6)];
    const views = [Buffer.alloc(random(50)), new Uint16Array(random(20)), Buffer.alloc(random(3000))];
    const told = (read: { bytesRead: number }): unknown => [read.bytesRead, buffer.toString("latin1")];
    const choices: (() => unknown)[] = [
      async () => told(await handle.read(buffer, offset, length, position as number)),
      async () => told(await handle.read(buffer, { offset, length, position: position as number })),
      async () => told(await handle.read({ buffer, offset, length, position: position as number })),
      async () => (await handle.read()).buffer.toString("latin1"),
      async () => [(await handle.readv(views, position as number)).bytesRead, ...views.map(String)],
      () => [from.readSync(fd, buffer, offset, length, position as number), buffer.toString("latin1")],
      () => [
        from.readSync(fd, buffer, { offset, length, position: position as number }),
        buffer.toString("latin1"),
      ],
      () => [from.readvSync(fd, views, position as number), ...views.map(String)],
      () =>
        new Promise((resolve, reject) => {
          from.read(fd, buffer, offset, length, position as number, (error, bytesRead) =>
            error ? reject(error) : resolve([bytesRead, buffer.toString("latin1")]),
          );
        }),
      async () => {
        const stats = await handle.stat();
        return stats.isFile() && stats.size;
      },
    ];
    await note(choices[random(choices.length)]!);
  }
  await note(() => handle.readFile("latin1"));
  await note(() => from.readFileSync(fd, "utf8"));
  await handle.close();
  from.closeSync(fd);
  await note(() => handle.read());
  await note(() => handle.readFile());
  await note(() => from.fstatSync(fd));
  return results;
}

test("open files are read as Node reads them", async () => {
  for (const path of ["/large", "/lines.txt", "/empty", "/deep"])
    for (let seed = 0; seed < 20; seed++)
      assert.deepEqual(
        await randomReads(fs, path, seed),
        await randomReads(nodeFs, root + path, seed),
        `${path}, seed ${seed}`,
      );
});

test("lines, and Web streams", async () => {
  const lines = async (from: AnyFs, path: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const line of (await from.promises.open(path)).readLines()) found.push(line);
    return found;
  };
  for (const path of ["/lines.txt", "/empty", "/\ufeffmark"])
    assert.deepEqual(await lines(fs, path), await lines(nodeFs, root + path), path);
  const handle = await fs.promises.open("/large");
  const parts: Uint8Array[] = [];
  for await (const part of handle.readableWebStream() as unknown as AsyncIterable<Uint8Array>)
    parts.push(part);
  assert.ok(Buffer.concat(parts).equals(nodeFs.readFileSync(`${root}/large`)));
  assert.throws(() => handle.readableWebStream(), { code: "ERR_INVALID_STATE" });
  await handle.close();
});

test("streams over open files", async () => {
  const read = async (from: AnyFs, path: string, options: object): Promise<unknown> => {
    const handle = await from.promises.open(path);
    let content = "";
    for await (const part of handle.createReadStream(options)) content += (part as Buffer).toString("latin1");
    return [content, handle.fd];
  };
  for (const options of [{}, { start: 5 }, { start: 5, end: 100_000 }, { highWaterMark: 100, end: 1000 }])
    assert.deepEqual(await read(fs, "/large", options), await read(nodeFs, `${root}/large`, options));
});

test("wrong arguments are refused in Node's words", async () => {
  const calls: ((from: AnyFs) => unknown)[] = [
    (from) => from.readFileSync(undefined as never),
    (from) => from.readFileSync({} as never),
    (from) => from.statSync(true as never),
    (from) => from.statSync("a\0b"),
    (from) => from.statSync(Buffer.from("a\0b")),
    (from) => from.readFileSync(new URL("https://example.org/x")),
    (from) => from.readFileSync(new URL("file://host/x")),
    (from) => from.readFileSync(new URL("file:///a%2fb")),
    (from) => from.openSync("/x", "q"),
    (from) => from.closeSync(-1),
    (from) => from.closeSync(1.5),
    (from) => from.closeSync("1" as never),
    (from) => from.closeSync(2 ** 31),
    (from) => from.fstatSync(1_000_000_007),
    (from) => from.readSync(0, "x" as never),
    (from) => from.readFile("/x", undefined as never),
    (from) => from.stat("/x", {} as never),
    (from) => from.stat(null as never, () => undefined),
    (from) => from.promises.stat(null as never),
    (from) => from.promises.readFile("/x", { signal: {} as never }),
    (from) => from.promises.readFile("/empty", { signal: AbortSignal.abort(new Error("why")) }),
    (from) => from.createReadStream("/x", { start: 5, end: 3 }),
    (from) => from.createReadStream("/x", { start: "5" as never }),
  ];
  for (const call of calls) {
    const told = async (from: AnyFs): Promise<unknown> => {
      try {
        await call(from);
        return "nothing thrown";
      } catch (error) {
        const { name, message, code, cause } = error as NodeJS.ErrnoException;
        return { name, message, code, cause };
      }
    };
    assert.deepEqual(await told(fs), await told(nodeFs), String(call));
  }
});

test("Node has no call that is not here", () => {
  // Node's own machinery, and calls that its newest versions alone have.
  const others =
    /^(_|Utf8Stream|FileReadStream|FileWriteStream|ReadStream|WriteStream|mkdtempDisposable|lchmod|default$)/;
  const lacking = Object.keys(nodeFs).filter((name) => !others.test(name) && !(name in fs));
  assert.deepEqual(lacking, []);
  const promises = Object.keys(nodeFs.promises).filter(
    (name) => !others.test(name) && !(name in fs.promises),
  );
  assert.deepEqual(promises, []);
  const { constants } = fs;
  for (const [name, value] of Object.entries(nodeFs.constants))
    if (process.platform === "linux" && process.arch === "x64" && !name.startsWith("UV_FS_O_"))
      assert.equal((constants as unknown as Record<string, number>)[name], value, name);
});

const PATTERNS = [
  ["glob/*"],
  ["glob/*.js", "glob/*.ts"],
  ["glob/**/*.js"],
  ["glob/{a,b}.{js,ts}"],
  ["glob/[a-c]*.js"],
  ["glob/[!a]*"],
  ["glob/c\\[1\\].js"],
  ["glob/?.js"],
  ["glob/.*"],
  ["glob/@(a|b).*"],
  ["glob/!(a).js"],
  ["glob/+([a-z]).js"],
  ["glob/h-{1..3}.md"],
  ["glob/**/.hidden/*"],
  ["glob/x.y/f.js"],
  ["nowhere/*"],
  ["glob/*/f.js"],
  ["run/*"],
];
const { globSync } = nodeFs as { globSync?: (patterns: string[], options: object) => string[] };

test("patterns match what Node's match", {
  skip: globSync === undefined ? "this Node has no glob" : false,
}, () => {
  // In Node's patterns a backslash is a slash.
  for (const patterns of PATTERNS.filter((all) => !all.join().includes("\\")))
    assert.deepEqual(
      fs.globSync(patterns).sort(),
      globSync!(patterns, { cwd: root }).sort(),
      patterns.join(),
    );
});

test("patterns", async () => {
  assert.deepEqual(fs.globSync(PATTERNS[2]!), ["glob/a.js", "glob/c[1].js", "glob/x.y/f.js"]);
  assert.deepEqual(fs.globSync("*.js", { cwd: "/glob", exclude: ["a.*"] }), ["c[1].js"]);
  assert.deepEqual(fs.globSync("/glob/!(a|c*).js"), []);
  assert.deepEqual(fs.globSync("glob/*/"), ["glob/x.y"]);
  assert.deepEqual(fs.globSync("loop-a/**"), []);
  const found: string[] = [];
  for await (const path of fs.promises.glob("glob/*.md")) found.push(path);
  assert.deepEqual(found, ["glob/h-2.md"]);
  const [dirent] = fs.globSync("glob/b.*", { withFileTypes: true });
  assert.deepEqual([dirent!.name, dirent!.parentPath, dirent!.isFile()], ["b.ts", "/glob", true]);
  assert.ok(matchesGlob("a/b/c.js", "a/**/*.js"));
  assert.ok(!matchesGlob("a/.b/c.js", "a/**/*.js"));
  assert.throws(() => fs.globSync("{1..9999}{1..9999}"), RangeError);
});
