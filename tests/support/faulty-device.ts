/** A device that fails at one read of its choice, in one of the ways that devices have. */
import { type BlockDevice, RESULT, type ReadResult } from "../../src/devices/device.js";
import { seeded } from "./random.js";

/** A way to fail: what is left in the buffer, and the answer. */
export interface Fault {
  name: string;
  /** The code of the error that it must lead to; none where the device lies: its answer is OK, its bytes are not. */
  code?: "DeviceFailed" | "InvalidArgument";
  read(target: Uint8Array, offset: number): ReadResult;
}

/** Answers with garbage behind, whatever the device meant. */
function answer(name: string, code: "DeviceFailed" | "InvalidArgument", result: unknown): Fault {
  const read = (target: Uint8Array): ReadResult => {
    target.fill(0xa5);
    return result as ReadResult;
  };
  return { name, code, read };
}

/** The device says that it failed, or says nothing that a device may say. */
export const FAILURES: readonly Fault[] = [
  answer("EUNSPEC", "DeviceFailed", RESULT.EUNSPEC),
  answer("EINVAL", "InvalidArgument", RESULT.EINVAL),
  answer("AGAIN without ready", "DeviceFailed", RESULT.AGAIN),
  answer("a result that nobody knows", "DeviceFailed", 77),
  answer("no result", "DeviceFailed", undefined),
  answer("a promise", "DeviceFailed", Promise.resolve(RESULT.OK)),
  answer("a BigInt", "DeviceFailed", 0n),
  answer("true", "DeviceFailed", true),
  {
    name: "throws",
    code: "DeviceFailed",
    read(target) {
      target.fill(0xa5);
      throw new Error("thrown by the device");
    },
  },
];

/** The device says that all is well. */
export const LIES: readonly Fault[] = [
  {
    name: "garbage",
    read(target, offset) {
      const random = seeded(offset + 1);
      for (let at = 0; at < target.length; at++) target[at] = random(256);
      return RESULT.OK;
    },
  },
  {
    name: "short data",
    read(target) {
      target.fill(0xa5, target.length >> 1);
      return RESULT.OK;
    },
  },
  {
    name: "zeros",
    read(target) {
      target.fill(0);
      return RESULT.OK;
    },
  },
];

/** Serves bytes in memory, but for one read. */
export class FaultyDevice implements BlockDevice {
  readonly blockSize = 512;
  readonly capacity: number;
  readonly #bytes: Uint8Array;
  #fault: Fault | undefined;
  #in = 0;
  /** Reads so far. */
  reads = 0;
  /** How often it was closed. */
  closed = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.capacity = bytes.length;
  }

  /** @param ahead 1: the next read fails */
  failAt(ahead: number, fault: Fault): void {
    this.#in = ahead;
    this.#fault = fault;
  }

  /** No read is to fail any more. @returns whether one has failed */
  heal(): boolean {
    const hasFailed = this.#in <= 0 && this.#fault !== undefined;
    this.#fault = undefined;
    return hasFailed;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    this.reads++;
    const bytes = this.#bytes.subarray(offset, offset + target.length);
    target.set(bytes);
    return this.#fault !== undefined && --this.#in === 0 ? this.#fault.read(target, offset) : RESULT.OK;
  }

  close(): void {
    this.closed++;
  }
}
