/** A zlib stream's first two bytes: deflate, a window of 32 KiB, the slowest algorithm (RFC 1950, section 2.2). */
export const ZLIB_HEADER = Uint8Array.of(0x78, 0xda);
