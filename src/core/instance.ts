/**
 * The Wasm core, instantiated over one device: calls, the result struct, and the wait for devices that answer
 * later.
 */
import { type ASUtil, instantiateSync } from "@assemblyscript/loader";
import { type BlockDevice, RESULT as READ } from "../devices/device.js";
import { DocteurError, STATUS, type StatusCode } from "../errors.js";

/** The exports of `asm/core.ts`; docs/ABI.md. */
interface CoreExports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  input(): number;
  stats(): number;
  info(): number;
  result(): number;
  cancel(): void;
  mountBegin(handle: bigint, capacity: bigint, blockSize: bigint, mode: number, memoryLimit: number): number;
  verify(level: number, commit: number): number;
  mount(): number;
  stat(path: number, length: number, flags: number): number;
  list(path: number, length: number, flags: number): number;
  read(path: number, length: number, flags: number, position: bigint, count: number): number;
  object(oid: number): number;
}

/** Flags of the core's operations (`asm/volume/volume.ts`). */
export const FLAG = { FOLLOW: 1, OID: 2, SIZE: 4 } as const;

/** Mount modes, as the core numbers them (`asm/volume/mount.ts`). */
export const MODE = { light: 0, fast: 1, analyze: 2 } as const;

/** How far reads are proven, as the core numbers it (`asm/objects/proof.ts`): 3 is `oid`, collisions refused. */
export const PROOF = { none: 0, crc: 1, oid: 2 } as const;
export const PROOF_COLLISIONS = 3;

/** Offsets of the result struct's fields (`Result` in `asm/volume/volume.ts`; docs/ABI.md). */
export const RESULT = {
  kind: 0,
  mode: 4,
  size: 8,
  data: 24,
  dataLen: 28,
  count: 32,
  sizes: 36,
  errorOffset: 40,
  oidKnown: 48,
  oid: 56,
} as const;

/** Offsets of the fields of what was mounted (`infoPtr` in `asm/volume/volume.ts`; docs/ABI.md). */
export const INFO = {
  time: 0,
  capacity: 8,
  idx: 16,
  packLen: 24,
  count: 32,
  records: 36,
  commit: 40,
  tree: 60,
} as const;

/** What a device may answer. */
const RESULTS: readonly number[] = Object.values(READ);

/** Room for a path at the core's `input`. */
const INPUT_MAX = 8192;

/** What the statuses mean, for people. `%` stands for the path. */
export const MESSAGES: Record<StatusCode, string> = {
  InvalidArgument: "the device or the core refused an argument",
  DeviceFailed: "the device failed to read",
  NotFound: "% not found",
  ValueExpected: "% is a directory",
  DictionaryExpected: "% is not a directory",
  SymlinkLoop: "%: too many symbolic links",
  Submodule: "% is in a submodule, whose content the image does not hold",
  OutOfMemory: "the core's memory limit is too small for this",
  PathTooLong: "%: path too long",
  ObjectTooLarge: "an object is larger than the limit",
  ChainTooDeep: "a delta chain is deeper than the limit",
  TreeTooDeep: "directories are nested deeper than the limit",
  TooManyObjects: "more objects than the limit",
  BadHeader: "not a docteur image: the header does not lead to an index",
  BadPack: "not a docteur image: no valid PACK header",
  BadIdx: "the index (IDX) is damaged",
  Truncated: "the image ends too early",
  BadTrailer: "the PACK does not match its checksum",
  BadZlibHeader: "an object's zlib header is damaged",
  BadBlockType: "an object's deflate stream has a block of no known type",
  BadStoredLength: "an object's deflate stream has a stored block of a wrong length",
  BadCodeLengths: "an object's deflate stream has a code that is no prefix code",
  BadSymbol: "an object's deflate stream has a symbol that does not exist",
  BadDistance: "an object's deflate stream refers to before its beginning",
  BadAdler: "an object does not match its Adler-32 checksum",
  BadInflatedSize: "an object is not of the size that its header gives",
  BadEntry: "an object's header is damaged",
  BadBase: "a delta's base is not where it can be",
  MissingBase: "a delta's base is not in the image",
  BadDelta: "a delta is damaged",
  DeltaBaseSize: "a delta was made for a base of another size",
  DeltaCopyRange: "a delta copies from outside its base",
  DeltaResultSize: "a delta's result is not of the size that it gives",
  MissingObject: "an object is not in the image",
  WrongKind: "an object is of another kind than what refers to it says",
  BadCommit: "the commit is malformed",
  BadTree: "a directory's tree is malformed",
  OidMismatch: "an object does not match its id",
  CrcMismatch: "an entry does not match its CRC-32",
  OtherCommit: "the image is of another commit",
  Collision: "an object is part of a SHA-1 collision attack",
};

export const STATUS_NAMES = new Map<number, StatusCode>(
  Object.entries(STATUS).map(([name, value]) => [value, name as StatusCode]),
);

/** Errors that are about one object, which their message names. */
const OF_AN_OBJECT: readonly StatusCode[] = ["MissingObject", "OidMismatch", "OtherCommit", "Collision"];

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The hexadecimal form of an object id's 20 bytes. */
export function hexOid(bytes: Uint8Array): string {
  let hex = "";
  for (let i = 0; i < 20; i++) hex += HEX[bytes[i]!];
  return hex;
}

/** The 20 bytes of an object id. @throws DocteurError for what is none */
export function oidBytes(hex: string): Uint8Array {
  if (!/^[0-9a-f]{40}$/i.test(hex)) throw new DocteurError("InvalidArgument", `not an object id: ${hex}`);
  return Uint8Array.from(hex.match(/../g)!, (digits) => Number.parseInt(digits, 16));
}

/** One instance of the core, which serves one volume. */
export class Core {
  readonly #device: BlockDevice;
  readonly #exports: CoreExports;
  readonly #input: number;
  readonly #result: number;
  /** What the device threw, against its contract, since the operation began. */
  #thrown: unknown;
  #view: DataView;
  #bytes: Uint8Array;

  /**
   * @param module a build of the core
   * @param device what `block_read` reads
   */
  constructor(module: WebAssembly.Module, device: BlockDevice) {
    this.#device = device;
    const imports = {
      solo5: {
        block_read: (_handle: bigint, offset: bigint, target: number, size: number): number =>
          this.#read(offset, target >>> 0, size >>> 0),
      },
    };
    const { exports } = instantiateSync(module, imports) as unknown as { exports: ASUtil & CoreExports };
    this.#exports = exports;
    this.#view = new DataView(exports.memory.buffer);
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#input = exports.input();
    this.#result = exports.result();
  }

  get exports(): CoreExports {
    return this.#exports;
  }

  /** The memory's bytes, as long as no call has been made since. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#exports.memory.buffer) this.#renew();
    return this.#bytes;
  }

  /** The same as a view. */
  get view(): DataView {
    if (this.#view.buffer !== this.#exports.memory.buffer) this.#renew();
    return this.#view;
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
    this.#view = new DataView(this.#exports.memory.buffer);
  }

  #read(offset: bigint, target: number, size: number): number {
    const bytes = this.bytes;
    if (target + size > bytes.length || offset > Number.MAX_SAFE_INTEGER) return READ.EINVAL;
    try {
      const result: unknown = this.#device.read(Number(offset), bytes.subarray(target, target + size));
      // What WebAssembly made of anything else, a promise say, would be 0: OK.
      return typeof result === "number" && RESULTS.includes(result) ? result : READ.EUNSPEC;
    } catch (error) {
      // An exception that passed through the core would leave its state halfway.
      this.#thrown = error;
      return READ.EUNSPEC;
    }
  }

  /** Writes a path or an id where the core reads it. @returns its pointer */
  write(bytes: Uint8Array): number {
    if (bytes.length > INPUT_MAX) throw new DocteurError("PathTooLong", "the path is too long");
    this.bytes.set(bytes, this.#input);
    return this.#input;
  }

  /** A field of the result struct (`Result` in asm/volume/volume.ts), by its offset. */
  resultU32(offset: number): number {
    return this.view.getUint32(this.#result + offset, true);
  }

  /** A field of 64 bits. Sizes and offsets beyond 2^53 do not pass the core's limits. */
  resultU64(offset: number): number {
    return Number(this.view.getBigUint64(this.#result + offset, true));
  }

  /** The id in the result struct, or undefined where it holds none. */
  resultOid(): string | undefined {
    if (this.resultU32(RESULT.oidKnown) === 0) return undefined;
    return hexOid(this.bytes.subarray(this.#result + RESULT.oid, this.#result + RESULT.oid + 20));
  }

  /**
   * Calls an operation until its device has answered all that it asks for.
   * @param operation called again after AGAIN
   * @param path what it is about, for errors
   * @returns undefined where it ended at once, so that synchronous devices cost no turn of the event loop
   * @throws DocteurError
   */
  run(operation: () => number, path?: string): Promise<void> | undefined {
    this.#thrown = undefined;
    const status = operation();
    if (status === STATUS.Ok) return undefined;
    if (status === STATUS.Again) return this.#wait(operation, path);
    throw this.#error(status, path);
  }

  async #wait(operation: () => number, path: string | undefined): Promise<void> {
    for (;;) {
      if (this.#device.ready === undefined) {
        this.#exports.cancel();
        throw new DocteurError("DeviceFailed", "the device answers AGAIN and has no `ready`", { path });
      }
      try {
        await this.#device.ready();
      } catch (cause) {
        this.#exports.cancel();
        throw new DocteurError("DeviceFailed", MESSAGES.DeviceFailed, { path, cause });
      }
      const status = operation();
      if (status === STATUS.Ok) return;
      if (status !== STATUS.Again) throw this.#error(status, path);
    }
  }

  #error(status: number, path: string | undefined): DocteurError {
    const code = STATUS_NAMES.get(status) ?? "InvalidArgument";
    const message = MESSAGES[code].replace("%", path === undefined ? "the path" : path || "/");
    const offset = this.resultU64(RESULT.errorOffset) || undefined;
    const cause = code === "DeviceFailed" ? (this.#device.failure ?? this.#thrown) : undefined;
    const where = offset === undefined ? "" : ` (at offset ${offset})`;
    const oid = this.resultOid();
    const object = oid === undefined || !OF_AN_OBJECT.includes(code) ? "" : `: ${oid}`;
    const hint = code === "OutOfMemory" ? "raise the memory limit" : undefined;
    return new DocteurError(code, `${message}${object}${where}`, { path, oid, offset, cause, hint });
  }
}
