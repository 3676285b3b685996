/** `fs.Dir`: a directory that is read entry by entry. */
import type { Steps } from "../posix/steps.js";
import { finish, settle } from "../posix/steps.js";
import type { Entry } from "../volume/entry.js";
import { optionsOf, placeOf, wholeOf } from "./arguments.js";
import { nodeError } from "./errors.js";
import { type Callback, callBack } from "./forms.js";
import { direntOf, type Folder, type Form, findFolder, folderIn, formOf } from "./listing.js";
import type { Reads } from "./reads.js";
import type { Dirent } from "./stats.js";
import type { Bytes } from "./types.js";

/** Entries that are held. */
const BUFFER_SIZE = 32;

const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

function closedError(): Error {
  return nodeError(Error, "ERR_DIR_CLOSED", "Directory handle was closed");
}

/** An open directory. Only a page of its entries is held. */
export class Dir {
  /** The path that the caller gave. */
  readonly path: string | Bytes;
  readonly #reads: Reads;
  readonly #form: Form;
  readonly #limit: number;
  /** Directories that have to be read; the first is being read. */
  readonly #folders: Folder[];
  #page: readonly Entry[] = [];
  #next = 0;
  #isClosed = false;
  /** The read before, which the next one waits for. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Use `opendir`.
   * @param limit entries that are read at once
   * @internal
   */
  constructor(reads: Reads, folder: Folder, form: Form, limit: number) {
    this.#reads = reads;
    this.#folders = [folder];
    this.#form = form;
    this.#limit = limit;
    this.path = form.given as string | Bytes;
  }

  /** The next entry; null at the end. */
  *#advance(): Steps<Dirent | null> {
    for (;;) {
      const folder = this.#folders[0];
      if (folder === undefined) return null;
      const entry = this.#page[this.#next++];
      if (entry !== undefined) {
        const below = this.#form.isRecursive ? folderIn(folder, entry) : undefined;
        if (below !== undefined) this.#folders.push(below);
        return direntOf(folder, entry, this.#form);
      }
      const last = this.#page.at(-1)?.nameBytes;
      const call = { syscall: "scandir", path: placeOf(this.path).text };
      this.#page = yield* this.#reads.page(call, folder.found, last, this.#limit);
      this.#next = 0;
      if (this.#page.length === 0) this.#folders.shift();
    }
  }

  /** The next entry, or null at the end: to a callback, or as a promise. */
  read(): Promise<Dirent | null>;
  read(callback: (error: unknown, entry: Dirent | null) => void): void;
  read(
    callback?: Callback | ((error: unknown, entry: Dirent | null) => void),
  ): Promise<Dirent | null> | undefined {
    if (this.#isClosed) {
      if (callback === undefined) return Promise.reject(closedError());
      throw closedError();
    }
    const read = this.#last.then(() => settle(this.#advance()));
    this.#last = read.catch(() => undefined);
    if (callback === undefined) return read;
    callBack(
      (function* (): Steps<unknown> {
        return yield read;
      })(),
      callback as Callback,
    );
    return undefined;
  }

  readSync(): Dirent | null {
    if (this.#isClosed) throw closedError();
    return finish(this.#advance());
  }

  close(): Promise<void>;
  close(callback: (error: unknown) => void): void;
  close(callback?: (error: unknown) => void): Promise<void> | undefined {
    const error = this.#isClosed ? closedError() : undefined;
    this.#isClosed = true;
    if (callback === undefined) return error === undefined ? Promise.resolve() : Promise.reject(error);
    queueMicrotask(() => callback(error ?? null));
    return undefined;
  }

  closeSync(): void {
    if (this.#isClosed) throw closedError();
    this.#isClosed = true;
  }

  /** The entries that follow. The directory is closed at their end. */
  async *entries(): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Dirent, void, undefined> {
    return this.entries();
  }

  async [asyncDispose](): Promise<void> {
    if (!this.#isClosed) await this.close();
  }

  [dispose](): void {
    if (!this.#isClosed) this.closeSync();
  }
}

/** `opendir`. */
export function* opendir(reads: Reads, path: unknown, given?: unknown): Steps<Dir> {
  const { bufferSize = BUFFER_SIZE } = optionsOf(given);
  const limit = wholeOf(bufferSize, "options.bufferSize", 1, 0xffffffff);
  return new Dir(reads, yield* findFolder(reads, "opendir", path), formOf(given, path), limit);
}
