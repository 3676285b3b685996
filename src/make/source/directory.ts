/**
 * A plain directory as git objects. One pass reads every file for its id, which gives the trees and the commit; a
 * second packs. Nothing is kept of a file but its path, and a file that is not the same in both passes is noticed.
 *
 * System calls here are synchronous, several times as fast on small files; `Breath` lets the process do other things
 * in between.
 */
import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { DocteurError } from "../../errors.js";
import { ioError } from "../../io-error.js";
import type { FileSink } from "../../write-file.js";
import type { CommitDate } from "../date.js";
import {
  beginOid,
  encodeSyntheticCommit,
  encodeTree,
  MODE,
  type Mode,
  oidOf,
  sortTree,
  type TreeEntry,
} from "../objects.js";
import { buildIdx } from "../pack/idx.js";
import { PackWriter } from "../pack/writer.js";
import { bytesOf, changed, inspect, modeOf, readLink, SourceFile, STREAMED_LEN, shown } from "./file.js";

/** How to read a directory. */
export interface DirectoryOptions {
  /** Flatten what docteur 0.0.7 cannot represent: executables become plain files, symbolic links are followed. */
  compat: boolean;
  /** Files of the host, absolute, that are not part of the source: the image itself. */
  excluded: readonly string[];
  signal?: AbortSignal | undefined;
  onProgress?: ((phase: "scan" | "pack", done: number, total?: number) => void) | undefined;
}

/** Content of the directory that becomes a blob. Paths are byte strings ("latin1"), as the file system has them. */
interface Blob {
  path: string;
  isLink: boolean;
  oid: Buffer;
}

interface Tree {
  oid: Buffer;
  content: Buffer;
  children: Tree[];
}

/** Everything that a directory's pack will hold. */
export interface Scan {
  root: Tree;
  /** Each once, in the order of their first paths. */
  blobs: Blob[];
  /** Files and symbolic links, the same content counted every time. */
  fileCount: number;
  /** Paths of `.git` entries that were left out, for people to read. */
  skipped: string[];
}

/** Lets timers, signals and input have their turn from time to time. */
class Breath {
  readonly #signal: AbortSignal | undefined;
  #last = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Call it between files. */
  async take(): Promise<void> {
    if (performance.now() - this.#last < 20) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#last = performance.now();
  }
}

/** The first pass. */
class Scanner {
  readonly #options: DirectoryOptions;
  readonly #breath: Breath;
  readonly #excluded: Set<string>;
  readonly #blobs = new Map<string, Blob>();
  readonly #skipped: string[] = [];
  #fileCount = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#breath = new Breath(options.signal);
    this.#excluded = new Set(options.excluded.map((path) => Buffer.from(path).toString("latin1")));
  }

  async scan(path: string): Promise<Scan> {
    const root = await this.#scanFolder(path, []);
    const blobs = [...this.#blobs.values()];
    return { root, blobs, fileCount: this.#fileCount, skipped: this.#skipped };
  }

  /** @param above the folders that this one is in, by device and inode: a followed link must not lead to one */
  async #scanFolder(path: string, above: readonly string[]): Promise<Tree> {
    const { compat } = this.#options;
    const itself = inspect(path, true);
    const key = `${itself.dev}:${itself.ino}`;
    if (compat && above.includes(key))
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to a directory that it is in`, {
        path: shown(path),
        hint: "without --compat a symbolic link is kept as it is",
      });
    const found = await this.#list(path);
    const entries: TreeEntry[] = [];
    const children: Tree[] = [];
    for (const { mode, name } of found) {
      const entryPath = `${path}/${name}`;
      let oid: Buffer;
      if (mode === MODE.directory) {
        const child = await this.#scanFolder(entryPath, [...above, key]);
        children.push(child);
        oid = child.oid;
      } else {
        oid = await this.#scanBlob(entryPath, mode === MODE.symlink);
      }
      entries.push({ mode, name, oid });
    }
    const content = encodeTree(entries);
    return { oid: oidOf("tree", content), content, children };
  }

  /** A folder's entries in git's order. */
  async #list(path: string): Promise<{ mode: Mode; name: string }[]> {
    const { compat } = this.#options;
    let names: string[];
    try {
      names = readdirSync(bytesOf(path), { encoding: "latin1" });
    } catch (cause) {
      throw ioError("read", shown(path), cause);
    }
    const entries: { mode: Mode; name: string }[] = [];
    for (const name of names) {
      await this.#breath.take();
      const entryPath = `${path}/${name}`;
      if (this.#excluded.has(entryPath)) continue;
      if (name === ".git") this.#skipped.push(shown(entryPath));
      else entries.push({ mode: modeOf(entryPath, inspect(entryPath, compat), compat), name });
    }
    sortTree(entries);
    return entries;
  }

  async #scanBlob(path: string, isLink: boolean): Promise<Buffer> {
    await this.#breath.take();
    const oid = isLink ? oidOf("blob", readLink(path)) : await this.#hashFile(path);
    const key = oid.toString("latin1");
    if (!this.#blobs.has(key)) this.#blobs.set(key, { path, isLink, oid });
    this.#fileCount++;
    this.#options.onProgress?.("scan", this.#fileCount);
    return oid;
  }

  async #hashFile(path: string): Promise<Buffer> {
    const file = new SourceFile(path, this.#options.compat);
    try {
      const hash = beginOid("blob", file.size);
      for (const piece of file.pieces()) {
        hash.update(piece);
        await this.#breath.take();
      }
      return hash.digest();
    } finally {
      file.close();
    }
  }
}

/**
 * Reads a directory for the ids of all that is in it.
 *
 * Entries named `.git` are left out (no git tree may hold one, and what a nested clone or submodule keeps there is no
 * content) and told in `skipped`; the rest of a nested repository is taken as the files that it is.
 *
 * @param path absolute, symbolic links resolved
 * @throws DocteurError `BadSource` for what no image can hold, `Io` for what cannot be read; the signal's reason
 */
export function scanDirectory(path: string, options: DirectoryOptions): Promise<Scan> {
  return new Scanner(options).scan(Buffer.from(path).toString("latin1").replace(/\/$/, ""));
}

/** Trees breadth first, each once. */
function breadthFirst(root: Tree): Map<string, Tree> {
  const trees = new Map([[root.oid.toString("latin1"), root]]);
  // A map's iteration visits what is added on the way.
  for (const tree of trees.values())
    for (const child of tree.children) {
      const key = child.oid.toString("latin1");
      if (!trees.has(key)) trees.set(key, child);
    }
  return trees;
}

async function packBlob(
  pack: PackWriter,
  { path, isLink, oid }: Blob,
  options: DirectoryOptions,
): Promise<void> {
  if (isLink) {
    const target = readLink(path);
    if (!oid.equals(oidOf("blob", target))) throw changed(path);
    await pack.add("blob", oid, target);
    return;
  }
  const file = new SourceFile(path, options.compat);
  try {
    if (file.size <= STREAMED_LEN) {
      let content: Uint8Array = new Uint8Array(0);
      for (const piece of file.pieces()) content = piece;
      if (!oid.equals(oidOf("blob", content))) throw changed(path);
      await pack.add("blob", oid, content);
      return;
    }
    const hash = beginOid("blob", file.size);
    const hashed = function* (): Generator<Uint8Array, void, undefined> {
      for (const piece of file.pieces()) {
        options.signal?.throwIfAborted();
        hash.update(piece);
        yield piece;
      }
    };
    await pack.addStream("blob", oid, file.size, hashed());
    if (!oid.equals(hash.digest())) throw changed(path);
  } finally {
    file.close();
  }
}

/** The commit of a scanned directory, whole. */
export function commitOf(scan: Scan, date: CommitDate): { oid: Buffer; content: Buffer } {
  const content = encodeSyntheticCommit(scan.root.oid, date);
  return { oid: oidOf("commit", content), content };
}

/**
 * Writes a scanned directory's pack: the commit, the trees breadth first, the blobs in the order of their paths.
 * @returns how many objects it holds, and its index
 * @throws as `scanDirectory`; `Io` where a file is not what it was then
 */
export async function packDirectory(
  scan: Scan,
  commit: { oid: Buffer; content: Buffer },
  sink: FileSink,
  options: DirectoryOptions,
): Promise<{ objectCount: number; idx: Uint8Array }> {
  const trees = breadthFirst(scan.root);
  const objectCount = 1 + trees.size + scan.blobs.length;
  const pack = new PackWriter(sink, objectCount);
  const breath = new Breath(options.signal);
  let done = 0;
  const step = async (): Promise<void> => {
    options.onProgress?.("pack", ++done, objectCount);
    await breath.take();
  };
  await pack.begin();
  await pack.add("commit", commit.oid, commit.content);
  await step();
  for (const { oid, content } of trees.values()) {
    await pack.add("tree", oid, content);
    await step();
  }
  for (const blob of scan.blobs) {
    await packBlob(pack, blob, options);
    await step();
  }
  const { trailer, entries } = await pack.finish();
  return { objectCount, idx: buildIdx(entries, trailer) };
}
