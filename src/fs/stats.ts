/** Node's `Stats`, `StatFs` and `Dirent` for entries of an image. */
import { type Attributes, attributesOf, modeOf } from "../posix/attributes.js";
import type { AnyVolume } from "../posix/lookup.js";
import type { Entry } from "../volume/entry.js";
import { S } from "./constants.js";
import type { Bytes } from "./types.js";

/** Bytes that are best read at once. */
const BLOCK_LEN = 4096;
/** The type of the file system, as `statfs` gives it: "doct". */
const TYPE = 0x646f6374;

/** Questions about a kind. An image has three. */
class Kinds {
  readonly #kind: number;

  /**
   * @param mode as `st_mode` has it
   * @internal
   */
  constructor(mode: number) {
    this.#kind = mode & S.S_IFMT;
  }

  isFile(): boolean {
    return this.#kind === S.S_IFREG;
  }
  isDirectory(): boolean {
    return this.#kind === S.S_IFDIR;
  }
  isSymbolicLink(): boolean {
    return this.#kind === S.S_IFLNK;
  }
  isBlockDevice(): boolean {
    return false;
  }
  isCharacterDevice(): boolean {
    return false;
  }
  isFIFO(): boolean {
    return false;
  }
  isSocket(): boolean {
    return false;
  }
}

/** Attributes of a file: numbers, or bigints. */
class StatsOf<N extends number | bigint> extends Kinds {
  readonly dev: N;
  readonly mode: N;
  readonly nlink: N;
  readonly uid: N;
  readonly gid: N;
  readonly rdev: N;
  readonly blksize: N;
  readonly ino: N;
  readonly size: N;
  readonly blocks: N;
  readonly atimeMs: N;
  readonly mtimeMs: N;
  readonly ctimeMs: N;
  readonly birthtimeMs: N;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;

  /**
   * @param as makes a number or a bigint of a number
   * @internal
   */
  constructor(dev: number, { mode, size, blocks, ino, time }: Attributes, as: (value: number) => N) {
    super(mode);
    this.dev = as(dev);
    this.mode = as(mode);
    this.nlink = as(1);
    this.uid = as(0);
    this.gid = as(0);
    this.rdev = as(0);
    this.blksize = as(BLOCK_LEN);
    this.ino = as(ino);
    this.size = as(size);
    this.blocks = as(blocks);
    this.atimeMs = this.mtimeMs = this.ctimeMs = this.birthtimeMs = as(time);
    this.atime = new Date(time);
    this.mtime = new Date(time);
    this.ctime = new Date(time);
    this.birthtime = new Date(time);
  }
}

/** `fs.Stats`. */
export class Stats extends StatsOf<number> {}

/** `fs.BigIntStats`: times in nanoseconds, too. */
export class BigIntStats extends StatsOf<bigint> {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;

  /** @internal */
  constructor(dev: number, attributes: Attributes) {
    super(dev, attributes, BigInt);
    this.atimeNs = this.mtimeNs = this.ctimeNs = this.birthtimeNs = this.mtimeMs * 1_000_000n;
  }
}

/** The number of the image as a device: the first 32 bits of its commit's id. */
function deviceOf(volume: AnyVolume): number {
  return Number.parseInt(volume.commit.oid.slice(0, 8), 16);
}

/** The result of `stat`. */
export function statsOf(volume: AnyVolume, entry: Entry, asBigInt: unknown): Stats | BigIntStats {
  const attributes = attributesOf(entry, volume.commit);
  const dev = deviceOf(volume);
  return asBigInt ? new BigIntStats(dev, attributes) : new Stats(dev, attributes, Number);
}

/** The result of `statfs`. Nothing is free, and the number of files is not known. */
export function statFsOf(volume: AnyVolume, asBigInt: unknown): Record<string, number | bigint> {
  const blocks = Math.ceil(volume.imageSize / BLOCK_LEN);
  const values = { type: TYPE, bsize: BLOCK_LEN, blocks, bfree: 0, bavail: 0, files: 0, ffree: 0 };
  if (!asBigInt) return values;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, BigInt(value)]));
}

/** `fs.Dirent`. */
export class Dirent extends Kinds {
  readonly name: string | Bytes;
  /** The path of the directory, made of the one that the caller gave. */
  readonly parentPath: string | Bytes;
  /** The older name of `parentPath`. */
  readonly path: string | Bytes;

  /** @internal */
  constructor(name: string | Bytes, parentPath: string | Bytes, entry: Entry) {
    super(modeOf(entry));
    this.name = name;
    this.parentPath = parentPath;
    this.path = parentPath;
  }
}
