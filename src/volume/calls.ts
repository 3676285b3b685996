/**
 * The core's operations as values: each gives its result at once if the device has everything, otherwise a promise.
 * A volume's methods are put together from these.
 */
import { FLAG, RESULT } from "../core/abi.js";
import type { Core } from "../core/instance.js";
import { DocteurError } from "../errors.js";
import { Content } from "./content.js";
import { type Folder, type FoundEntry, listedPage, type Page, statEntry } from "./entry.js";
import { Operations } from "./operations.js";
import type { Place } from "./place.js";

/** An object as git has it. */
export interface GitObject {
  kind: "commit" | "tree" | "blob" | "tag";
  data: Uint8Array;
}

/** The request for a page. */
export interface PageQuery {
  place: Place;
  folder: Folder;
  flags: number;
  after: Uint8Array;
  limit: number;
  signals: readonly AbortSignal[];
}

/** A piece of a file. */
export interface PieceQuery {
  place: Place;
  flags: number;
  /** Bytes from the file's start. */
  offset: number;
  /** The most bytes. */
  count: number;
  signals: readonly AbortSignal[];
}

const OBJECT_KINDS = ["commit", "tree", "blob", "tag"] as const;
/** Bytes asked for at once. */
const PIECE = 0x40000000;
/** Bytes of memory that the entries of one page may take: an eighth of the memory limit, between these two. */
const PAGE_BYTES_MIN = 1 << 18;
const PAGE_BYTES_MAX = 1 << 22;

/** The core's flags that options stand for. */
export function flagsOf(choice: {
  follow?: boolean | undefined;
  sizes?: boolean | undefined;
  oids?: boolean | undefined;
}): number {
  const { follow, sizes, oids = true } = choice;
  return (follow ? FLAG.FOLLOW : 0) | (sizes ? FLAG.SIZE : 0) | (oids ? 0 : FLAG.NAMES);
}

/** The signals of options. */
export function signalsOf({ signal }: { signal?: AbortSignal | undefined }): readonly AbortSignal[] {
  return signal === undefined ? [] : [signal];
}

/** The error for content beyond the `maxSize` that a caller has set. */
export function tooLarge(what: string, size: number, most: number, path?: string): DocteurError {
  return new DocteurError(
    "ObjectTooLarge",
    `${what} is ${size} bytes long, and at most ${most} may be read`,
    {
      path,
      hint: "raise maxSize, or read it in parts or as a stream",
    },
  );
}

/** The operations of one core. */
export class Calls {
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #pageBytes: number;

  /** @param memoryLimit bytes; the entries of a page may take a part of them */
  constructor(core: Core, memoryLimit: number) {
    this.#core = core;
    this.#operations = new Operations(core);
    this.#pageBytes = Math.max(PAGE_BYTES_MIN, Math.min(memoryLimit / 8, PAGE_BYTES_MAX));
  }

  /** Ends waiting operations and refuses new ones, with `Closed`. */
  close(): void {
    this.#operations.close();
  }

  /** The entry that a path leads to. */
  stat(place: Place, flags: number, signals: readonly AbortSignal[]): FoundEntry | Promise<FoundEntry> {
    const core = this.#core;
    return this.#operations.run({
      path: place.text,
      signals,
      call: (handle) => core.exports.stat(handle, core.input, core.write(place.given), flags),
      take: () => statEntry(core, place.bytes, (flags & FLAG.SIZE) !== 0),
    });
  }

  /** Reads a piece of a file. @param take is given the piece, valid during the call, and the file's size */
  piece<T>(
    { place, flags, offset, count, signals }: PieceQuery,
    take: (piece: Uint8Array, size: number) => T,
  ): T | Promise<T> {
    const core = this.#core;
    const asked = Math.min(count, PIECE);
    return this.#operations.run({
      path: place.text,
      signals,
      call: (handle) =>
        core.exports.read(handle, core.input, core.write(place.given), flags, BigInt(offset), asked),
      take: () => {
        const data = core.resultU32(RESULT.data);
        const piece = core.bytes.subarray(data, data + core.resultU32(RESULT.dataLen));
        return take(piece, core.resultU64(RESULT.size));
      },
    });
  }

  /** A page of a directory. It may end before its limit if its entries take much memory. */
  page({ place, folder, flags, after, limit, signals }: PageQuery): Page | Promise<Page> {
    const core = this.#core;
    return this.#operations.run({
      path: place.text,
      signals,
      call: (handle) => {
        const length = core.write(place.given);
        const behind = core.write(after, length);
        return core.exports.list(handle, core.input, length, flags, core.input + length, behind, limit);
      },
      take: () => listedPage(core, folder, flags, this.#pageBytes),
    });
  }

  /**
   * A git object.
   * @param oid 20 bytes
   * @param name its name in errors
   * @param maxSize the most bytes
   */
  object(
    oid: Uint8Array,
    name: string,
    maxSize: number,
    signals: readonly AbortSignal[],
  ): GitObject | Promise<GitObject> {
    return this.withObject(oid, signals, (kind, bytes) => {
      if (bytes.length > maxSize) throw tooLarge(name, bytes.length, maxSize);
      const content = new Content(undefined);
      content.append(bytes, bytes.length);
      return { kind, data: content.finish() };
    });
  }

  /**
   * Looks at a git object where it lies.
   * @param oid 20 bytes
   * @param take is given the object, valid during the call
   */
  withObject<T>(
    oid: Uint8Array,
    signals: readonly AbortSignal[],
    take: (kind: GitObject["kind"], bytes: Uint8Array) => T,
  ): T | Promise<T> {
    const core = this.#core;
    return this.#operations.run({
      signals,
      call: (handle) => {
        core.write(oid);
        return core.exports.object(handle, core.input);
      },
      take: () => {
        const data = core.resultU32(RESULT.data);
        const bytes = core.bytes.subarray(data, data + core.resultU32(RESULT.dataLen));
        return take(OBJECT_KINDS[core.resultU32(RESULT.kind) - 1]!, bytes);
      },
    });
  }
}
