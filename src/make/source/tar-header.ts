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

/** Headers and contents begin at multiples of that. */
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

/** What extended headers say about a member instead of its own header. */
export interface PaxRecords {
  path?: string | undefined;
  linkPath?: string | undefined;
  size?: number | undefined;
  mtime?: number | undefined;
  /** Whether the member is a sparse file in one of GNU tar's ways. */
  isSparse?: boolean;
}

/** An error in an archive. @param what names the archive's fault, for people */
export function damaged(archive: string, what: string, offset: number): DocteurError {
  return new DocteurError("BadSource", `${archive}: ${what}, at byte ${offset} of the archive`, {
    path: archive,
    hint: "the archive is damaged, or its format is none that is known here",
  });
}

/** What a header's field is, without saying where: the caller knows. */
class BadField extends Error {}

/** A field up to its first zero byte. */
function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? field.length : end);
}

/** GNU's numbers beyond octal's: two's complement, most significant byte first, its first bit set to tell them. */
function binaryNumber(field: Buffer): number {
  const first = field[0]!;
  if (first !== 0x80 && first !== 0xff) throw new BadField();
  let value = first === 0xff ? -1 : 0;
  for (const byte of field.subarray(1)) {
    value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new BadField();
  }
  return value;
}

/** A number: octal, or GNU's; a blank field is 0. */
function numberOf(field: Buffer): number {
  if (field[0]! >= 0x80) return binaryNumber(field);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(textOf(field))?.[1];
  if (digits === undefined) throw new BadField();
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** Where a header's checksum is. */
const SUM = { start: 148, end: 156 };

/** Whether a header's checksum is its own: the sum of its bytes with spaces for the checksum. */
function hasChecksum(block: Buffer): boolean {
  let sum = 0x20 * (SUM.end - SUM.start);
  let negativeCount = 0;
  for (let at = 0; at < BLOCK_LEN; at = at + 1 === SUM.start ? SUM.end : at + 1) {
    const byte = block[at]!;
    sum += byte;
    negativeCount += byte >> 7;
  }
  const given = numberOf(block.subarray(SUM.start, SUM.end));
  // Programs of old summed signed bytes.
  return given === sum || given === sum - 0x100 * negativeCount;
}

/**
 * Reads a header.
 * @param block 512 bytes
 * @returns `undefined` for a block of zeros, which ends an archive; "checksum" where the block is no header;
 *   "number" where one of its numbers is none
 */
export function parseHeader(block: Buffer): TarHeader | "checksum" | "number" | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  try {
    if (!hasChecksum(block)) return "checksum";
  } catch (error) {
    if (error instanceof BadField) return "checksum";
    throw error;
  }
  const name = textOf(block.subarray(0, 100));
  // GNU's own magic has a space there, and other things where POSIX has the prefix.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : "";
  const type = String.fromCharCode(block[156]!);
  try {
    return {
      type: type === "\0" ? "0" : type,
      path: prefix === "" ? name : `${prefix}/${name}`,
      linkPath: textOf(block.subarray(157, 257)),
      mode: numberOf(block.subarray(100, 108)),
      size: numberOf(block.subarray(124, 136)),
      mtime: numberOf(block.subarray(136, 148)),
    };
  } catch (error) {
    if (error instanceof BadField) return "number";
    throw error;
  }
}

/** Content of a header of GNU's for a long name. */
export function parseLongName(content: Buffer): string {
  return textOf(content);
}

/** Takes one record over. @returns whether its value is one */
function takeRecord(records: PaxRecords, key: string, value: string): boolean {
  switch (key) {
    case "path":
      records.path = value === "" ? undefined : value;
      return true;
    case "linkpath":
      records.linkPath = value === "" ? undefined : value;
      return true;
    case "size":
      records.size = value === "" ? undefined : Number(value);
      return value === "" || (/^[0-9]+$/.test(value) && Number.isSafeInteger(records.size));
    case "mtime":
      records.mtime = value === "" ? undefined : Math.floor(Number(value));
      return value === "" || (/^-?[0-9]+(\.[0-9]*)?$/.test(value) && Number.isSafeInteger(records.mtime));
    default:
      if (key.startsWith("GNU.sparse.")) records.isSparse = true;
      return true;
  }
}

/**
 * Reads an extended header: records of "LENGTH KEY=VALUE\n", where LENGTH counts all of the record.
 * @param base what is known already, and holds where the header says nothing; an empty value takes it away
 * @returns `undefined` where that is no extended header
 */
export function parsePax(content: Buffer, base: PaxRecords): PaxRecords | undefined {
  const records = { ...base };
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const digits = content.toString("latin1", at, Math.min(space < 0 ? at : space, at + 16));
    const end = at + Number(digits);
    if (!/^[0-9]+$/.test(digits) || end > content.length || content[end - 1] !== 0x0a) return undefined;
    const equals = content.indexOf(0x3d, space);
    if (space + 1 >= end || equals < 0 || equals >= end) return undefined;
    const key = content.toString("latin1", space + 1, equals);
    if (!takeRecord(records, key, content.toString("latin1", equals + 1, end - 1))) return undefined;
    at = end;
  }
  return records;
}
