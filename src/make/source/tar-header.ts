/**
 * Headers of tar archives: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar's manual, "Basic
 * Tar Format", for what GNU adds; and the headers of Version 7, of which both are extensions.
 *
 * ```
 *   0 name 100   100 mode 8   108 uid, gid 16   124 size 12   136 mtime 12   148 checksum 8
 * 156 type 1     157 linkname 100   257 magic 8   265 uname, gname 64   329 device 16   345 prefix 155
 * ```
 *
 * Names are byte strings ("latin1").
 */
import { DocteurError } from "../../errors.js";

/** Headers and contents begin at multiples of this. */
export const BLOCK_LEN = 512;

/** A member's header. */
export interface TarHeader {
  /** One character; files have "0". */
  type: string;
  path: string;
  /** Target of a symbolic link, path of the member that a hard link is to. */
  linkPath: string;
  mode: number;
  /** Bytes. */
  size: number;
  /** Seconds since 1970, rounded down. */
  mtime: number;
}

/** An error in an archive. @param what the archive's defect, for people */
export function damaged(archive: string, what: string, offset: number): DocteurError {
  return new DocteurError("BadSource", `${archive}: ${what}, at byte ${offset} of the archive`, {
    path: archive,
    hint: "the archive is damaged, or its format is none that is known here",
  });
}

/** A defect of a header's field. The caller adds its place. */
class BadField extends Error {}

/** A field up to its first zero byte. */
function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? field.length : end);
}

/** C's `isspace`. */
const isSpace = (byte: number | undefined): boolean =>
  byte !== undefined && (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));

/** The first bytes of GNU's numbers in two's complement, for non-negative and for negative ones. */
const BINARY = { positive: 0x80, negative: 0xff };

/** The digits of a field, from `start` on, and their end. */
function octalDigits(field: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (; end < field.length && field[end]! >= 0x30 && field[end]! <= 0x37; end++)
    value = value * 8 + field[end]! - 0x30;
  return { value, end };
}

/** GNU's numbers beyond octal's: two's complement, most significant byte first, to the field's end. */
function binaryNumber(field: Buffer, start: number): number {
  let value = field[start] === BINARY.negative ? -1 : 0;
  for (const byte of field.subarray(start + 1)) {
    value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new BadField();
  }
  return value;
}

/**
 * A number as GNU tar reads it (list.c, `from_header`): it ignores one leading zero byte and blanks; then it
 * reads octal digits up to a blank or a zero byte, or GNU's binary form. Blanks alone are not a number, zero
 * bytes alone are 0.
 * @param isOctal whether the binary form is not a number either
 */
function numberOf(field: Buffer, isOctal = false): number {
  let start = field[0] === 0 ? 1 : 0;
  while (isSpace(field[start])) start++;
  if (start === field.length) throw new BadField();
  const first = field[start]!;
  const isBinary = first === BINARY.positive || first === BINARY.negative;
  if (!isOctal && isBinary && start + 2 <= field.length) return binaryNumber(field, start);
  const { value, end } = octalDigits(field, start);
  if (end < field.length && field[end] !== 0 && !isSpace(field[end])) throw new BadField();
  return value;
}

/** The offset of a header's checksum. */
const SUM = { start: 148, end: 156 };

/** Whether a header's checksum is right: the sum of its bytes, with spaces in place of the checksum. */
function hasChecksum(block: Buffer): boolean {
  let sum = 0x20 * (SUM.end - SUM.start);
  let negativeCount = 0;
  for (let at = 0; at < BLOCK_LEN; at = at + 1 === SUM.start ? SUM.end : at + 1) {
    const byte = block[at]!;
    sum += byte;
    negativeCount += byte >> 7;
  }
  const given = numberOf(block.subarray(SUM.start, SUM.end), true);
  // Old programs summed signed bytes.
  return given === sum || given === sum - 0x100 * negativeCount;
}

/** Headers about the member that follows: their names, modes and times mean nothing. */
const EXTENDED = "xXgLK";

/** Whether a block marks the end of an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/**
 * Reads a header.
 * @param block 512 bytes
 * @returns `undefined` for a block of zeros, which ends an archive; "checksum" if the block is not a header;
 *   "number" if one of its fields is not a number
 */
export function parseHeader(block: Buffer): TarHeader | "checksum" | "number" | undefined {
  if (isZeroBlock(block)) return undefined;
  try {
    if (!hasChecksum(block)) return "checksum";
  } catch (error) {
    if (error instanceof BadField) return "checksum";
    throw error;
  }
  const name = textOf(block.subarray(0, 100));
  // GNU's own magic has a space there, and other fields in place of POSIX's prefix.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : "";
  const type = String.fromCharCode(block[156]!);
  const isMember = !EXTENDED.includes(type);
  try {
    return {
      type: type === "\0" ? "0" : type,
      path: prefix === "" ? name : `${prefix}/${name}`,
      linkPath: textOf(block.subarray(157, 257)),
      mode: isMember ? numberOf(block.subarray(100, 108)) : 0,
      // A hard link has no content, and GNU tar ignores its size.
      size: type === "1" ? 0 : numberOf(block.subarray(124, 136)),
      mtime: isMember ? numberOf(block.subarray(136, 148)) : 0,
    };
  } catch (error) {
    if (error instanceof BadField) return "number";
    throw error;
  }
}

/** A long name of GNU's. @param content whole blocks, the padding behind the name too: GNU tar reads to a zero byte */
export function parseLongName(content: Buffer): string {
  return textOf(content);
}
