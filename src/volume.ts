/**
 * A mounted image: files by path. The shape is mirage-kv's (`exists`, `get`, `list`, `digest`, …),
 * asynchronous throughout.
 */

// For `Symbol.asyncDispose`, whatever library a user of the declarations compiles with.
/// <reference lib="esnext.disposable" preserve="true" />

import { turn } from "./abort.js";
import { checkOptions, checkValue, invalid, isOid, isWhole, type Path } from "./arguments.js";
import { FLAG, INFO, LAYOUT_STATES, STATS } from "./core/abi.js";
import { Core } from "./core/instance.js";
import type { BlockDevice } from "./devices/device.js";
import type { RemoteStats } from "./devices/remote/statistics.js";
import { DocteurError } from "./errors.js";
import { oidBytes } from "./git/oid.js";
import { Calls, flagsOf, type GitObject, signalsOf, tooLarge } from "./volume/calls.js";
import type { Commit } from "./volume/commit.js";
import { Content } from "./volume/content.js";
import { eachEntry, firstPage, listPages, walkFrom } from "./volume/directories.js";
import type { Entry } from "./volume/entry.js";
import * as options from "./volume/options.js";
import { type Place, placeOf } from "./volume/place.js";
import { contentStream } from "./volume/stream.js";

/** Counters since the image was opened. */
export interface Stats {
  /** The Wasm memory, in bytes. */
  memoryBytes: number;
  /** Calls of the device's `read`, and bytes that it gave. */
  deviceReads: number;
  deviceBytes: number;
  /** Lines of the sector cache found, and not. */
  sectorHits: number;
  sectorMisses: number;
  /** Resolved objects found in their cache, and not. */
  objectHits: number;
  objectMisses: number;
  /** Bytes that cached objects and windows of large ones, the radix tree, and all allocations take. */
  objectBytes: number;
  artBytes: number;
  heapBytes: number;
  /** Bytes that objects, deltas and streamed blobs were inflated to. */
  inflatedBytes: number;
  /** Bytes that deltas were applied to make. */
  deltaBytes: number;
  /** The work of a remote device; undefined for other devices. */
  remote: RemoteStats | undefined;
}

/** States of an image's layout section. */
export type LayoutState = (typeof LAYOUT_STATES)[number];

/** Bytes that are read between two turns of the event loop, at which a signal may end the read. */
const TURN_BYTES = 16 << 20;
/** Bytes of a symlink's target that can be followed (`Limit.PATH` in asm/base/limits.ts). */
const TARGET_MAX = 4096;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** `Symbol.asyncDispose`, or in engines without it a symbol of that name. */
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);

/** The parts of a volume that other folders of this package use. */
export interface VolumeParts {
  calls: Calls;
  /** It serves one reader at a time: read it only while no method of the volume is under way. */
  device: BlockDevice;
}

/** The parts of a volume. This is not for users. */
export let partsOf: (volume: Volume) => VolumeParts;

/**
 * A mounted image. Paths are names between slashes: `/a/b`, `a/b` and `//a///b/` name one entry; `.` and `..`
 * are resolved first, within the root. Every method throws a `DocteurError`, whose `code` says why:
 * `NotFound`, `ValueExpected` for a directory where a file is meant, `DictionaryExpected` for the reverse,
 * `InvalidArgument`, `Closed`, or an error of the image or its device. There is one exception: the reason of an
 * aborted `signal` is thrown as it is.
 */
export class Volume {
  /** The commit that the image holds. */
  readonly commit: Commit;
  readonly #core: Core;
  readonly #device: BlockDevice;
  readonly #memoryLimit: number;
  readonly #calls: Calls;
  readonly #reopen: ((signal?: AbortSignal) => Promise<Volume>) | undefined;
  #closed: Promise<void> | undefined;

  static {
    partsOf = (volume) => ({ calls: volume.#calls, device: volume.#device });
  }

  /**
   * Use `open`.
   * @param core mounted
   * @param memoryLimit bytes that the entries of one `list` may take
   * @param reopen opens the image anew, where that is possible
   * @internal
   */
  constructor(
    core: Core,
    device: BlockDevice,
    commit: Commit,
    memoryLimit: number,
    reopen?: (signal?: AbortSignal) => Promise<Volume>,
  ) {
    if (!(core instanceof Core)) throw invalid("a Volume is made by open()");
    this.#core = core;
    this.#device = device;
    this.#memoryLimit = memoryLimit;
    this.#calls = new Calls(core, memoryLimit);
    this.#reopen = reopen;
    this.commit = commit;
  }

  /**
   * Tells whether a path leads to something.
   * @returns null if it leads nowhere; `"dictionary"` for a directory, `"value"` for all else
   */
  async exists(path: Path, given?: options.FollowOptions): Promise<"value" | "dictionary" | null> {
    const choice = checkOptions("exists", given, options.FOLLOW);
    try {
      const { kind } = await this.#calls.stat(placeOf(path), flagsOf(choice), signalsOf(choice));
      return kind === "directory" ? "dictionary" : "value";
    } catch (error) {
      const code = error instanceof DocteurError ? error.code : undefined;
      if (code === "NotFound" || code === "Submodule") return null;
      throw error;
    }
  }

  /** Kind, mode and id of a path's entry, and its size if it has content. */
  async stat(path: Path, given?: options.FollowOptions): Promise<Entry> {
    const choice = checkOptions("stat", given, options.FOLLOW);
    return this.#calls.stat(placeOf(path), FLAG.OID | FLAG.SIZE | flagsOf(choice), signalsOf(choice));
  }

  /**
   * A file's content, or a symlink's target. Memory is taken as the content comes, whatever size the image
   * announces.
   */
  async get(path: Path, given?: options.GetOptions): Promise<Uint8Array> {
    const choice = checkOptions("get", given, options.GET);
    return this.#read(placeOf(path), 0, Number.MAX_SAFE_INTEGER, choice);
  }

  /**
   * A part of a file's content.
   * @param offset bytes from its start
   * @param length bytes; fewer come at the end, none past it
   */
  async getPartial(
    path: Path,
    offset: number,
    length: number,
    given?: options.GetOptions,
  ): Promise<Uint8Array> {
    const choice = checkOptions("getPartial", given, options.GET);
    checkValue("offset", offset, isWhole(0));
    checkValue("length", length, isWhole(0));
    return this.#read(placeOf(path), offset, length, choice);
  }

  /**
   * A file's content as a string. A byte order mark is dropped, and bytes that are not UTF-8 become U+FFFD.
   */
  async text(path: Path, given?: options.GetOptions): Promise<string> {
    const choice = checkOptions("text", given, options.GET);
    const place = placeOf(path);
    const bytes = await this.#read(place, 0, Number.MAX_SAFE_INTEGER, choice);
    try {
      return new TextDecoder().decode(bytes);
    } catch (cause) {
      const message = `${place.text}: ${bytes.length} bytes are too many for one string`;
      throw new DocteurError("ObjectTooLarge", message, { path: place.text, cause });
    }
  }

  /**
   * The target of a symlink, as it is stored.
   * @throws DocteurError `InvalidArgument` where the path leads to anything else; `PathTooLong` for a target
   *   that could not be followed, which `get` gives
   */
  async readlink(path: Path, given?: options.SignalOptions): Promise<string> {
    const choice = checkOptions("readlink", given, options.SIGNAL);
    const place = placeOf(path);
    const { kind, size } = await this.#calls.stat(place, FLAG.SIZE, signalsOf(choice));
    if (kind !== "symlink")
      throw new DocteurError("InvalidArgument", `${place.text} is not a symbolic link`, { path: place.text });
    if (size! > TARGET_MAX)
      throw new DocteurError("PathTooLong", `${place.text}: the target is too long`, { path: place.text });
    return decoder.decode(await this.#read(place, 0, TARGET_MAX, choice));
  }

  /**
   * A file's content as a Web `ReadableStream` of bytes. Bytes are only read when they are asked for. The stream
   * can be cancelled at any time; closing the volume ends it with an error.
   */
  stream(path: Path, given?: options.StreamOptions): ReadableStream<Uint8Array> {
    const choice = checkOptions("stream", given, options.STREAM);
    const place = placeOf(path);
    const flags = flagsOf(choice);
    const { offset = 0, length = Number.MAX_SAFE_INTEGER, signal } = choice;
    return contentStream(
      async (at, count, signals) =>
        this.#calls.piece({ place, flags, offset: at, count, signals }, (piece) => new Uint8Array(piece)),
      offset,
      length,
      signal,
    );
  }

  async #read(place: Place, offset: number, length: number, choice: options.GetOptions): Promise<Uint8Array> {
    const { maxSize = Number.MAX_SAFE_INTEGER, signal } = choice;
    const content = new Content(place.text);
    const query = { place, flags: flagsOf(choice), offset, count: length, signals: signalsOf(choice) };
    let wanted = length;
    const take = (piece: Uint8Array, size: number): number => {
      wanted = Math.max(0, Math.min(size - offset, length));
      if (wanted > maxSize) throw tooLarge(place.text, wanted, maxSize, place.text);
      content.append(piece, wanted);
      return piece.length;
    };
    let untilTurn = TURN_BYTES;
    for (;;) {
      query.offset = offset + content.length;
      query.count = length - content.length;
      const read = this.#calls.piece(query, take);
      // Most files come in one piece, at once: no turn of the event loop for them.
      const count = typeof read === "number" ? read : await read;
      if (count === 0 || content.length === wanted) return content.finish();
      untilTurn -= count;
      if (signal !== undefined && untilTurn <= 0) {
        await turn();
        untilTurn = TURN_BYTES;
      }
    }
  }

  /**
   * The entries of a directory, sorted by the bytes of their names. A large directory is listed in parts: with
   * `limit`, and with `after` the last name of the part before; or entry by entry, by `entries`.
   * @throws DocteurError `OutOfMemory` if the entries take more memory than the volume's memory limit, by
   *   default 1 GiB
   */
  async list(path: Path, given?: options.ListOptions): Promise<Entry[]> {
    const choice = checkOptions("list", given, options.LIST);
    const { limit = Number.MAX_SAFE_INTEGER } = choice;
    return listPages(this.#calls, firstPage(path, choice), limit, this.#memoryLimit);
  }

  /** The entries of a directory, as `list` gives them, one by one. Only a page of them is held in memory. */
  entries(path: Path, given?: options.EntriesOptions): AsyncGenerator<Entry, void, undefined> {
    return eachEntry(this.#calls, firstPage(path, checkOptions("entries", given, options.ENTRIES)));
  }

  /**
   * Everything below a directory, each directory before its entries; the entry itself for a path that leads to
   * anything else. Symlinks are followed only in the path. Only a page of each directory is held in memory.
   */
  walk(path: Path = "/", given?: options.WalkOptions): AsyncGenerator<Entry, void, undefined> {
    const choice = checkOptions("walk", given, options.WALK);
    return walkFrom(this.#calls, placeOf(path), choice);
  }

  /** A file's size in bytes, from headers, without inflating it; for a symlink, its target's length. */
  async size(path: Path, given?: options.FollowOptions): Promise<number> {
    const choice = checkOptions("size", given, options.FOLLOW);
    const place = placeOf(path);
    const { size } = await this.#calls.stat(place, FLAG.SIZE | flagsOf(choice), signalsOf(choice));
    if (size !== undefined) return size;
    throw new DocteurError("ValueExpected", `${place.text} is not a file`, { path: place.text });
  }

  /**
   * The id of the git object that a path leads to: blob, tree, or a submodule's commit. 40 hexadecimal digits.
   */
  async digest(path: Path, given?: options.FollowOptions): Promise<string> {
    const choice = checkOptions("digest", given, options.FOLLOW);
    return (await this.#calls.stat(placeOf(path), FLAG.OID | flagsOf(choice), signalsOf(choice))).oid;
  }

  /** The time of a path's last change: the image knows only its commit's date. Null if it has none. */
  async lastModified(path: Path, given?: options.FollowOptions): Promise<Date | null> {
    const choice = checkOptions("lastModified", given, options.FOLLOW);
    await this.#calls.stat(placeOf(path), flagsOf(choice), signalsOf(choice));
    return this.commit.date;
  }

  /**
   * A git object of the image, by its id.
   * @param oid 40 hexadecimal digits
   */
  async object(oid: string, given?: options.ObjectOptions): Promise<GitObject> {
    const choice = checkOptions("object", given, options.OBJECT);
    checkValue("oid", oid, isOid);
    const { maxSize = Number.MAX_SAFE_INTEGER } = choice;
    return this.#calls.object(oidBytes(oid), `the object ${oid}`, maxSize, signalsOf(choice));
  }

  /**
   * The state of the image's layout section, by which paths are found and listed without reading trees: `"none"` if there is
   * none or the mode does not use it, `"used"`, `"unknown"` for a version that this library does not read, and `"damaged"`:
   * then trees are read, as without a section.
   */
  get layout(): LayoutState {
    return LAYOUT_STATES[this.#core.view.getUint32(this.#core.exports.info() + INFO.layout, true)]!;
  }

  /** Bytes of the device that holds the image. */
  get imageSize(): number {
    return this.#device.capacity;
  }

  /** Counters since the image was opened. */
  stats(): Stats {
    const at = this.#core.exports.stats();
    const { view } = this.#core;
    const counted = STATS.map((name, index) => [name, Number(view.getBigUint64(at + index * 8, true))]);
    return {
      memoryBytes: this.#core.bytes.length,
      ...(Object.fromEntries(counted) as Record<(typeof STATS)[number], number>),
      remote: this.#device.stats?.(),
    };
  }

  /**
   * Opens the image anew, as it is now, for example after an `ImageChanged` error. The source and the options are
   * those of the first opening. Once the new volume is open, this one is closed.
   * @throws DocteurError `InvalidArgument` for an image from a source that can be opened only once: a device, a
   *   source of ranges, an open file, a `Response`; the errors of `open`. This volume then stays open
   */
  async reopen(given?: options.SignalOptions): Promise<Volume> {
    const { signal } = checkOptions("reopen", given, options.SIGNAL);
    if (this.#reopen === undefined)
      throw invalid(
        "the image was opened from an object that can be opened once",
        "make another one, and give it to open()",
      );
    const volume = await this.#reopen(signal);
    // The new volume counts. An error while the old device closes does not.
    await this.close().catch(() => undefined);
    return volume;
  }

  /**
   * Closes the volume and its device. Further calls do nothing more. Operations that wait, for the device or for
   * each other, are rejected with `Closed`, as are later ones.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#calls.close();
    await closeDevice(this.#device);
  }

  /** Closes the volume, for `await using`. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Closes a device. @throws DocteurError `DeviceFailed` */
export async function closeDevice(device: BlockDevice): Promise<void> {
  try {
    await device.close?.();
  } catch (cause) {
    throw new DocteurError("DeviceFailed", "the device failed to close", { cause });
  }
}
