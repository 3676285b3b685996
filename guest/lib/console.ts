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

/** Prints any text, as UTF-8. A surrogate that stands alone becomes U+FFFD. */
export function printText(text: string): void {
  printUtf16(changetype<usize>(text), <u32>text.length);
}

/** Like `printText`. @param ptr the text in UTF-16, `len` units of 16 bits */
export function printUtf16(ptr: usize, len: u32): void {
  const end = ptr + (<usize>len << 1);
  for (let at = ptr; at < end; at += 2) {
    let code: u32 = load<u16>(at);
    const next: u32 = at + 2 < end ? load<u16>(at, 2) : 0;
    if (code - 0xd800 < 0x400 && next - 0xdc00 < 0x400) {
      code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
      at += 2;
    } else if (code - 0xd800 < 0x800) code = 0xfffd;
    if (code < 0x80) {
      printByte(code);
      continue;
    }
    const tails: u32 = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    printByte((code >> (6 * tails)) | (0xf80 >> tails));
    for (let tail = tails; tail--; ) printByte(((code >> (6 * tail)) & 0x3f) | 0x80);
  }
}

/** Prints in decimal. */
export function printU64(value: u64): void {
  if (value > 9) printU64(value / 10);
  printByte(<u32>(value % 10) + 0x30);
}
