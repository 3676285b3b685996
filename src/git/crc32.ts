/** CRC-32 (ISO 3309, as zlib's) of pack entries. `node:zlib` has it only from Node 20.15 and 22.2 on. */

/**
 * Eight tables of 256: `TABLES[256 * k + b]` advances byte `b` through `k` further zero bytes, so that eight bytes are
 * folded in at once ("slicing by 8", Kounavis and Berry 2005).
 */
const TABLES = new Uint32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLES[byte] = crc;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = (before >>> 8) ^ TABLES[before & 0xff]!;
}

/**
 * @param bytes the bytes to add
 * @param crc the CRC-32 of the bytes before
 * @returns the CRC-32 of all bytes, unsigned
 */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let state = ~crc;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    state ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    state =
      TABLES[0x700 | (state & 0xff)]! ^
      TABLES[0x600 | ((state >>> 8) & 0xff)]! ^
      TABLES[0x500 | ((state >>> 16) & 0xff)]! ^
      TABLES[0x400 | (state >>> 24)]! ^
      TABLES[0x300 | bytes[at + 4]!]! ^
      TABLES[0x200 | bytes[at + 5]!]! ^
      TABLES[0x100 | bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) state = (state >>> 8) ^ TABLES[(state ^ bytes[at]!) & 0xff]!;
  return ~state >>> 0;
}
