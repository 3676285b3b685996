/** CRC-32 (RFC 1952, 8; the one of gzip, zlib and git's pack index), sixteen bytes at a time. */

const POLYNOMIAL: u32 = 0xedb88320;
const SLICES: u32 = 16;

/** `tables[k][byte]`: the byte's contribution when k bytes follow it. */
// @ts-ignore: decorator
@lazy
const tables: usize = memory.data(16 * 256 * 4, 16);
let isReady: bool = false;

function prepareTables(): void {
  isReady = true;
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    store<u32>(tables + (byte << 2), crc);
  }
  for (let at = tables + 1024, end = tables + SLICES * 1024; at < end; at += 4) {
    const crc = load<u32>(at - 1024);
    store<u32>(at, (crc >> 8) ^ load<u32>(tables + ((crc & 0xff) << 2)));
  }
}

/** The contribution of four bytes, the first one lowest, when `after` bytes follow the last of them. */
// @ts-ignore: decorator
@inline
function slice(word: u32, after: u32): u32 {
  const table = tables + (after << 10);
  return (
    load<u32>(table + ((word & 0xff) << 2), 3 << 10) ^
    load<u32>(table + (((word >> 8) & 0xff) << 2), 2 << 10) ^
    load<u32>(table + (((word >> 16) & 0xff) << 2), 1 << 10) ^
    load<u32>(table + ((word >> 24) << 2))
  );
}

/**
 * Continues a CRC-32.
 * @param crc 0 at the start, or what the call for the bytes before returned
 * @param ptr where `len` more bytes are
 */
export function crc32(crc: u32, ptr: usize, len: usize): u32 {
  if (!isReady) prepareTables();
  crc = ~crc;
  const end = ptr + len;
  for (const wideEnd = ptr + (len & ~15); ptr < wideEnd; ptr += 16) {
    crc =
      slice(crc ^ load<u32>(ptr), 12) ^
      slice(load<u32>(ptr, 4), 8) ^
      slice(load<u32>(ptr, 8), 4) ^
      slice(load<u32>(ptr, 12), 0);
  }
  for (; ptr < end; ptr++) crc = (crc >> 8) ^ load<u32>(tables + (((crc ^ load<u8>(ptr)) & 0xff) << 2));
  return ~crc;
}
