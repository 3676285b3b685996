/** Reads bytes of WebAssembly's binary format (core specification, chapter 5) forward, inside a bound. */
import { DocteurError } from "../errors.js";

/** A place in a module's bytes, and the end that it must not pass. */
export class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** The error for bytes that are malformed here. */
  fail(what: string): DocteurError {
    return new DocteurError("BadGuest", `malformed WebAssembly module: ${what} at byte ${this.at}`);
  }

  byte(): number {
    if (this.at >= this.end) throw this.fail("unexpected end");
    return this.bytes[this.at++]!;
  }

  /** Steps over bytes. */
  skip(length: number): void {
    if (length > this.end - this.at) throw this.fail("unexpected end");
    this.at += length;
  }

  /** An unsigned LEB128 of at most 32 bits (5.2.2). */
  u32(): number {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw this.fail("integer too large");
  }

  /** A signed LEB128 of at most `bits` bits, 33 or fewer. */
  signed(bits: number): number {
    let value = 0;
    for (let index = 0; index * 7 < bits; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (byte & 0x40) value -= 2 ** (7 * (index + 1));
      if (value >= 2 ** (bits - 1) || value < -(2 ** (bits - 1))) break;
      return value;
    }
    throw this.fail("integer too large");
  }

  /** Steps over an LEB128 of 64 bits. */
  skipI64(): void {
    for (let index = 0; index < 10; index++) if (this.byte() < 0x80) return;
    throw this.fail("integer too large");
  }

  name(): string {
    const length = this.u32();
    if (length > this.end - this.at) throw this.fail("name runs past its section");
    const bytes = this.bytes.subarray(this.at, this.at + length);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      this.at += length;
      return text;
    } catch {
      throw this.fail("name is not UTF-8");
    }
  }

  /** A vector's elements, one by one. */
  *vector(): Generator<void> {
    for (let count = this.u32(); count > 0; count--) yield;
  }
}
