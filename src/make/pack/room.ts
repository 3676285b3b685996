/** Rooms in the packer's memory, for what one job after another writes there. */
import { DocteurError } from "../../errors.js";

/** A larger room is not kept from job to job. */
const KEPT_LEN = 1 << 20;

export function outOfMemory(len: number): DocteurError {
  return new DocteurError("OutOfMemory", `the packer has no memory to work on ${len} bytes`);
}

/** Memory that every use overwrites. */
export class Room {
  readonly #allocate: (len: number) => number;
  readonly #free: (ptr: number) => void;
  #ptr = 0;
  #len = 0;

  constructor(allocate: (len: number) => number, free: (ptr: number) => void) {
    this.#allocate = allocate;
    this.#free = free;
  }

  /** At least `len` bytes. */
  reserve(len: number): number {
    if (this.#len >= len && this.#ptr !== 0) return this.#ptr;
    this.release();
    this.#ptr = this.#allocate(Math.max(len, 1));
    this.#len = len;
    return this.#ptr;
  }

  release(): void {
    this.#free(this.#ptr);
    this.#ptr = 0;
    this.#len = 0;
  }

  /** Frees memory that is unusually large. */
  trim(): void {
    if (this.#len > KEPT_LEN) this.release();
  }
}
