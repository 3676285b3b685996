/** Commit objects: the root tree and the committer's time. */
import { Status } from "../base/status";

const TREE_LINE: u32 = 46; // "tree ", 40 digits, a line feed

/** The time of a commit whose committer line has none that git reads. */
const NO_TIME: i64 = i64.MIN_VALUE;
/** More digits than any time has that fits 63 bits. */
const DIGITS_MAX: usize = 18;

/** The results of `commitParse`: the root tree's id, 20 bytes, and the committer's time in seconds since 1970. */
export const commitTree: usize = memory.data(20, 8);
export let commitTime: i64 = NO_TIME;

/** The value of a digit, in either case, as git takes them; 16 for what is none. */
function hexDigit(char: u32): u32 {
  if (char - 0x30 < 10) return char - 0x30;
  if ((char | 0x20) - 0x61 < 6) return (char | 0x20) - 0x61 + 10;
  return 16;
}

/**
 * Reads 40 hexadecimal digits.
 * @param target 20 bytes
 */
function parseOid(ptr: usize, target: usize): bool {
  for (let i: usize = 0; i < 20; i++) {
    const high = hexDigit(load<u8>(ptr + i * 2));
    const low = hexDigit(load<u8>(ptr + i * 2 + 1));
    if (high > 15 || low > 15) return false;
    store<u8>(target + i, (high << 4) | low);
  }
  return true;
}

/** Whether the bytes at `ptr` are "committer ". */
function isCommitter(ptr: usize, end: usize): bool {
  return end - ptr > 10 && load<u64>(ptr) == 0x6574_7469_6d6d_6f63 && load<u16>(ptr, 8) == 0x2072;
}

// @ts-ignore: decorator
@inline
function isDigit(char: u32): bool {
  return char - 0x30 < 10;
}

/** Behind the blanks from `ptr` on. */
function skipBlanks(ptr: usize, end: usize): usize {
  while (ptr < end && (load<u8>(ptr) == 0x20 || load<u8>(ptr) == 0x09 || load<u8>(ptr) == 0x0d)) ptr++;
  return ptr;
}

/**
 * The time of a line "committer NAME <EMAIL> SECONDS ZONE", read as git reads it (ident.c, split_ident_line):
 * digits behind the last `>`, then a sign and a digit of the zone.
 */
function parseTime(line: usize, end: usize): i64 {
  let ptr = end;
  while (ptr > line && load<u8>(ptr - 1) != 0x3e) ptr--;
  let open = ptr;
  while (open > line && load<u8>(open) != 0x3c) open--;
  if (open == line) return NO_TIME;
  ptr = skipBlanks(ptr, end);
  const digits = ptr;
  let seconds: i64 = 0;
  for (; ptr < end && isDigit(load<u8>(ptr)); ptr++) seconds = seconds * 10 + (load<u8>(ptr) - 0x30);
  if (ptr == digits || ptr - digits > DIGITS_MAX) return NO_TIME;
  ptr = skipBlanks(ptr, end);
  if (end - ptr < 2 || !isDigit(load<u8>(ptr + 1))) return NO_TIME;
  return load<u8>(ptr) == 0x2b || load<u8>(ptr) == 0x2d ? seconds : NO_TIME;
}

/** @returns OK or BAD_COMMIT. A commit without a time that git reads has the time `NO_TIME`. */
export function commitParse(ptr: usize, len: u32): i32 {
  const end = ptr + len;
  if (len < TREE_LINE || load<u32>(ptr) != 0x65657274 || load<u8>(ptr, 4) != 0x20) return Status.BAD_COMMIT;
  if (load<u8>(ptr, TREE_LINE - 1) != 0x0a || !parseOid(ptr + 5, commitTree)) return Status.BAD_COMMIT;
  commitTime = NO_TIME;
  let line = ptr + TREE_LINE;
  while (line < end && load<u8>(line) != 0x0a) {
    let lineEnd = line;
    while (lineEnd < end && load<u8>(lineEnd) != 0x0a) lineEnd++;
    // git takes the last of several lines.
    if (isCommitter(line, lineEnd)) commitTime = parseTime(line, lineEnd);
    line = lineEnd + 1;
  }
  return Status.OK;
}
