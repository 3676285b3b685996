/** What of a commit an image does not really hold: submodules, and files whose content Git LFS keeps elsewhere. */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { ended, gather, reasonOf, STDERR_MAX, startGit } from "../../git-program/process.js";
import { ioError } from "../../node/io-error.js";

/** How many there are, and the paths of the first. */
export interface Noticed {
  count: number;
  paths: string[];
}

/** What a commit's trees hold. */
export interface Survey {
  /** Files and symbolic links, and bytes of them. */
  fileCount: number;
  contentBytes: number;
  submodules: Noticed;
  lfsPointers: Noticed;
}

/** How many paths are told of each kind. */
const SHOWN_MAX = 5;

/** Sizes that an LFS pointer has (git-lfs, docs/spec.md): one of fewer bytes lacks a line, larger ones are none. */
const POINTER_MIN = 120;
const POINTER_END = 1024;

function note(noticed: Noticed, path: Buffer): void {
  noticed.count++;
  if (noticed.paths.length < SHOWN_MAX) noticed.paths.push(path.toString());
}

/** Whether a blob is a pointer of Git LFS (docs/spec.md). */
export function isLfsPointer(content: Buffer): boolean {
  const text = content.toString("latin1");
  return (
    text.startsWith("version https://git-lfs.github.com/spec/v1\n") &&
    /^oid sha256:[0-9a-f]{64}$/m.test(text) &&
    /^size [0-9]+$/m.test(text)
  );
}

/** Splits a stream into the entries of `ls-tree -z`. */
export async function* entriesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const entries: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      entries.push(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    yield entries;
  }
}

/** Reads what `cat-file --batch` gives, object by object: undefined for one that is missing. */
async function* objectsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let bytes = Buffer.alloc(0);
  for await (const piece of stream) {
    bytes = Buffer.concat([bytes, piece]);
    let at = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, at)) {
      const [, type, size] = bytes.toString("latin1", at, end).split(" ");
      const isMissing = type === "missing";
      const next = end + 1 + (isMissing ? 0 : Number(size) + 1);
      if (next > bytes.length) break;
      yield isMissing ? undefined : bytes.subarray(end + 1, next - 1);
      at = next;
    }
    bytes = bytes.subarray(at);
  }
}

class Surveyor {
  readonly survey: Survey = {
    fileCount: 0,
    contentBytes: 0,
    submodules: { count: 0, paths: [] },
    lfsPointers: { count: 0, paths: [] },
  };
  /** Paths of the blobs that were asked for and not read yet; no more than pipes hold. */
  readonly #asked: Buffer[] = [];

  /** Takes entries of `ls-tree -l`, and asks `cat-file` for blobs that may be pointers. */
  async *requests(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const entries of entriesOf(stream)) {
      const wanted: string[] = [];
      for (const entry of entries) {
        const id = this.#request(entry);
        if (id !== undefined) wanted.push(`${id}\n`);
      }
      yield Buffer.from(wanted.join(""));
    }
  }

  /** `100644 blob OID    SIZE<tab>PATH` */
  #request(entry: Buffer): string | undefined {
    const tab = entry.indexOf(9);
    const [mode, type, id, size] = entry.toString("latin1", 0, tab).split(/ +/);
    const path = entry.subarray(tab + 1);
    if (type === "commit") note(this.survey.submodules, path);
    if (type !== "blob") return undefined;
    const sizeLen = Number(size);
    this.survey.fileCount++;
    this.survey.contentBytes += sizeLen;
    if (mode === "120000" || !(sizeLen >= POINTER_MIN && sizeLen < POINTER_END)) return undefined;
    this.#asked.push(path);
    return id;
  }

  async read(stream: Readable): Promise<void> {
    for await (const content of objectsOf(stream as AsyncIterable<Buffer>)) {
      const path = this.#asked.shift()!;
      if (content !== undefined && isLfsPointer(content)) note(this.survey.lfsPointers, path);
    }
  }
}

/**
 * Looks through a commit's trees and its small files.
 * @param env leads git to the repository
 * @param onProgress told how many files were listed so far
 * @throws DocteurError `BadSource` where git fails, `Io`; the signal's reason
 */
export async function surveyCommit(
  env: NodeJS.ProcessEnv,
  commit: string,
  onProgress: ((count: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Survey> {
  const lister = startGit(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], env, "ignore", signal);
  const reader = startGit(["cat-file", "--batch"], env, "pipe", signal);
  const surveyor = new Surveyor();
  const feed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const requests of surveyor.requests(pieces)) {
      yield requests;
      onProgress?.(surveyor.survey.fileCount);
    }
  };
  const [fed, read, listed, ...others] = await Promise.allSettled([
    pipeline(lister.stdout!, feed, reader.stdin!),
    surveyor.read(reader.stdout!),
    Promise.all([ended(lister), gather(lister.stderr!, STDERR_MAX)]),
    Promise.all([ended(reader), gather(reader.stderr!, STDERR_MAX)]),
  ]);
  signal?.throwIfAborted();
  for (const end of [listed, ...others]) {
    if (end.status === "rejected") throw end.reason;
    const [status, stderr] = end.value;
    if (status === 0) continue;
    const hint = reasonOf(stderr);
    throw new DocteurError("BadSource", `git cannot read the commit ${commit}`, { oid: commit, hint });
  }
  for (const end of [fed, read]) if (end.status === "rejected") throw ioError("run", "git", end.reason);
  return surveyor.survey;
}
