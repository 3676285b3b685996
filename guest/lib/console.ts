/**
 * Printing. Output gathers in a buffer until `flush`, so that a line is one hypercall. A string literal is static data,
 * here as elsewhere in guests: it is read in place, and nothing is ever allocated for it.
 */
import { consoleWrite } from "../bindings/solo5";

const CAPACITY: u32 = 1024;
const buffer: usize = memory.data(1024, 1);
let used: u32 = 0;

/** Hands the buffer to the host. */
export function flush(): void {
  if (used) consoleWrite(buffer, used);
  used = 0;
}

export function printByte(byte: u32): void {
  if (used == CAPACITY) flush();
  store<u8>(buffer + used++, byte);
}

export function printBytes(ptr: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) printByte(load<u8>(ptr + i));
}

/** @param text a literal, ASCII */
export function print(text: string): void {
  const ptr = changetype<usize>(text);
  const len = <u32>text.length;
  for (let i: u32 = 0; i < len; i++) printByte(load<u16>(ptr + (i << 1)));
}

/** Prints in decimal. */
export function printU64(value: u64): void {
  if (value > 9) printU64(value / 10);
  printByte(<u32>(value % 10) + 0x30);
}
