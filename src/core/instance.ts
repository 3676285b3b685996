/**
 * The Wasm core, instantiated over one device: calls, the result struct, and the wait for devices that answer
 * later.
 */

import { instantiate } from "#instantiate";
import { abortable } from "../abort.js";
import { type BlockDevice, RESULT as READ } from "../devices/device.js";
import { DocteurError, STATUS, type StatusCode } from "../errors.js";
import { hexOid } from "../git/oid.js";
import { MESSAGES, STATUS_NAMES } from "../messages.js";
import type { WasmModule } from "../wasm/types.js";
import { ABI_VERSION, type CoreExports, INPUT_MAX, RESULT } from "./abi.js";

/** The answers of a device. */
const RESULTS: readonly number[] = Object.values(READ);

const encoder = new TextEncoder();

/** Errors about one object, which their message names. */
const OF_AN_OBJECT: readonly StatusCode[] = ["MissingObject", "OidMismatch", "OtherCommit", "Collision"];

/** @throws DocteurError `InvalidArgument` if the module is not the core */
function instanceOf(module: WasmModule, imports: WebAssembly.Imports): CoreExports {
  let exports: CoreExports & { ABI_VERSION?: unknown };
  try {
    exports = instantiate(module, imports) as unknown as CoreExports;
  } catch (cause) {
    // The module is not at fault if the host has no memory for an instance.
    const code = cause instanceof RangeError ? "OutOfMemory" : "InvalidArgument";
    throw new DocteurError(code, `cannot instantiate the core: ${(cause as Error).message}`, { cause });
  }
  if (Number(exports.ABI_VERSION) === ABI_VERSION && typeof exports.list === "function") return exports;
  throw new DocteurError("InvalidArgument", "the module is not docteur's core, or of another version", {
    hint: "compile docteur/core.wasm or docteur/core.simd.wasm of this package",
  });
}

function placeOf(offset: number | undefined): string {
  return offset === undefined ? "" : ` (at offset ${offset})`;
}

/**
 * The error of an operation whose device failed. This package's devices give the reason in words for people.
 * @param cause the device's reason, or the exception that it threw
 */
function deviceError(cause: unknown, path: string | undefined, offset?: number): DocteurError {
  const message = `${MESSAGES.DeviceFailed}${placeOf(offset)}`;
  const where = { path, offset, cause };
  if (!(cause instanceof DocteurError)) return new DocteurError("DeviceFailed", message, where);
  const { code, hint, url } = cause;
  const told = code === "ImageChanged" ? code : "DeviceFailed";
  return new DocteurError(told, `${message}: ${cause.message}`, { ...where, hint, url });
}

/** One instance of the core, which serves one volume. */
export class Core {
  readonly #device: BlockDevice;
  readonly #exports: CoreExports;
  readonly #input: number;
  /** Pointers to results, by handles. */
  readonly #results: number[] = [];
  /** The result that is being read; 0 for none. */
  #result = 0;
  /** An exception that the device threw, against its contract, since the operation began. */
  #thrown: unknown;
  #view: DataView;
  #bytes: Uint8Array;
  /** The bytes at `input`. */
  #room: Uint8Array;

  /**
   * @param module a build of the core
   * @param device the one that `block_read` reads
   */
  constructor(module: WasmModule, device: BlockDevice) {
    this.#device = device;
    const imports = {
      solo5: {
        block_read: (_handle: bigint, offset: bigint, target: number, size: number): number =>
          this.#read(offset, target >>> 0, size >>> 0),
      },
    };
    const exports = instanceOf(module, imports);
    this.#exports = exports;
    this.#input = exports.input();
    this.#view = new DataView(exports.memory.buffer);
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#room = new Uint8Array(exports.memory.buffer, this.#input, INPUT_MAX);
  }

  get exports(): CoreExports {
    return this.#exports;
  }

  /** The memory's bytes, valid until the next call. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#exports.memory.buffer) this.#renew();
    return this.#bytes;
  }

  /** The memory as a view, valid until the next call. */
  get view(): DataView {
    if (this.#view.buffer !== this.#exports.memory.buffer) this.#renew();
    return this.#view;
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#exports.memory.buffer);
    this.#view = new DataView(this.#exports.memory.buffer);
    this.#room = new Uint8Array(this.#exports.memory.buffer, this.#input, INPUT_MAX);
  }

  #read(offset: bigint, target: number, size: number): number {
    const bytes = this.bytes;
    if (target + size > bytes.length || offset > Number.MAX_SAFE_INTEGER) return READ.EINVAL;
    try {
      const result: unknown = this.#device.read(Number(offset), bytes.subarray(target, target + size));
      // WebAssembly would turn anything else, such as a promise, into 0: OK.
      return typeof result === "number" && RESULTS.includes(result) ? result : READ.EUNSPEC;
    } catch (error) {
      // An exception that passed through the core would leave its state halfway.
      this.#thrown = error;
      return READ.EUNSPEC;
    }
  }

  /** The pointer to what `write` has written. */
  get input(): number {
    return this.#input;
  }

  /**
   * Writes a path, a name or an id where the core reads it.
   * @param at bytes that were written before it
   * @returns its length in bytes
   */
  write(value: string | Uint8Array, at = 0): number {
    if (this.#room.buffer !== this.#exports.memory.buffer) this.#renew();
    if (typeof value === "string") {
      const { read, written } = encoder.encodeInto(value, at === 0 ? this.#room : this.#room.subarray(at));
      if (read === value.length) return written;
    } else if (at + value.length <= INPUT_MAX) {
      this.#room.set(value, at);
      return value.length;
    }
    throw new DocteurError("PathTooLong", "the path is too long");
  }

  /** A handle for operations, or 0 where there is none (`operation` in docs/ABI.md). */
  open(): number {
    const handle = this.#exports.operation();
    if (handle !== 0) this.#results[handle] = this.#exports.result(handle);
    return handle;
  }

  /** Gives a handle back. */
  release(handle: number): void {
    this.#exports.release(handle);
  }

  /**
   * Begins an operation, or goes on with one. Its result is then the current one, until the next call.
   * @param call calls the export
   * @returns its status
   */
  call(handle: number, call: (handle: number) => number): number {
    this.#thrown = undefined;
    this.#result = this.#results[handle]!;
    return call(handle);
  }

  /** Goes on with an operation that has answered AGAIN. */
  resume(handle: number): number {
    return this.call(handle, this.#exports.resume);
  }

  /** A field of the result struct (`Result` in asm/volume/operation.ts), by its offset. */
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
   * Runs an operation to its end, while it is the only one.
   * @param call calls the export
   * @param signals end the wait for the device; the operation is dropped
   * @throws DocteurError; the reason of a signal
   */
  async run(
    handle: number,
    call: (handle: number) => number,
    signals: readonly AbortSignal[] = [],
  ): Promise<void> {
    let status = this.call(handle, call);
    while (status === STATUS.Again) {
      try {
        await abortable(this.ready(), signals);
      } catch (error) {
        this.#exports.cancel(handle);
        throw error;
      }
      status = this.resume(handle);
    }
    if (status !== STATUS.Ok) throw this.error(status);
  }

  /** Runs an operation over a synchronous device. @throws DocteurError also if the device is not synchronous */
  runSync(handle: number, call: (handle: number) => number): void {
    const status = this.call(handle, call);
    if (status === STATUS.Ok) return;
    if (status !== STATUS.Again) throw this.error(status);
    this.#exports.cancel(handle);
    throw notSynchronous();
  }

  /**
   * Waits until the device can be asked again.
   * @throws DocteurError `DeviceFailed`
   */
  async ready(): Promise<void> {
    if (this.#device.ready === undefined)
      throw new DocteurError("DeviceFailed", "the device answers AGAIN and has no `ready`");
    try {
      await this.#device.ready();
    } catch (cause) {
      throw deviceError(cause, undefined);
    }
  }

  /** Throws if an export that is not an operation has returned another status than OK. */
  check(status: number): void {
    this.#result = 0;
    if (status !== STATUS.Ok) throw this.error(status);
  }

  /** The error for a status of the operation that was called last. @param path the operation's */
  error(status: number, path?: string): DocteurError {
    const code = STATUS_NAMES.get(status) ?? "InvalidArgument";
    const hasResult = this.#result !== 0;
    const offset = (hasResult && this.resultU64(RESULT.errorOffset)) || undefined;
    if (code === "DeviceFailed") return deviceError(this.#device.failure ?? this.#thrown, path, offset);
    const message = MESSAGES[code].replace("%", () => (path === undefined ? "the path" : path || "/"));
    const oid = hasResult ? this.resultOid() : undefined;
    const object = oid === undefined || !OF_AN_OBJECT.includes(code) ? "" : `: ${oid}`;
    const hint = code === "OutOfMemory" ? "raise the memory limit" : undefined;
    return new DocteurError(code, `${message}${object}${placeOf(offset)}`, { path, oid, offset, hint });
  }
}

/** The error for a device that answers AGAIN when nothing waits for it. */
export function notSynchronous(): DocteurError {
  return new DocteurError("InvalidArgument", "the device is not synchronous: it answers AGAIN", {
    hint: "open() reads it; or serve it from another thread, by share()",
  });
}
