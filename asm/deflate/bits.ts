/** The output: a bit stream, each byte filled from its lowest bit (RFC 1951, 3.1.1). */

/** The next byte's address, and the end of the room. */
export let out: usize = 0;
export let outEnd: usize = 0;
/** Bits that do not fill a byte yet, and their number: less than 8 between calls. */
export let bitBuffer: u64 = 0;
export let bitCount: u32 = 0;

/** Begins to write from `ptr` up to `end`. */
export function setOutput(ptr: usize, end: usize): void {
  resumeAt(ptr, 0, 0);
  outEnd = end;
}

/** Continues behind bytes that a loop has written by itself. */
export function resumeAt(ptr: usize, buffer: u64, count: u32): void {
  out = ptr;
  bitBuffer = buffer;
  bitCount = count;
}

/** Whether `bits` more fit. */
export function fits(bits: u64): bool {
  return (bits + bitCount + 7) >> 3 <= <u64>(outEnd - out);
}

/** Up to 32 bits; the caller knows that they fit. */
export function putBits(value: u32, count: u32): void {
  bitBuffer |= (<u64>value) << bitCount;
  bitCount += count;
  while (bitCount >= 8) {
    store<u8>(out++, <u8>bitBuffer);
    bitBuffer >>= 8;
    bitCount -= 8;
  }
}

/** Zeros up to the next byte. */
export function alignOutput(): void {
  if (bitCount) putBits(0, 8 - bitCount);
}

/** Whole bytes, where the output is aligned. */
export function putBytes(ptr: usize, len: usize): void {
  memory.copy(out, ptr, len);
  out += len;
}
