/**
 * The hypercalls of a guest (docs/ABI.md; where it is silent, Solo5's `solo5.h`). For any arguments a guest gets a
 * result code: exceptions of the host do not reach the guest, and its own do not reach the host.
 */
import type { BlockDevice } from "../devices/device.js";
import { isValidRange, RESULT } from "../devices/device.js";
import type { WasmMemory } from "../wasm/types.js";
import { ABORT_STATUS, CONSOLE_STATUS } from "./job.js";

/** The type of every hypercall, in the notation of `wasm-module.ts`. */
export const HYPERCALL_TYPES: Readonly<Record<string, string>> = {
  console_write: "(i32, i32) -> ()",
  block_acquire: "(i32, i32, i32, i32) -> i32",
  block_read: "(i64, i64, i32, i32) -> i32",
  block_write: "(i64, i64, i32, i32) -> i32",
  clock_monotonic: "() -> i64",
  clock_wall: "() -> i64",
  yield: "(i64, i32) -> ()",
  cmdline_size: "() -> i32",
  cmdline_read: "(i32) -> ()",
  exit: "(i32) -> ()",
  abort: "() -> ()",
};

/** Thrown through the guest's frames by the hypercalls that do not return. */
export class GuestEnd {
  readonly cause: "exit" | "abort" | "console";
  readonly status: number;
  /** The console's exception. */
  readonly error: unknown;

  constructor(cause: GuestEnd["cause"], status: number, error?: unknown) {
    this.cause = cause;
    this.status = status;
    this.error = error;
  }
}

/** The devices, command line and console of one guest. */
export interface HypercallOptions {
  /** The attached devices by name; a handle is an index into them. */
  devices: readonly (readonly [string, BlockDevice])[];
  /** At most `CMDLINE_MAX` bytes. */
  cmdline: Uint8Array;
  /** Takes the guest's output. If it throws, the guest ends: the output must not have holes. */
  console: (bytes: Uint8Array) => void;
}

/** The memory of a guest, whose pointers may lie anywhere, even outside. */
class GuestMemory {
  #memory: WasmMemory | undefined;
  #bytes = new Uint8Array(0);

  /** Before this, while the start function runs, no pointer is valid. */
  bind(memory: WasmMemory): void {
    this.#memory = memory;
  }

  /**
   * The one check of a guest's pointers.
   * @param ptr an i32 as it arrives, signed
   * @param size an i32 as it arrives, signed
   * @returns a view that dies when the guest's memory grows; undefined if a byte of it is outside
   */
  range(ptr: number, size: number): Uint8Array | undefined {
    // Growing replaces the buffer, even when it grows by nothing.
    if (this.#memory !== undefined && this.#bytes.buffer !== this.#memory.buffer)
      this.#bytes = new Uint8Array(this.#memory.buffer);
    const start = ptr >>> 0;
    const end = start + (size >>> 0);
    return end <= this.#bytes.length && this.#memory !== undefined
      ? this.#bytes.subarray(start, end)
      : undefined;
  }
}

function setU64(target: Uint8Array, offset: number, value: number): void {
  new DataView(target.buffer, target.byteOffset).setBigUint64(offset, BigInt(value), true);
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6));
}

/** Blocks until the monotonic clock says `deadline`, in nanoseconds. */
function sleepUntil(deadline: bigint): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const rest = Number(deadline - nanoseconds(performance.now())) / 1e6;
    if (rest <= 0) return;
    try {
      Atomics.wait(cell, 0, 0, Math.min(rest, 0x7fffffff));
    } catch {
      // A browser's main thread must not block: it spins.
    }
  }
}

/** The hypercalls of one guest, ready to be its imports. */
export class Hypercalls {
  readonly #options: HypercallOptions;
  readonly #memory = new GuestMemory();
  readonly #acquired: boolean[];
  #end: GuestEnd | undefined;
  /** The functions of the import module `solo5`. */
  readonly imports: Record<string, (...args: never[]) => unknown>;

  constructor(options: HypercallOptions) {
    this.#options = options;
    this.#acquired = options.devices.map(() => false);
    this.imports = {
      console_write: this.#alive(this.#consoleWrite),
      block_acquire: this.#alive(this.#blockAcquire),
      block_read: this.#alive(this.#blockRead),
      // Devices are read-only.
      block_write: this.#alive(() => RESULT.EINVAL),
      clock_monotonic: this.#alive(() => nanoseconds(performance.now())),
      clock_wall: this.#alive(() => nanoseconds(Date.now())),
      yield: this.#alive(this.#yield),
      cmdline_size: this.#alive(() => options.cmdline.length),
      cmdline_read: this.#alive(this.#cmdlineRead),
      exit: this.#alive((status: number) => this.#finish("exit", status)),
      abort: this.#alive(() => this.#finish("abort", ABORT_STATUS)),
    };
  }

  /** Gives the hypercalls the memory that their pointers point into. */
  bind(memory: WasmMemory): void {
    this.#memory.bind(memory);
  }

  /** The way in which the guest ended itself, if it did. */
  get end(): GuestEnd | undefined {
    return this.#end;
  }

  /** A guest that catches the exception of its own end gets no further than its next hypercall. */
  #alive<Args extends never[], Result>(hypercall: (...args: Args) => Result): (...args: Args) => Result {
    return (...args) => {
      if (this.#end !== undefined) throw this.#end;
      return hypercall(...args);
    };
  }

  #finish(cause: GuestEnd["cause"], status: number, error?: unknown): never {
    this.#end = new GuestEnd(cause, status, error);
    throw this.#end;
  }

  readonly #consoleWrite = (buf: number, size: number): void => {
    const bytes = this.#memory.range(buf, size);
    if (bytes === undefined || bytes.length === 0) return;
    try {
      this.#options.console(bytes.slice());
    } catch (error) {
      this.#finish("console", CONSOLE_STATUS, error);
    }
  };

  readonly #blockAcquire = (name: number, nameLen: number, handleOut: number, infoOut: number): number => {
    const { devices } = this.#options;
    const nameBytes = this.#memory.range(name, nameLen);
    const handle = this.#memory.range(handleOut, 8);
    const info = this.#memory.range(infoOut, 16);
    if (nameBytes === undefined || handle === undefined || info === undefined) return RESULT.EINVAL;
    const index = devices.findIndex(
      ([known]) =>
        known.length === nameBytes.length && [...known].every((c, i) => c.charCodeAt(0) === nameBytes[i]),
    );
    if (index < 0 || this.#acquired[index]) return RESULT.EINVAL;
    this.#acquired[index] = true;
    const [, device] = devices[index]!;
    setU64(handle, 0, index);
    setU64(info, 0, device.capacity);
    setU64(info, 8, device.blockSize);
    return RESULT.OK;
  };

  readonly #blockRead = (handle: bigint, offset: bigint, buf: number, size: number): number => {
    // Beyond 2^63 they arrive negative.
    if (handle < 0n || handle >= this.#acquired.length) return RESULT.EINVAL;
    const index = Number(handle);
    if (!this.#acquired[index]) return RESULT.EINVAL;
    const [, device] = this.#options.devices[index]!;
    if (offset < 0n || offset >= device.capacity) return RESULT.EINVAL;
    const position = Number(offset);
    const target = this.#memory.range(buf, size);
    if (target === undefined || !isValidRange(device, position, target.length)) return RESULT.EINVAL;
    try {
      const result = device.read(position, target);
      // This host is synchronous: for its guests "not yet" is a failure.
      return result === RESULT.OK || result === RESULT.EINVAL ? result : RESULT.EUNSPEC;
    } catch {
      return RESULT.EUNSPEC;
    }
  };

  readonly #yield = (deadline: bigint, readyOut: number): void => {
    sleepUntil(BigInt.asUintN(64, deadline));
    // As in Solo5, NULL means that the guest does not want to know.
    if (readyOut !== 0) this.#memory.range(readyOut, 8)?.fill(0);
  };

  readonly #cmdlineRead = (buf: number): void => {
    const { cmdline } = this.#options;
    this.#memory.range(buf, cmdline.length)?.set(cmdline);
  };
}
