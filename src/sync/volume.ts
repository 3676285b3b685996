/** A mounted image, read synchronously: every method gives its result at once, or throws. */

// For `Symbol.dispose`, whatever library a user of the declarations compiles with.
/// <reference lib="esnext.disposable" preserve="true" />

import { checkOptions, checkValue, isOid, isWhole, type Path } from "../arguments.js";
import { FLAG } from "../core/abi.js";
import { type Core, notSynchronous } from "../core/instance.js";
import type { BlockDevice } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { oidBytes } from "../git/oid.js";
import { Calls, flagsOf, type GitObject, type PageQuery, tooLarge } from "../volume/calls.js";
import type { Commit } from "../volume/commit.js";
import { Content } from "../volume/content.js";
import { firstPage, tooMany } from "../volume/directories.js";
import { type Entry, entryCost, type FoundEntry, type Page } from "../volume/entry.js";
import * as options from "../volume/options.js";
import { type Place, placeOf } from "../volume/place.js";

/** Engines that lack it find the method by the name that it will have. */
const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/** The value of a call, whose device is synchronous. */
function now<T>(value: T | Promise<T>): T {
  if (!(value instanceof Promise)) return value;
  value.catch(() => undefined);
  throw notSynchronous();
}

/** Options of the synchronous methods: no signal could be heard. */
type Sync<T> = Omit<T, "signal">;

/**
 * A mounted image, for programs that cannot wait for promises. The methods are those of `Volume`, and throw what those
 * reject with.
 */
export class VolumeSync {
  /** The commit that the image holds. */
  readonly commit: Commit;
  readonly #device: BlockDevice;
  readonly #calls: Calls;
  readonly #memoryLimit: number;
  readonly #onClose: () => void;
  #isClosed = false;

  /**
   * Use `openSync`.
   * @param core mounted
   * @param memoryLimit bytes that the entries of one `list` may take
   * @param onClose called once, after the device was closed
   * @internal
   */
  constructor(core: Core, device: BlockDevice, commit: Commit, memoryLimit: number, onClose: () => void) {
    this.#device = device;
    this.#calls = new Calls(core, memoryLimit);
    this.#memoryLimit = memoryLimit;
    this.#onClose = onClose;
    this.commit = commit;
  }

  #stat(path: Path, flags: number): FoundEntry {
    return now(this.#calls.stat(placeOf(path), flags, []));
  }

  /** `"dictionary"` for a directory, `"value"` for all else; null where there is nothing. */
  exists(path: Path, given?: Sync<options.FollowOptions>): "value" | "dictionary" | null {
    const choice = checkOptions("exists", given, options.FOLLOW);
    try {
      return this.#stat(path, flagsOf(choice)).kind === "directory" ? "dictionary" : "value";
    } catch (error) {
      if (error instanceof DocteurError && ["NotFound", "Submodule"].includes(error.code)) return null;
      throw error;
    }
  }

  /** Kind, mode, id and, for entries with content, size of what a path leads to. */
  stat(path: Path, given?: Sync<options.FollowOptions>): Entry {
    return this.#stat(path, FLAG.OID | FLAG.SIZE | flagsOf(checkOptions("stat", given, options.FOLLOW)));
  }

  /** A file's content, or a symlink's target. */
  get(path: Path, given?: Sync<options.GetOptions>): Uint8Array {
    return this.#read(placeOf(path), 0, Number.MAX_SAFE_INTEGER, checkOptions("get", given, options.GET));
  }

  /** A part of a file's content: `length` bytes from `offset` on; fewer come at the end. */
  getPartial(path: Path, offset: number, length: number, given?: Sync<options.GetOptions>): Uint8Array {
    const choice = checkOptions("getPartial", given, options.GET);
    checkValue("offset", offset, isWhole(0));
    checkValue("length", length, isWhole(0));
    return this.#read(placeOf(path), offset, length, choice);
  }

  /** A file's content as a string, as `Volume.text` gives it. */
  text(path: Path, given?: Sync<options.GetOptions>): string {
    return new TextDecoder().decode(this.get(path, given));
  }

  #read(place: Place, offset: number, length: number, choice: Sync<options.GetOptions>): Uint8Array {
    const { maxSize = Number.MAX_SAFE_INTEGER } = choice;
    const content = new Content(place.text);
    let wanted = length;
    const take = (piece: Uint8Array, size: number): number => {
      wanted = Math.max(0, Math.min(size - offset, length));
      if (wanted > maxSize) throw tooLarge(place.text, wanted, maxSize, place.text);
      content.append(piece, wanted);
      return piece.length;
    };
    const flags = flagsOf(choice);
    for (;;) {
      const at = content.length;
      const query = { place, flags, offset: offset + at, count: length - at, signals: [] };
      if (now(this.#calls.piece(query, take)) === 0 || content.length === wanted) return content.finish();
    }
  }

  /** The entries of a directory, sorted by the bytes of their names. */
  list(path: Path, given?: Sync<options.ListOptions>): Entry[] {
    const choice = checkOptions("list", given, options.LIST);
    const { limit = Number.MAX_SAFE_INTEGER } = choice;
    const query: PageQuery = firstPage(path, choice);
    const most = query.limit;
    const found: FoundEntry[] = [];
    let cost = 0;
    for (;;) {
      query.limit = Math.min(most, limit - found.length);
      const { entries, hasMore }: Page = now(this.#calls.page(query));
      for (const entry of entries) {
        found.push(entry);
        cost += entryCost(entry);
      }
      if (!hasMore || found.length === limit) return found;
      if (cost > this.#memoryLimit) throw tooMany(query.place.text, found.length);
      query.after = found.at(-1)!.nameBytes;
    }
  }

  /** A file's size in bytes, without inflating it; for a symlink, its target's length. */
  size(path: Path, given?: Sync<options.FollowOptions>): number {
    const choice = checkOptions("size", given, options.FOLLOW);
    const place = placeOf(path);
    const { size } = this.#stat(path, FLAG.SIZE | flagsOf(choice));
    if (size !== undefined) return size;
    throw new DocteurError("ValueExpected", `${place.text} is not a file`, { path: place.text });
  }

  /** The git object id of what a path leads to, 40 hexadecimal digits. */
  digest(path: Path, given?: Sync<options.FollowOptions>): string {
    return this.#stat(path, FLAG.OID | flagsOf(checkOptions("digest", given, options.FOLLOW))).oid;
  }

  /** A git object of the image. @param oid 40 hexadecimal digits */
  object(oid: string, given?: Sync<options.ObjectOptions>): GitObject {
    const { maxSize = Number.MAX_SAFE_INTEGER } = checkOptions("object", given, options.OBJECT);
    checkValue("oid", oid, isOid);
    return now(this.#calls.object(oidBytes(oid), `the object ${oid}`, maxSize, []));
  }

  /** Bytes of the device that holds the image. */
  get imageSize(): number {
    return this.#device.capacity;
  }

  /** Closes the volume and its device, once, however often it is called. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#calls.close();
    // A device that closes later than now does so by itself.
    const closing = this.#device.close?.();
    if (closing instanceof Promise) closing.catch(() => undefined);
    this.#onClose();
  }

  /** Closes the volume, for `using`. */
  [dispose](): void {
    this.close();
  }
}
