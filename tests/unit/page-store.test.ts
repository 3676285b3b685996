/** The cache that survives restarts: what is kept is read again, checked, of one version, and bounded. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FolderStore } from "../../src/devices/folder-store.js";
import { type OpenOptions, open, type PageStore, type RemoteStats } from "../../src/index.js";
import { distPath } from "../support/programs.js";
import { seeded } from "../support/random.js";
import { type RangeServer, startServer } from "../support/range-server.js";
import { richImage } from "../support/rich-image.js";

const RICH = richImage(300_000);

interface Context {
  after(end: () => void): void;
}

function newFolder(t: Context): string {
  const folder = mkdtempSync(join(tmpdir(), "docteur-pages-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Reads every file, and compares it. */
async function readAll(server: RangeServer, options: OpenOptions, rich = RICH): Promise<RemoteStats> {
  const volume = await open(server.url, { pageSize: 4096, ...options });
  for (const [path, content] of rich.files)
    assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
  const { remote } = volume.stats();
  await volume.close();
  return remote!;
}

/** Files of a store, oldest first by name. */
function pagesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\/[0-9]+$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

test("what was fetched once is not fetched by the next process", async (t) => {
  const server = await startServer(t, RICH.image);
  const cache = newFolder(t);
  const cold = await readAll(server, { cache });
  assert.ok(cold.requests > 5);
  assert.equal(cold.storeHits, 0);
  const warm = await readAll(server, { cache });
  assert.equal(warm.requests, 2);
  assert.equal(warm.roundTrips, 1);
  assert.ok(warm.storeHits > 20);
  assert.equal(cold.storeFailures + warm.storeFailures, 0);
  for (const path of pagesIn(cache)) assert.equal(statSync(path).mode & 0o077, 0);
});

test("pages of another size are others", async (t) => {
  const server = await startServer(t, RICH.image);
  const cache = newFolder(t);
  await readAll(server, { cache });
  const other = await readAll(server, { cache, pageSize: 8192 });
  assert.equal(other.storeHits, 0);
});

test("damaged pages are fetched anew", async (t) => {
  const server = await startServer(t, RICH.image);
  const cache = newFolder(t);
  await readAll(server, { cache });
  const pages = pagesIn(cache);
  const random = seeded(5);
  const damages: ((path: string) => void)[] = [
    (path) => {
      const bytes = readFileSync(path);
      const at = random(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << random(8));
      writeFileSync(path, bytes);
    },
    (path) => truncateSync(path, random(4100)),
    (path) => writeFileSync(path, ""),
    (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("x")])),
    // A sound page in another's place.
    (path) => copyFileSync(pages[0]!, path),
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  ];
  for (const [index, path] of pages.slice(1).entries()) damages[index % damages.length]!(path);
  const stats = await readAll(server, { cache });
  assert.ok(stats.storeFailures > 20, `${stats.storeFailures}`);
  // A folder in a page's place stays, and is no page.
  const healed = await readAll(server, { cache });
  assert.ok(healed.storeHits > 20);
});

test("no other version's pages are read, and nothing is kept without a strong ETag", async (t) => {
  const server = await startServer(t, RICH.image);
  const cache = newFolder(t);
  await readAll(server, { cache });
  // An image of equal size, in which every page may differ; the ETag may even stay, if the head tells.
  const other = richImage(300_000, 9);
  const changed = Buffer.from(other.image);
  server.content = changed;
  server.etag = '"v2"';
  assert.equal((await readAll(server, { cache }, other)).storeHits, 0);
  const before = pagesIn(cache).length;
  for (const etag of ['W/"v1"', undefined, "v1", '""']) {
    server.etag = etag;
    assert.equal((await readAll(server, { cache }, other)).storeHits, 0);
    assert.equal(pagesIn(cache).length, before);
  }
});

test("a server that gives another image under the ETag of the first is caught by its head", async (t) => {
  const server = await startServer(t, RICH.image);
  const cache = newFolder(t);
  await readAll(server, { cache });
  const other = richImage(310_000);
  server.content = other.image;
  assert.equal((await readAll(server, { cache }, other)).storeHits, 0);
});

test("a store is bounded, and what was used longest ago goes first", async (t) => {
  const folder = newFolder(t);
  const most = 64 * 1024;
  const store = new FolderStore(folder, most);
  const prefix = `${"0".repeat(64)}-1024`;
  const others = [join(folder, "mine.txt"), join(folder, `${prefix}x`)];
  for (const path of others) writeFileSync(path, "not a page");
  const held = (): number => pagesIn(folder).reduce((sum, path) => sum + statSync(path).size, 0);
  for (let page = 0; page < 300; page++) {
    await store.set(`${prefix}/${page}`, new Uint8Array(1024));
    // Times as they would be if all of this took long; the first page is used again and again.
    utimesSync(join(folder, `${prefix}/${page}`), page, page);
    utimesSync(join(folder, `${prefix}/0`), page, page);
    assert.ok(held() <= most + 1024, `${held()} bytes after page ${page}`);
  }
  const left = pagesIn(folder).map((path) => Number(path.slice(path.lastIndexOf("/") + 1)));
  assert.ok(left.includes(0) && left.includes(299));
  assert.ok(left.every((page) => page === 0 || page > 200));
  for (const path of others) assert.equal(readFileSync(path, "utf8"), "not a page");
});

test("a store that fails, as on a full disk, costs nothing but requests", async (t) => {
  const server = await startServer(t, RICH.image);
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  const full: PageStore = { get: async () => undefined, set: fail, delete: async () => undefined };
  const stats = await readAll(server, { cache: full });
  assert.ok(stats.storeFailures > 0);
  assert.ok(stats.requests > 5);
  const broken: PageStore = { get: fail, set: fail, delete: fail };
  await readAll(server, { cache: broken });
  // A folder that cannot be made.
  const file = join(newFolder(t), "file");
  writeFileSync(file, "");
  const unmade = await readAll(server, { cache: join(file, "cache") });
  assert.ok(unmade.storeFailures > 0);
});

function startReader(server: RangeServer, folder: string, bytes: number, rounds: number): ChildProcess {
  const program = distPath("tests/support/cached-reader.js");
  const args = [program, server.url, folder, String(bytes), String(rounds)];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

async function outputOf(reader: ChildProcess): Promise<string[]> {
  let text = "";
  reader.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await once(reader, "close");
  return text.split("\n").filter((line) => line !== "");
}

test("processes share a folder, and kills leave it sound", async (t) => {
  const server = await startServer(t, RICH.image);
  const folder = newFolder(t);
  const hash = createHash("sha256");
  const paths = [...RICH.files.keys()].filter((path) => path !== "/link" && path !== "/run").sort();
  for (const path of paths) hash.update(path).update(RICH.files.get(path)!);
  const expected = hash.digest("hex");
  // Half of the image: the processes remove pages that others are about to read.
  const most = RICH.image.length >> 1;
  const readers = [0, 1, 2].map(() => startReader(server, folder, most, 4));
  const victims = [0, 1].map(() => startReader(server, folder, most, 1000));
  const victimOutputs = victims.map(outputOf);
  const outputs = await Promise.all(readers.map(outputOf));
  // They are killed in the middle of something: they never rest.
  for (const victim of victims) victim.kill("SIGKILL");
  for (const output of outputs) assert.deepEqual(output, Array(4).fill(expected));
  for (const output of await Promise.all(victimOutputs))
    assert.ok(output.every((line) => line === expected || line.length < 64));
  // Whoever was killed left what it wrote last. The next process that writes a page makes room for it.
  rmSync(pagesIn(folder)[0]!);
  assert.deepEqual(await outputOf(startReader(server, folder, most, 1)), [expected]);
  const bytes = pagesIn(folder).reduce((sum, path) => sum + statSync(path).size, 0);
  assert.ok(bytes <= most, `${bytes} of ${most} bytes`);
});
