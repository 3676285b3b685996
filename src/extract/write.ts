/** Writes files and symbolic links of one directory after the other, each whole or not at all. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lutimesSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename } from "node:path";
import { DocteurError } from "../errors.js";
import { hashObject, objectHeader } from "../git/objects.js";
import { ioError, systemCode } from "../node/io-error.js";
import { removeAbandoned, temporaryPaths } from "../node/temporary.js";
import type { Volume } from "../volume.js";
import { otherwiseThere, Position, placeIn } from "./destination.js";
import type { Counts, FolderJob, WriteSettings } from "./job.js";
import type { Item } from "./plan.js";

/** Bytes of a file that are held at once. */
export const PIECE = 1 << 20;
/** The most bytes of a link's target that are read: no system takes more. */
const TARGET_MAX = 1 << 16;

const MODES = { file: 0o644, executable: 0o755 } as const;
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW;
/** A FIFO that takes a file's place meanwhile does not block. */
const READ_FILE = constants.O_RDONLY | NOFOLLOW | (constants.O_NONBLOCK ?? 0);

/** Thrown where the work has to end: the reason is known elsewhere. */
export class Stopped extends Error {}

/** A path of the image, as a volume takes it. */
export function imagePath(path: string): string | Uint8Array {
  // A string is cheaper, as it is its own name in errors.
  return /^[\x20-\x7e]*$/.test(path) ? `/${path}` : Buffer.from(`/${path}`, "latin1");
}

/** The content of a file in pieces, each at most `PIECE` bytes long. */
export async function* contentOf(
  volume: Volume,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const place = imagePath(path);
  for (let offset = 0; ; offset += PIECE) {
    const piece = await volume.getPartial(place, offset, PIECE, { signal });
    yield piece;
    if (piece.length < PIECE) return;
  }
}

/** Writes jobs, of each directory several files at once if the volume has to be waited for. */
export class Writer {
  readonly #volume: Volume;
  readonly #settings: WriteSettings;
  readonly #lanes: number;
  readonly #signal: AbortSignal | undefined;

  /** @param lanes files that are written at once */
  constructor(volume: Volume, settings: WriteSettings, lanes: number, signal?: AbortSignal) {
    this.#volume = volume;
    this.#settings = settings;
    this.#lanes = lanes;
    this.#signal = signal;
  }

  /** Writes the files of some directories. @throws DocteurError; `Stopped` */
  async run(jobs: readonly FolderJob[]): Promise<Counts> {
    const counts: Counts = { written: 0, bytes: 0, kept: 0 };
    const position = new Position(this.#settings.root);
    try {
      for (const job of jobs) {
        position.enter(job.path);
        if (!job.isNew) await removeAbandoned(position.folder);
        let next = 0;
        const lane = async (): Promise<void> => {
          const temporary = basename(temporaryPaths("/").file);
          while (next < job.items.length)
            await this.#write(position, temporary, job.items[next++]!, job.isNew, counts);
        };
        const lanes = Array.from({ length: Math.min(this.#lanes, job.items.length) }, lane);
        // All lanes end before the directory is left.
        for (const result of await Promise.allSettled(lanes))
          if (result.status === "rejected") throw result.reason;
      }
      return counts;
    } finally {
      position.close();
    }
  }

  #throwIfStopped(): void {
    if (Atomics.load(this.#settings.stop, 0) !== 0) throw new Stopped();
  }

  async #write(
    position: Position,
    temporary: string,
    item: Item,
    isNew: boolean,
    counts: Counts,
  ): Promise<void> {
    this.#throwIfStopped();
    const { path, kind } = item;
    const name = path.slice(path.lastIndexOf("/") + 1);
    try {
      if (!isNew && this.#isThere(position, name, item)) {
        counts.kept++;
        return;
      }
      const at = position.at(temporary);
      const length = await (kind === "symlink" ? this.#link(at, item) : this.#file(at, item));
      counts.bytes += length;
      try {
        renameSync(at, position.at(name));
      } catch (cause) {
        unlinkSync(at);
        throw cause;
      }
      counts.written++;
    } catch (cause) {
      if (cause instanceof DocteurError || cause instanceof Stopped || this.#signal?.aborted) throw cause;
      throw ioError("write", placeIn(this.#settings.root, path), cause);
    }
  }

  /**
   * Whether an entry is there as it should be.
   * @returns false if nothing is there, or something that may be replaced
   * @throws DocteurError `Io` if something else is there
   */
  #isThere(position: Position, name: string, item: Item): boolean {
    const found = position.inspect(name);
    if (found === undefined) return false;
    const { root, overwrite } = this.#settings;
    if (isLike(found, item.kind) && idOf(position.at(name), found) === item.oid) return true;
    if (found.isDirectory()) throw otherwiseThere(root, item.path, "it is a directory: remove it first");
    if (!overwrite) throw otherwiseThere(root, item.path);
    return false;
  }

  /** @returns the bytes that were written */
  async #file(at: Buffer, { kind, from }: Item): Promise<number> {
    const { seconds } = this.#settings;
    let fd: number | undefined;
    let length = 0;
    try {
      for await (const piece of contentOf(this.#volume, from, this.#signal)) {
        this.#throwIfStopped();
        fd ??= openSync(at, NEW_FILE, MODES[kind as keyof typeof MODES]);
        for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
        length += piece.length;
      }
      if (seconds !== undefined) futimesSync(fd!, seconds, seconds);
      closeSync(fd!);
      return length;
    } catch (cause) {
      if (fd !== undefined) {
        unlinkSync(at);
        closeSync(fd);
      }
      throw cause;
    }
  }

  async #link(at: Buffer, { from }: Item): Promise<number> {
    const { seconds } = this.#settings;
    const target = await this.#volume.get(imagePath(from), { maxSize: TARGET_MAX, signal: this.#signal });
    symlinkSync(Buffer.from(target), at);
    try {
      if (seconds !== undefined) lutimesSync(at, seconds, seconds);
    } catch (cause) {
      unlinkSync(at);
      throw cause;
    }
    return target.length;
  }
}

/** Whether what was found is of the kind. Windows has no mark of executables. */
function isLike(found: Stats, kind: Item["kind"]): boolean {
  if (kind === "symlink") return found.isSymbolicLink();
  return (
    found.isFile() &&
    (process.platform === "win32" || ((found.mode & 0o100) !== 0) === (kind === "executable"))
  );
}

/** The id of the blob that stands for a file or a link; undefined if it has been replaced meanwhile. */
function idOf(at: Buffer, found: Stats): string | undefined {
  const hash = createHash("sha1");
  if (found.isSymbolicLink())
    return Buffer.from(hashObject(hash, "blob", readlinkSync(at, "buffer"))).toString("hex");
  let fd: number;
  try {
    fd = openSync(at, READ_FILE);
  } catch (cause) {
    if (systemCode(cause) === "ELOOP") return undefined;
    throw cause;
  }
  try {
    const { size } = fstatSync(fd);
    hash.update(objectHeader("blob", size));
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, size + 1));
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}
