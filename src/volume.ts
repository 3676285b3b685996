/**
 * A mounted image: files by path. The shape is mirage-kv's (`exists`, `get`, `list`, `digest`, …),
 * asynchronous throughout.
 */

import { type Core, FLAG, INFO, RESULT } from "./core/instance.js";
import type { BlockDevice } from "./devices/device.js";
import { DocteurError } from "./errors.js";
import { hexOid, oidBytes } from "./git/oid.js";
import { CANONICAL_MODES, entryOfMode, parseMode } from "./git/tree-mode.js";

/** A path inside the image: a string (UTF-8), or bytes where a name is not UTF-8. */
export type Path = string | Uint8Array;

/** What a path leads to. */
export type EntryKind = "directory" | "file" | "executable" | "symlink" | "submodule";

/** One entry of a directory, or what `stat` found. */
export interface Entry {
  /** The name; bytes that are not UTF-8 show as U+FFFD, see `nameBytes`. Empty for the root. */
  name: string;
  nameBytes: Uint8Array;
  /** The absolute path. */
  path: string;
  kind: EntryKind;
  /** As git writes it: 0o040000, 0o100644, 0o100755, 0o120000, 0o160000. */
  mode: number;
  /** The git object's id; for a submodule, its commit's. 40 hexadecimal digits. */
  oid: string;
  /** Bytes, where asked for and where the entry has content. */
  size?: number;
}

/** The commit that the image holds. */
export interface Commit {
  /** 40 hexadecimal digits. */
  oid: string;
  /** The root tree's id. */
  tree: string;
  /** The committer's date. */
  date: Date;
}

/** An object as git has it. */
export interface GitObject {
  kind: "commit" | "tree" | "blob" | "tag";
  data: Uint8Array;
}

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
  /** Bytes that cached objects, the radix tree, and all allocations take. */
  objectBytes: number;
  artBytes: number;
  heapBytes: number;
  /** Bytes that objects, deltas and streamed blobs were inflated to. */
  inflatedBytes: number;
}

const KINDS: readonly EntryKind[] = ["directory", "file", "executable", "symlink", "submodule"];
const OBJECT_KINDS = ["commit", "tree", "blob", "tag"] as const;
/** Bytes asked for at once. */
const PIECE = 0x40000000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function pathBytes(path: Path): Uint8Array {
  return typeof path === "string" ? encoder.encode(path) : path;
}

function pathString(path: Path): string {
  return typeof path === "string" ? path : decoder.decode(path);
}

/** The names of a path's normal form: without empty ones, `.` and `..`. */
function namesOf(bytes: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const slash = bytes.indexOf(0x2f, start);
    const end = slash < 0 ? bytes.length : slash;
    const name = bytes.subarray(start, end);
    start = end + 1;
    const isDots = name.every((byte) => byte === 0x2e);
    if (isDots && name.length === 2) names.pop();
    else if (!isDots || name.length > 2) names.push(name);
  }
  return names;
}

/** The normal form of a path: absolute. */
function absolute(names: Uint8Array[]): string {
  return `/${names.map((name) => decoder.decode(name)).join("/")}`;
}

/** Options of operations that may meet a symlink. */
export interface FollowOptions {
  /**
   * Follow symlinks, at the path's end and on the way, never out of the image. By default a symlink is a
   * value: its target.
   */
  follow?: boolean;
}

/** Options of `list`. */
export interface ListOptions extends FollowOptions {
  /** Tell sizes, too: a header read for each entry. */
  sizes?: boolean;
}

/**
 * A mounted image. Paths are names between slashes: `/a/b`, `a/b` and `//a///b/` are the same; `.` and `..`
 * are resolved first, within the root. Every method throws a `DocteurError`, whose `code` says why:
 * `NotFound`, `ValueExpected` for a directory where a file is meant, `DictionaryExpected` for the reverse, or
 * what is wrong with the image or its device.
 */
export class Volume {
  /** The commit that the image holds. */
  readonly commit: Commit;
  readonly #core: Core;
  readonly #device: BlockDevice;
  #closed = false;
  /** The operation that waits for the device, if any: others queue behind it. */
  #busy: Promise<unknown> | undefined;

  /** Use `open`. @param core mounted */
  constructor(core: Core, device: BlockDevice) {
    this.#core = core;
    this.#device = device;
    const info = core.exports.info();
    const { bytes, view } = core;
    this.commit = {
      oid: hexOid(bytes.subarray(info + INFO.commit, info + INFO.commit + 20)),
      tree: hexOid(bytes.subarray(info + INFO.tree, info + INFO.tree + 20)),
      date: new Date(Number(view.getBigInt64(info + INFO.time, true)) * 1000),
    };
  }

  /**
   * Runs an operation of the core and takes its result, one operation at a time.
   * @param bytes the path or id that the operation is about
   * @param call the export, given the pointer to `bytes`
   * @param take reads the result: synchronously, before any other operation can begin
   */
  #run<T>(
    path: string | undefined,
    bytes: Uint8Array,
    call: (pointer: number) => number,
    take: () => T,
  ): T | Promise<T> {
    if (this.#busy !== undefined) return this.#busy.then(() => this.#run(path, bytes, call, take));
    if (this.#closed) throw new DocteurError("Closed", "the volume is closed", { path });
    const waiting = this.#core.run(() => call(this.#core.write(bytes)), path);
    return waiting === undefined ? take() : this.#wait(waiting, take);
  }

  /** Takes the result of an operation that waits for the device, and keeps others from it until then. */
  async #wait<T>(waiting: Promise<void>, take: () => T): Promise<T> {
    this.#busy = waiting.catch(() => undefined);
    try {
      await waiting;
      return take();
    } finally {
      this.#busy = undefined;
    }
  }

  #stat(path: Path, flags: number): Entry | Promise<Entry> {
    const { exports } = this.#core;
    const bytes = pathBytes(path);
    return this.#run(
      pathString(path),
      bytes,
      (pointer) => exports.stat(pointer, bytes.length, flags),
      () => {
        const core = this.#core;
        const names = namesOf(bytes);
        const nameBytes = names.at(-1)?.slice() ?? new Uint8Array(0);
        const entry: Entry = {
          name: decoder.decode(nameBytes),
          nameBytes,
          path: absolute(names),
          kind: KINDS[core.resultU32(RESULT.kind) - 1]!,
          mode: core.resultU32(RESULT.mode),
          oid: core.resultOid() ?? "",
        };
        if (flags & FLAG.SIZE && entry.kind !== "directory" && entry.kind !== "submodule")
          entry.size = core.resultU64(RESULT.size);
        return entry;
      },
    );
  }

  /**
   * What a path leads to.
   * @returns null where there is nothing; `"dictionary"` for a directory, `"value"` for all else
   */
  async exists(path: Path, options: FollowOptions = {}): Promise<"value" | "dictionary" | null> {
    try {
      const { kind } = await this.#stat(path, options.follow ? FLAG.FOLLOW : 0);
      return kind === "directory" ? "dictionary" : "value";
    } catch (error) {
      const code = error instanceof DocteurError ? error.code : undefined;
      if (code === "NotFound" || code === "Submodule") return null;
      throw error;
    }
  }

  /** Kind, mode, id and, for what has content, size of what a path leads to. */
  async stat(path: Path, options: FollowOptions = {}): Promise<Entry> {
    return this.#stat(path, FLAG.OID | FLAG.SIZE | (options.follow ? FLAG.FOLLOW : 0));
  }

  /** A file's content, or a symlink's target. */
  async get(path: Path, options: FollowOptions = {}): Promise<Uint8Array> {
    return this.#read(path, 0, Number.MAX_SAFE_INTEGER, options);
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
    options: FollowOptions = {},
  ): Promise<Uint8Array> {
    if (!(offset >= 0 && length >= 0 && Number.isSafeInteger(offset) && Number.isSafeInteger(length)))
      throw new DocteurError("InvalidArgument", "offset and length must be whole numbers, zero or more");
    return this.#read(path, offset, length, options);
  }

  async #read(path: Path, offset: number, length: number, options: FollowOptions): Promise<Uint8Array> {
    const { exports } = this.#core;
    const bytes = pathBytes(path);
    const flags = options.follow ? FLAG.FOLLOW : 0;
    let target: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const count = Math.min(length - filled, PIECE);
      const read = this.#run(
        pathString(path),
        bytes,
        (pointer) => exports.read(pointer, bytes.length, flags, BigInt(offset + filled), count),
        () => {
          const core = this.#core;
          const data = core.resultU32(RESULT.data);
          const size = core.resultU32(RESULT.dataLen);
          target ??= new Uint8Array(Math.max(0, Math.min(core.resultU64(RESULT.size) - offset, length)));
          target.set(core.bytes.subarray(data, data + size), filled);
          return size;
        },
      );
      // Most files come in one piece, at once: no turn of the event loop for them.
      const piece = typeof read === "number" ? read : await read;
      filled += piece;
      if (piece === 0 || filled === target!.length) return target!;
    }
  }

  /** The entries of a directory, sorted by the bytes of their names. */
  async list(path: Path, options: ListOptions = {}): Promise<Entry[]> {
    const { exports } = this.#core;
    const bytes = pathBytes(path);
    const flags = (options.follow ? FLAG.FOLLOW : 0) | (options.sizes ? FLAG.SIZE : 0);
    return this.#run(
      pathString(path),
      bytes,
      (pointer) => exports.list(pointer, bytes.length, flags),
      () => this.#entries(absolute(namesOf(bytes)), options.sizes === true),
    );
  }

  #entries(parent: string, sizes: boolean): Entry[] {
    const core = this.#core;
    const { bytes, view } = core;
    const prefix = parent === "/" ? "/" : `${parent}/`;
    const pointers = core.resultU32(RESULT.data);
    const sizesAt = core.resultU32(RESULT.sizes);
    return Array.from({ length: core.resultU32(RESULT.count) }, (_, index) => {
      const at = view.getUint32(pointers + index * 4, true);
      const space = bytes.indexOf(0x20, at);
      const nul = bytes.indexOf(0, space);
      const nameBytes = bytes.slice(space + 1, nul);
      const name = decoder.decode(nameBytes);
      const type = entryOfMode(parseMode(bytes, at, space));
      const mode = CANONICAL_MODES[type]!;
      const kind = ENTRY_KINDS[type]!;
      const oid = hexOid(bytes.subarray(nul + 1, nul + 21));
      const entry: Entry = { name, nameBytes, path: prefix + name, kind, mode, oid };
      if (sizes && kind !== "directory" && kind !== "submodule")
        entry.size = Number(view.getBigUint64(sizesAt + index * 8, true));
      return entry;
    });
  }

  /** A file's size in bytes, from headers, without inflating it; for a symlink, its target's length. */
  async size(path: Path, options: FollowOptions = {}): Promise<number> {
    const { size } = await this.#stat(path, FLAG.SIZE | (options.follow ? FLAG.FOLLOW : 0));
    if (size === undefined)
      throw new DocteurError("ValueExpected", `${pathString(path)} is not a file`, {
        path: pathString(path),
      });
    return size;
  }

  /**
   * The git object id of what a path leads to: blob, tree, or a submodule's commit. 40 hexadecimal digits.
   */
  async digest(path: Path, options: FollowOptions = {}): Promise<string> {
    return (await this.#stat(path, FLAG.OID | (options.follow ? FLAG.FOLLOW : 0))).oid;
  }

  /** When a path was last modified: the image knows its commit's date alone. */
  async lastModified(path: Path, options: FollowOptions = {}): Promise<Date> {
    await this.#stat(path, options.follow ? FLAG.FOLLOW : 0);
    return this.commit.date;
  }

  /**
   * A git object of the image, by its id.
   * @param oid 40 hexadecimal digits
   */
  async object(oid: string): Promise<GitObject> {
    const bytes = oidBytes(oid);
    return this.#run(
      undefined,
      bytes,
      (pointer) => this.#core.exports.object(pointer),
      () => {
        const data = this.#core.resultU32(RESULT.data);
        return {
          kind: OBJECT_KINDS[this.#core.resultU32(RESULT.kind) - 1]!,
          data: this.#core.bytes.slice(data, data + this.#core.resultU32(RESULT.dataLen)),
        };
      },
    );
  }

  /** Counters since the image was opened. */
  stats(): Stats {
    const at = this.#core.exports.stats();
    const field = (index: number): number => Number(this.#core.view.getBigUint64(at + index * 8, true));
    return {
      memoryBytes: this.#core.bytes.length,
      deviceReads: field(0),
      deviceBytes: field(1),
      sectorHits: field(2),
      sectorMisses: field(3),
      objectHits: field(4),
      objectMisses: field(5),
      objectBytes: field(6),
      artBytes: field(7),
      heapBytes: field(8),
      inflatedBytes: field(9),
    };
  }

  /** Releases the device. Operations that wait for it end first. */
  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#busy !== undefined) await this.#busy;
    this.#closed = true;
    await this.#device.close?.();
  }
}

/** The kinds of entries, by `ENTRY`. */
const ENTRY_KINDS: readonly EntryKind[] = [
  "directory",
  "directory",
  "file",
  "executable",
  "symlink",
  "submodule",
];
