/**
 * A commit's objects in one file: what `git cat-file --batch` prints of them, with the place of each content in it.
 * Whoever packs them can so read each of them any number of times, from any thread.
 */

import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { ByteStrings, doubled } from "../../git/byte-strings.js";
import { KIND, type Kind } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import { ended, gather, reasonOf, STDERR_MAX, startGit } from "../../git-program/process.js";
import type { Workspace } from "../../git-program/workspace.js";
import { ioError } from "../../node/io-error.js";
import type { Unreads } from "../base/content.js";
import { GrowingOidSet } from "../base/oid-set.js";
import { entriesOf } from "./omissions.js";

/**
 * The objects of a commit, each once, in the order of their paths, those of directories right before what is in them: the
 * commit, its tree, and so on. Columns, as there may be a million.
 */
export class SpooledCommit {
  /** The first path of each, no slash in front, a byte string ("latin1"); the root tree's is empty, the commit's "/". */
  readonly paths = new ByteStrings();
  /** A byte string. */
  readonly #file: string;
  #kinds = new Uint8Array(256);
  #sizes = new Float64Array(256);
  #offsets = new Float64Array(256);
  #oids = new Uint8Array(256 * OID_LEN);
  count = 0;
  /** Bytes of all contents. */
  contentLen = 0;

  constructor(file: string) {
    this.#file = Buffer.from(file).toString("latin1");
  }

  /**
   * Adds an object, whose path is there already.
   * @param size bytes of its content
   * @param offset where that begins in the file
   */
  add(kind: Kind, oid: Uint8Array, size: number, offset: number): void {
    if (this.count === this.#sizes.length) {
      this.#kinds = doubled(this.#kinds);
      this.#sizes = doubled(this.#sizes);
      this.#offsets = doubled(this.#offsets);
      this.#oids = doubled(this.#oids);
    }
    const row = this.count++;
    this.#kinds[row] = KIND[kind];
    this.#sizes[row] = size;
    this.#offsets[row] = offset;
    this.#oids.set(oid, row * OID_LEN);
    this.contentLen += size;
  }

  /** The rows of a kind, in their order. */
  rowsOf(kind: Kind): Uint32Array {
    const rows = new Uint32Array(this.count);
    let end = 0;
    for (let row = 0; row < this.count; row++) if (this.#kinds[row] === KIND[kind]) rows[end++] = row;
    return rows.slice(0, end);
  }

  /** 20 bytes. */
  oidOf(row: number): Uint8Array {
    return this.#oids.subarray(row * OID_LEN, (row + 1) * OID_LEN);
  }

  /** Where the contents of some are. */
  unreads(rows: Uint32Array): Unreads {
    return {
      length: rows.length,
      at: (index) => {
        const row = rows[index]!;
        const offset = this.#offsets[row]!;
        const content = { path: this.#file, offset, isWhole: false, followsLinks: false };
        return { size: this.#sizes[row]!, content };
      },
    };
  }
}

/** Finds the contents in what `cat-file --batch` prints: of each object a line with its id, kind and size, its content, a line feed. */
class BatchReader {
  readonly #spooled: SpooledCommit;
  /** The part of a header that has come; bytes of content that have not. */
  #header = "";
  #left = 0;
  #position = 0;

  /** @param spooled takes the objects */
  constructor(spooled: SpooledCommit) {
    this.#spooled = spooled;
  }

  /** Takes note of a piece and hands it on. */
  async *read(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of stream) {
      for (let at = 0; at < piece.length; ) at = this.#advance(piece, at);
      this.#position += piece.length;
      yield piece;
    }
  }

  #advance(piece: Buffer, at: number): number {
    if (this.#left > 0) {
      const skipped = Math.min(this.#left, piece.length - at);
      this.#left -= skipped;
      return at + skipped;
    }
    const end = piece.indexOf(0x0a, at);
    this.#header += piece.toString("latin1", at, end < 0 ? piece.length : end);
    if (end < 0) return piece.length;
    this.#take(this.#header, this.#position + end + 1);
    this.#header = "";
    return end + 1;
  }

  #take(header: string, offset: number): void {
    const [oid = "", kind = "", text] = header.split(" ");
    if (kind !== "commit" && kind !== "tree" && kind !== "blob")
      throw new DocteurError("BadSource", `the object ${oid} is missing from the repository, or damaged`, {
        oid,
        hint: "git fsck tells which, and what else is",
      });
    const size = Number(text);
    this.#spooled.add(kind, Buffer.from(oid, "hex"), size, offset);
    this.#left = size + 1;
  }
}

/** What `ls-tree -r -t -z` lists, as `cat-file` reads it: ids, each once. */
class Requests {
  readonly #seen = new GrowingOidSet();
  readonly #paths: ByteStrings;

  /** @param paths takes those of the objects asked for */
  constructor(paths: ByteStrings) {
    this.#paths = paths;
  }

  async *lines(stream: AsyncIterable<Buffer>, commit: string): AsyncGenerator<Buffer> {
    for (const path of ["/", ""]) this.#paths.add(path);
    yield Buffer.from(`${commit}\n${commit}^{tree}\n`);
    for await (const entries of entriesOf(stream)) {
      const ids: string[] = [];
      // `100644 blob OID<tab>PATH`; submodules have no object here.
      for (const entry of entries)
        if (entry.toString("latin1", 7, 11) !== "comm") {
          const id = entry.toString("latin1", 12, 52);
          if (!this.#seen.add(Buffer.from(id, "hex"))) continue;
          ids.push(`${id}\n`);
          this.#paths.add(entry.toString("latin1", 53));
        }
      yield Buffer.from(ids.join(""));
    }
  }
}

/**
 * Reads a commit, its trees and its blobs into a file of the workspace's folder.
 * @throws DocteurError `BadSource` where git cannot read them, `Io`; the signal's reason
 */
export async function spoolCommit(
  { env, folder }: Workspace,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<SpooledCommit> {
  const file = join(folder, "objects");
  const lister = startGit(["ls-tree", "-r", "-t", "-z", "--full-tree", commit], env, "ignore", signal);
  const reader = startGit(["cat-file", "--batch"], env, "pipe", signal);
  const spooled = new SpooledCommit(file);
  const requests = new Requests(spooled.paths);
  const batch = new BatchReader(spooled);
  const [asked, read, ...ends] = await Promise.allSettled([
    pipeline(
      lister.stdout!,
      (stream: AsyncIterable<Buffer>) => requests.lines(stream, commit),
      reader.stdin!,
    ),
    pipeline(reader.stdout!, (stream: AsyncIterable<Buffer>) => batch.read(stream), createWriteStream(file)),
    Promise.all([ended(lister), gather(lister.stderr!, STDERR_MAX)]),
    Promise.all([ended(reader), gather(reader.stderr!, STDERR_MAX)]),
  ]);
  signal?.throwIfAborted();
  // A file that cannot be written ends git, too, which would be blamed for it.
  if (read.status === "rejected" && (read.reason instanceof DocteurError || read.reason.syscall === "write"))
    throw read.reason;
  for (const end of ends) {
    if (end.status === "rejected") throw end.reason;
    const [status, stderr] = end.value;
    if (status === 0) continue;
    const hint = reasonOf(stderr);
    throw new DocteurError("BadSource", `git cannot read the commit ${commit}`, { oid: commit, hint });
  }
  for (const end of [asked, read]) if (end.status === "rejected") throw ioError("run", "git", end.reason);
  return spooled;
}
