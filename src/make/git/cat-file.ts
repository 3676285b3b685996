/** Reads objects of a repository through `git cat-file`, for a list of ids. */
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { ended, gather, reasonOf, STDERR_MAX, startGit } from "../../git-program/process.js";
import { ioError, systemCode } from "../../node/io-error.js";

/** The repository and the objects to read. */
export interface CatFileRun {
  /** Arguments that direct git to the repository. */
  env: NodeJS.ProcessEnv;
  /** For messages: the commit that the objects belong to, 40 hexadecimal digits. */
  commit: string;
  signal: AbortSignal | undefined;
}

/**
 * Runs `git cat-file`.
 * @param flag `--batch` for contents, `--batch-check` for kinds and sizes
 * @param requests ids, a line each
 * @param read reads the output to its end
 * @throws DocteurError `BadSource` if git fails, `NoGit`, `Io`; errors of `read`; the signal's reason
 */
export async function catFile(
  { env, commit, signal }: CatFileRun,
  flag: "--batch" | "--batch-check",
  requests: Readable | Iterable<string>,
  read: (output: Readable) => Promise<void>,
): Promise<void> {
  const git = startGit(["cat-file", flag], env, "pipe", signal);
  const onFailure = (reason: unknown): never => {
    // Otherwise git would wait for requests forever.
    git.kill();
    throw reason;
  };
  const [asked, answered, end] = await Promise.allSettled([
    pipeline(requests, git.stdin!),
    read(git.stdout!).catch(onFailure),
    Promise.all([ended(git), gather(git.stderr!, STDERR_MAX)]),
  ]);
  signal?.throwIfAborted();
  if (answered.status === "rejected") {
    const { reason } = answered;
    // A file that cannot be written also ends git. git's own error must not hide that.
    if (reason instanceof DocteurError || reason?.syscall === "write") throw reason;
  }
  if (end.status === "rejected") throw end.reason;
  const [status, stderr] = end.value;
  if (status !== 0)
    throw new DocteurError("BadSource", `git cannot read the commit ${commit}`, {
      oid: commit,
      hint: reasonOf(stderr),
    });
  for (const outcome of [asked, answered])
    if (outcome.status === "rejected") {
      const { reason } = outcome;
      throw systemCode(reason) === undefined ? reason : ioError("run", "git", reason);
    }
}

/** Sends requests for ids while answers are read. */
export class Requests {
  readonly stream = new PassThrough();
  #waiting = 0;

  /** @param oid 40 hexadecimal digits */
  add(oid: string): void {
    this.#waiting++;
    this.stream.write(`${oid}\n`);
  }

  /** Notes that an answer was read; the last one ends the requests. */
  answered(): void {
    if (--this.#waiting === 0) this.stream.end();
  }
}

/** The first line of an answer. */
export interface ObjectHeader {
  /** 40 hexadecimal digits. */
  oid: string;
  /** "commit", "tree", "blob", "tag"; "missing" if there is no such object. */
  type: string;
  /** Bytes of the content. */
  size: number;
  /** The offset of the content in the output. */
  offset: number;
}

/** Receives the answers of `cat-file --batch`. */
export interface BatchVisitor {
  begin(header: ObjectHeader): void;
  /** A part of the content. */
  data?(bytes: Buffer): void;
  /** The content is complete. */
  end?(): void;
}

/**
 * Reads the output of `cat-file --batch`: for each object a line with its id, type and size, then its content
 * and a line feed.
 */
export class BatchReader {
  readonly #visitor: BatchVisitor;
  /** The part of a header read so far; the bytes of content, and of the line feed after it, still to come. */
  #header = "";
  #left = 0;
  #position = 0;

  /** @param visitor receives the objects */
  constructor(visitor: BatchVisitor) {
    this.#visitor = visitor;
  }

  /** Reads the output, and passes on each chunk. */
  async *pass(output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of output) {
      for (let at = 0; at < piece.length; ) at = this.#advance(piece, at);
      this.#position += piece.length;
      yield piece;
    }
  }

  /** Reads the output to its end. */
  async read(output: AsyncIterable<Buffer>): Promise<void> {
    const pieces = this.pass(output);
    while (!(await pieces.next()).done);
  }

  #advance(piece: Buffer, at: number): number {
    if (this.#left > 0) return this.#takeContent(piece, at);
    const end = piece.indexOf(0x0a, at);
    this.#header += piece.toString("latin1", at, end < 0 ? piece.length : end);
    if (end < 0) return piece.length;
    const [oid = "", type = "", size] = this.#header.split(" ");
    this.#header = "";
    this.#visitor.begin({ oid, type, size: Number(size), offset: this.#position + end + 1 });
    // Missing objects have no size and no content.
    if (size !== undefined) this.#left = Number(size) + 1;
    return end + 1;
  }

  #takeContent(piece: Buffer, at: number): number {
    const taken = Math.min(this.#left, piece.length - at);
    this.#left -= taken;
    // The last byte is the line feed.
    const end = at + taken - (this.#left === 0 ? 1 : 0);
    if (end > at) this.#visitor.data?.(piece.subarray(at, end));
    if (this.#left === 0) this.#visitor.end?.();
    return at + taken;
  }
}
