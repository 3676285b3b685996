/** The declarations of an image's `fs`. They have Node's shapes, and need no declarations of Node's. */
import type { constants } from "./constants.js";
import type { Dir } from "./dir.js";
import type { FileHandle } from "./file-handle.js";
import type { BigIntStats, Dirent, Stats } from "./stats.js";
import type { Bytes, PathLike, ReadStream, StreamOptions } from "./types.js";

/** Names of encodings that `Buffer` knows. */
export type Encoding =
  | "utf8"
  | "utf-8"
  | "utf16le"
  | "utf-16le"
  | "ucs2"
  | "ucs-2"
  | "latin1"
  | "binary"
  | "ascii"
  | "hex"
  | "base64"
  | "base64url";

type Text = Encoding | { encoding: Encoding };
type Raw = "buffer" | { encoding: "buffer" };

interface ReadFileOptions {
  flag?: string | number | undefined;
  signal?: AbortSignal | undefined;
}

interface ListOptions {
  recursive?: boolean | undefined;
}

/** Options of `glob`. */
export interface GlobOptions {
  /** The directory that patterns begin at; the root by default. */
  cwd?: string | URL | undefined;
  /** Leaves out paths that fit these patterns, or for which the function gives true; what is below them, too. */
  exclude?: readonly string[] | ((path: never) => boolean) | undefined;
  withFileTypes?: boolean | undefined;
}

/** The result of `statfs`. Nothing is free; the number of files is not known, and 0. */
export interface StatFs<N = number> {
  type: N;
  bsize: N;
  blocks: N;
  bfree: N;
  bavail: N;
  files: N;
  ffree: N;
}

/** Calls that write. They fail as on a file system that is mounted read-only, most of them with `EROFS`. */
type PathWrite =
  | "appendFile"
  | "chmod"
  | "chown"
  | "copyFile"
  | "cp"
  | "lchown"
  | "link"
  | "lutimes"
  | "mkdir"
  | "mkdtemp"
  | "rename"
  | "rm"
  | "rmdir"
  | "symlink"
  | "truncate"
  | "unlink"
  | "utimes"
  | "writeFile";
type FdWrite = "fchmod" | "fchown" | "fdatasync" | "fsync" | "ftruncate" | "futimes" | "write" | "writev";

// biome-ignore lint/suspicious/noExplicitAny: whatever is given, nothing is written
type Anything = any[];

/** `fs.promises`. */
export type Promises = { [name in PathWrite]: (...given: Anything) => Promise<never> } & {
  constants: typeof constants;
  access(path: PathLike, mode?: number): Promise<void>;
  /** Paths one by one. */
  glob(
    patterns: string | readonly string[],
    options: GlobOptions & { withFileTypes: true },
  ): AsyncGenerator<Dirent, void, undefined>;
  glob(patterns: string | readonly string[], options?: GlobOptions): AsyncGenerator<string, void, undefined>;
  lstat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
  lstat(path: PathLike, options?: { bigint?: false | undefined }): Promise<Stats>;
  open(path: PathLike, flags?: string | number, mode?: number): Promise<FileHandle>;
  opendir(path: PathLike, options?: ListOptions & { encoding?: string; bufferSize?: number }): Promise<Dir>;
  readFile(path: PathLike | FileHandle, options: Text & (ReadFileOptions | string)): Promise<string>;
  readFile(
    path: PathLike | FileHandle,
    options?: (ReadFileOptions & { encoding?: null | undefined }) | null,
  ): Promise<Bytes>;
  readdir(path: PathLike, options: ListOptions & { withFileTypes: true }): Promise<Dirent[]>;
  readdir(path: PathLike, options: Raw & (ListOptions | string)): Promise<Bytes[]>;
  readdir(
    path: PathLike,
    options?: Encoding | (ListOptions & { encoding?: Encoding | null }) | null,
  ): Promise<string[]>;
  readlink(path: PathLike, options: Raw): Promise<Bytes>;
  readlink(path: PathLike, options?: Text | null): Promise<string>;
  realpath(path: PathLike, options: Raw): Promise<Bytes>;
  realpath(path: PathLike, options?: Text | null): Promise<string>;
  stat(path: PathLike, options: { bigint: true; throwIfNoEntry?: true }): Promise<BigIntStats>;
  stat(
    path: PathLike,
    options: { bigint?: false | undefined; throwIfNoEntry: false },
  ): Promise<Stats | undefined>;
  stat(path: PathLike, options?: { bigint?: false | undefined; throwIfNoEntry?: true }): Promise<Stats>;
  statfs(path: PathLike, options: { bigint: true }): Promise<StatFs<bigint>>;
  statfs(path: PathLike, options?: { bigint?: false | undefined }): Promise<StatFs>;
  /** Fails with `ENOSYS`: an image does not change. */
  watch(path: PathLike, options?: unknown): AsyncGenerator<never, void, undefined>;
};

/** Is called with an error, or with null and the result. */
type Done<T> = (error: Error | null, result: T) => void;

/** A call whose last argument is called back; those before it are those of the synchronous call. */
interface Calling<Required extends unknown[], Options, Result> {
  (...given: [...Required, Done<Result>]): void;
  (...given: [...Required, Options, Done<Result>]): void;
}

/** The `fs` of a volume: promises and callbacks. */
export type FileSystem = {
  [name in PathWrite | FdWrite]: (...given: Anything) => void;
} & {
  promises: Promises;
  constants: typeof constants;
  F_OK: 0;
  R_OK: 4;
  W_OK: 2;
  X_OK: 1;
  Stats: typeof Stats;
  BigIntStats: typeof BigIntStats;
  Dirent: typeof Dirent;
  Dir: typeof Dir;
  access: Calling<[path: PathLike], number, void>;
  close(fd: number, done: (error: Error | null) => void): void;
  exists(path: PathLike, done: (isThere: boolean) => void): void;
  fstat: Calling<[fd: number], { bigint?: boolean }, Stats>;
  glob: Calling<[patterns: string | readonly string[]], GlobOptions, string[]>;
  lstat: Calling<[path: PathLike], { bigint?: boolean }, Stats>;
  open(path: PathLike, done: Done<number>): void;
  open(path: PathLike, flags: string | number, done: Done<number>): void;
  open(path: PathLike, flags: string | number, mode: number | undefined, done: Done<number>): void;
  opendir: Calling<[path: PathLike], ListOptions & { bufferSize?: number }, Dir>;
  read(
    fd: number,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    position: number | bigint | null,
    done: (error: Error | null, bytesRead: number, buffer: ArrayBufferView) => void,
  ): void;
  read(fd: number, ...given: Anything): void;
  readv(fd: number, buffers: readonly ArrayBufferView[], ...given: Anything): void;
  readFile(path: PathLike | number, options: Text & (ReadFileOptions | string), done: Done<string>): void;
  readFile(
    path: PathLike | number,
    options: (ReadFileOptions & { encoding?: null | undefined }) | null,
    done: Done<Bytes>,
  ): void;
  readFile(path: PathLike | number, done: Done<Bytes>): void;
  readdir(path: PathLike, options: ListOptions & { withFileTypes: true }, done: Done<Dirent[]>): void;
  readdir(path: PathLike, options: Raw & (ListOptions | string), done: Done<Bytes[]>): void;
  readdir(
    path: PathLike,
    options: Encoding | (ListOptions & { encoding?: Encoding | null }) | null,
    done: Done<string[]>,
  ): void;
  readdir(path: PathLike, done: Done<string[]>): void;
  readlink: Calling<[path: PathLike], Text | null, string>;
  realpath: Calling<[path: PathLike], Text | null, string> & {
    native: Calling<[path: PathLike], Text | null, string>;
  };
  stat: Calling<[path: PathLike], { bigint?: boolean }, Stats>;
  statfs: Calling<[path: PathLike], { bigint?: boolean }, StatFs>;
  /** A stream of Node's. Where there is no Node, it throws: a `FileHandle` gives Web streams. */
  createReadStream(path: PathLike, options?: StreamOptions | Encoding): ReadStream;
  /** A stream that fails with `EROFS`. */
  createWriteStream(path: PathLike, options?: unknown): unknown;
  /** The content as a `Blob`, which is in memory. */
  openAsBlob(path: PathLike, options?: { type?: string }): Promise<Blob>;
  /** Fails with `ENOSYS`, as does `watchFile`: an image does not change. */
  watch(path: PathLike, ...given: Anything): never;
  watchFile(path: PathLike, ...given: Anything): never;
  unwatchFile(path: PathLike, ...given: Anything): void;
};

interface StatSync {
  (path: PathLike, options: { bigint: true; throwIfNoEntry?: true }): BigIntStats;
  (path: PathLike, options: { bigint?: false; throwIfNoEntry: false }): Stats | undefined;
  (path: PathLike, options?: { bigint?: false; throwIfNoEntry?: true }): Stats;
}

interface RealpathSync {
  (path: PathLike, options: Raw): Bytes;
  (path: PathLike, options?: Text | null): string;
}

/** The `fs` of a synchronous volume: synchronous calls, too. */
export type FileSystemSync = FileSystem & {
  [name in `${PathWrite | FdWrite}Sync`]: (...given: Anything) => never;
} & {
  accessSync(path: PathLike, mode?: number): void;
  closeSync(fd: number): void;
  existsSync(path: PathLike): boolean;
  fstatSync(fd: number, options: { bigint: true }): BigIntStats;
  fstatSync(fd: number, options?: { bigint?: false }): Stats;
  globSync(patterns: string | readonly string[], options: GlobOptions & { withFileTypes: true }): Dirent[];
  globSync(patterns: string | readonly string[], options?: GlobOptions): string[];
  lstatSync: StatSync;
  openSync(path: PathLike, flags?: string | number, mode?: number): number;
  opendirSync(path: PathLike, options?: ListOptions & { encoding?: string; bufferSize?: number }): Dir;
  readSync(
    fd: number,
    buffer: ArrayBufferView,
    offset?: number,
    length?: number,
    position?: number | bigint | null,
  ): number;
  readSync(
    fd: number,
    buffer: ArrayBufferView,
    options?: { offset?: number; length?: number; position?: number | bigint | null },
  ): number;
  readvSync(fd: number, buffers: readonly ArrayBufferView[], position?: number): number;
  readFileSync(path: PathLike | number, options: Text & (ReadFileOptions | string)): string;
  readFileSync(
    path: PathLike | number,
    options?: (ReadFileOptions & { encoding?: null | undefined }) | null,
  ): Bytes;
  readdirSync(path: PathLike, options: ListOptions & { withFileTypes: true }): Dirent[];
  readdirSync(path: PathLike, options: Raw & (ListOptions | string)): Bytes[];
  readdirSync(
    path: PathLike,
    options?: Encoding | (ListOptions & { encoding?: Encoding | null }) | null,
  ): string[];
  readlinkSync: RealpathSync;
  realpathSync: RealpathSync & { native: RealpathSync };
  statSync: StatSync;
  statfsSync(path: PathLike, options: { bigint: true }): StatFs<bigint>;
  statfsSync(path: PathLike, options?: { bigint?: false }): StatFs;
};
