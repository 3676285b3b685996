/**
 * `docteur/zenfs`: an image as a backend of ZenFS (`@zenfs/core`).
 * @module docteur/zenfs
 */
import { type Backend, FileSystem, InodeFlags, type InodeLike, type UsageInfo } from "@zenfs/core";
import { attributesOf, isDirectory } from "../posix/attributes.js";
import { ERRNO, type Errno, errnoOf } from "../posix/errno.js";
import type { AnyVolume } from "../posix/lookup.js";
import { answer, finish, type Steps, settle } from "../posix/steps.js";
import type { Entry } from "../volume/entry.js";

/** The type of the file system, as `statfs` gives it: "doct". */
const TYPE = 0x646f6374;
/** Paths whose inode numbers are remembered. */
const INODES_MAX = 1 << 16;

/** An error as ZenFS has them: it adds the call and the path. */
function failure(code: Errno, cause?: unknown): Error {
  const [errno, text] = ERRNO[code];
  const error = new Error(`${code}: ${text}`, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code, errno: -errno });
}

/** Runs steps. @throws ZenFS's errors in place of the volume's */
function* translated<T>(steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    const code = errnoOf(error);
    throw code === undefined ? error : failure(code, code === "EIO" || code === "ENOMEM" ? error : undefined);
  }
}

/** An image as ZenFS mounts it. ZenFS resolves links, and asks for paths without them. */
export class ImageFileSystem extends FileSystem {
  readonly #volume: AnyVolume;
  /** ZenFS tells files by these numbers: equal content must not have equal ones. No number is used twice. */
  readonly #inodes = new Map<string, number>();
  #lastInode = 0;

  /** @param volume an open image; synchronous calls need one of `openSync` */
  constructor(volume: AnyVolume) {
    super(TYPE, "docteur");
    this.#volume = volume;
    for (const attribute of ["no_write", "no_atime", "no_async_preload"] as const)
      this.attributes.set(attribute, undefined);
  }

  override usage(): UsageInfo {
    return { totalSpace: this.#volume.imageSize, freeSpace: 0 };
  }

  #inodeOf(path: string): number {
    const known = this.#inodes.get(path);
    if (known !== undefined) return known;
    if (this.#inodes.size === INODES_MAX) this.#inodes.clear();
    this.#inodes.set(path, ++this.#lastInode);
    return this.#lastInode;
  }

  *#stat(path: string): Steps<InodeLike> {
    const entry = yield* answer<Entry>(this.#volume.stat(path));
    const { mode, size, time } = attributesOf(entry, this.#volume.commit);
    const times = { atimeMs: time, mtimeMs: time, ctimeMs: time, birthtimeMs: time };
    // ZenFS then holds no content of its own: reads come here, and so do writes, which fail before anything shows them.
    const flags = InodeFlags.DAX;
    return { ...times, mode, size, ino: this.#inodeOf(path), nlink: 1, uid: 0, gid: 0, flags } as InodeLike;
  }

  *#readdir(path: string): Steps<string[]> {
    const entry = yield* answer<Entry>(this.#volume.stat(path));
    if (!isDirectory(entry)) throw failure("ENOTDIR");
    if (entry.kind === "submodule") return [];
    return (yield* answer<Entry[]>(this.#volume.list(path, { oids: false }))).map(({ name }) => name);
  }

  *#read(path: string, buffer: Uint8Array, start: number, end: number): Steps<void> {
    buffer.set(yield* answer<Uint8Array>(this.#volume.getPartial(path, start, Math.max(0, end - start))));
  }

  stat(path: string): Promise<InodeLike> {
    return settle(translated(this.#stat(path)));
  }
  statSync(path: string): InodeLike {
    return finish(translated(this.#stat(path)));
  }
  readdir(path: string): Promise<string[]> {
    return settle(translated(this.#readdir(path)));
  }
  readdirSync(path: string): string[] {
    return finish(translated(this.#readdir(path)));
  }
  read(path: string, buffer: Uint8Array, start: number, end: number): Promise<void> {
    return settle(translated(this.#read(path, buffer, start, end)));
  }
  readSync(path: string, buffer: Uint8Array, start: number, end: number): void {
    finish(translated(this.#read(path, buffer, start, end)));
  }

  /** Nothing is written, so there is nothing to write back. */
  sync(): Promise<void> {
    return Promise.resolve();
  }
  syncSync(): void {}

  /** `EROFS`, as for everything that writes. */
  async rename(): Promise<never> {
    throw failure("EROFS");
  }
  renameSync(): never {
    throw failure("EROFS");
  }
  async touch(): Promise<never> {
    throw failure("EROFS");
  }
  touchSync(): never {
    throw failure("EROFS");
  }
  async createFile(): Promise<never> {
    throw failure("EROFS");
  }
  createFileSync(): never {
    throw failure("EROFS");
  }
  async unlink(): Promise<never> {
    throw failure("EROFS");
  }
  unlinkSync(): never {
    throw failure("EROFS");
  }
  async rmdir(): Promise<never> {
    throw failure("EROFS");
  }
  rmdirSync(): never {
    throw failure("EROFS");
  }
  async mkdir(): Promise<never> {
    throw failure("EROFS");
  }
  mkdirSync(): never {
    throw failure("EROFS");
  }
  async link(): Promise<never> {
    throw failure("EROFS");
  }
  linkSync(): never {
    throw failure("EROFS");
  }
  async write(): Promise<never> {
    throw failure("EROFS");
  }
  writeSync(): never {
    throw failure("EROFS");
  }
}

/** Options of a mount. */
export interface DocteurOptions {
  /** An open image. Synchronous calls, such as `fs.readFileSync`, need one of `openSync`. */
  volume: AnyVolume;
}

/**
 * The backend.
 * @example await configure({ mounts: { "/site": { backend: Docteur, volume: openSync("site.img") } } });
 */
export const Docteur = {
  name: "Docteur",
  options: { volume: { type: "object", required: true } },
  create: ({ volume }: DocteurOptions) => new ImageFileSystem(volume),
} as const satisfies Backend<ImageFileSystem, DocteurOptions>;
