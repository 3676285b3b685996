/**
 * A commit's objects in one file: what `git cat-file --batch` prints of them, with the place of each content in it.
 * Whoever packs them can so read each of them any number of times, from any thread.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { ioError } from "../../io-error.js";
import type { Kind } from "../objects.js";
import type { Unread } from "../pack/surveyed.js";
import { ended, gather, reasonOf, STDERR_MAX, startGit } from "./process.js";
import { entriesOf } from "./survey.js";
import type { Workspace } from "./workspace.js";

/** An object of the commit. */
export interface SpooledObject extends Unread {
  /** 40 hexadecimal digits. */
  oid: string;
  /** The first of its paths, no slash in front, a byte string ("latin1"); the root tree's is empty, the commit's "/". */
  path: string;
}

/** The objects of a commit, each once, in the order of their paths, those of directories right before what is in them. */
export type SpooledCommit = Record<Kind, SpooledObject[]>;

/** Finds the contents in what `cat-file --batch` prints: of each object a line with its id, kind and size, its content, a line feed. */
class BatchReader {
  readonly #file: string;
  readonly #paths: readonly string[];
  readonly objects: SpooledCommit = { commit: [], tree: [], blob: [] };
  /** The part of a header that has come; bytes of content that have not. */
  #header = "";
  #left = 0;
  #count = 0;
  #position = 0;

  /** @param paths of the objects, in their order, completed on the way */
  constructor(file: string, paths: readonly string[]) {
    this.#file = file;
    this.#paths = paths;
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
      throw new DocteurError("BadSource", `the object ${oid} is not in the repository`, {
        oid,
        hint: "git fsck tells what else is missing",
      });
    const size = Number(text);
    const content = {
      path: Buffer.from(this.#file).toString("latin1"),
      offset,
      isWhole: false,
      followsLinks: false,
    };
    this.objects[kind].push({ oid, path: this.#paths[this.#count++]!, size, content });
    this.#left = size + 1;
  }
}

/** What `ls-tree -r -t -z` lists, as `cat-file` reads it: ids, each once. */
class Requests {
  readonly #seen = new Set<string>();
  /** Of the objects asked for. */
  readonly paths: string[] = [];

  async *lines(stream: AsyncIterable<Buffer>, commit: string): AsyncGenerator<Buffer> {
    this.paths.push("/", "");
    yield Buffer.from(`${commit}\n${commit}^{tree}\n`);
    for await (const entries of entriesOf(stream)) {
      const ids: string[] = [];
      // `100644 blob OID<tab>PATH`; submodules have no object here.
      for (const entry of entries)
        if (entry.toString("latin1", 7, 11) !== "comm" && this.#isNew(entry.toString("latin1", 12, 52))) {
          ids.push(`${entry.toString("latin1", 12, 52)}\n`);
          this.paths.push(entry.toString("latin1", 53));
        }
      yield Buffer.from(ids.join(""));
    }
  }

  #isNew(oid: string): boolean {
    if (this.#seen.has(oid)) return false;
    this.#seen.add(oid);
    return true;
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
  const requests = new Requests();
  const batch = new BatchReader(file, requests.paths);
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
  if (read.status === "rejected" && read.reason instanceof DocteurError) throw read.reason;
  for (const end of ends) {
    if (end.status === "rejected") throw end.reason;
    const [status, stderr] = end.value;
    if (status === 0) continue;
    const hint = reasonOf(stderr);
    throw new DocteurError("BadSource", `git cannot read the commit ${commit}`, { oid: commit, hint });
  }
  for (const end of [asked, read]) if (end.status === "rejected") throw ioError("run", "git", end.reason);
  return batch.objects;
}
