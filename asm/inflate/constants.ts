/** The numbers of deflate (RFC 1951) and the layout of decoding table entries. */

/** All of the input window was absorbed, and the stream goes on: supply the next window. */
export const NEED_INPUT: i32 = -1;
/** The output window is full, and the stream is not known to have ended: supply the next window. */
export const NEED_OUTPUT: i32 = -2;

/** The longest code of a literal/length or distance alphabet, in bits. */
export const CODE_BITS: u32 = 15;
/** The longest code of the alphabet that code lengths are themselves written in (RFC 1951, 3.2.7). */
export const PRECODE_BITS: u32 = 7;
export const PRECODE_SYMBOLS: u32 = 19;
/** The most extra bits of a length, of a distance, and of a repeated code length (RFC 1951, 3.2.5 and 3.2.7). */
export const LENGTH_EXTRA: u32 = 5;
export const DISTANCE_EXTRA: u32 = 13;
export const PRECODE_EXTRA: u32 = 7;
/** The longest distance of a match, in bytes. */
export const DISTANCE_MAX: u32 = 0x8000;
/**
 * Bits that are there after a refill of the bit buffer from enough input: it takes as many whole bytes as fit
 * into 63 bits. The decoders below must need no more of them.
 */
export const REFILLED: u32 = 56;
/**
 * The most that a dynamic block may declare: the fixed code's 286, 287 and its distances 30, 31 stand for
 * nothing.
 */
export const LITERAL_SYMBOLS: u32 = 286;
export const DISTANCE_SYMBOLS: u32 = 30;
export const END_OF_BLOCK: u32 = 256;

/*
 * An entry of a decoding table, u32. A code no longer than the table's width has its entries in the table
 * itself, a longer one in a subtable, where the code's first bits are already consumed.
 *
 *     31        30..16           15       14    13     12..8        7..0
 *     LITERAL │ literal, base  │ SPECIAL │ SUB │ END │ code bits  │ bits to consume: the code's, and
 *             │ or index of    │         │     │     │ (SUB: the  │ the extra ones
 *             │ the subtable   │         │     │     │ width)     │
 *
 * SPECIAL marks what is no literal, length or distance: a pointer to a subtable, the end of the block, or,
 * with neither SUB nor END, a code that stands for no symbol. Shift counts are taken modulo 32, or 64, by the
 * machine, so that `x >> (entry >> 8)` and `bits >> entry` need no masks.
 */
export const LITERAL: u32 = 1 << 31;
export const SPECIAL: u32 = 1 << 15;
export const SUBTABLE: u32 = 1 << 14;
export const BLOCK_END: u32 = 1 << 13;

/**
 * Widths of the first-level tables: the widest, and that for streams of which little is left
 * (`buildDynamic`).
 */
export const LITERAL_TABLE_BITS: u32 = 11;
export const SMALL_LITERAL_TABLE_BITS: u32 = 10;
export const DISTANCE_TABLE_BITS: u32 = 8;
/*
 * The most entries that a code of up to 15 bits takes at these widths, subtables included, found by trying
 * all codes (as zlib's `enough.c` does): for 286 symbols 2340 at 11 bits and 1332 at 10; for 30 symbols 400
 * at 8. Another width needs another number: 30 symbols at 6 bits take 592.
 */
export const LITERAL_ENTRIES: u32 = 2340;
export const DISTANCE_ENTRIES: u32 = 400;
if (LITERAL_TABLE_BITS != 11 || SMALL_LITERAL_TABLE_BITS != 10 || DISTANCE_TABLE_BITS != 8)
  ERROR("the tables' sizes are those of other widths");
if (LITERAL_ENTRIES > 1 << 15) ERROR("a table's index takes more than the 15 bits of an entry");

/** The order in which a dynamic block gives the code lengths of its precode (RFC 1951, 3.2.7). */
export const PRECODE_ORDER: usize = memory.data<u8>([
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
]);
