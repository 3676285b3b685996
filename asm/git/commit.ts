/** Commit objects: the root tree and the committer's time. */
import { Status } from "../base/status";

const TREE_LINE: u32 = 46; // "tree ", 40 digits, a line feed

/** What `commitParse` found: the root tree's id, 20 bytes, and the committer's time in seconds since 1970. */
export const commitTree: usize = memory.data(20, 8);
export let commitTime: i64 = 0;

function hexDigit(char: u32): u32 {
  if (char - 0x30 < 10) return char - 0x30;
  if (char - 0x61 < 6) return char - 0x61 + 10;
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

/** The seconds before the last space of a line "committer NAME <EMAIL> SECONDS ZONE"; 0 where it has none. */
function parseTime(line: usize, end: usize): i64 {
  let ptr = end;
  while (ptr > line && load<u8>(ptr - 1) != 0x20) ptr--;
  if (ptr == line) return 0;
  const digitsEnd = --ptr;
  while (ptr > line && <u32>load<u8>(ptr - 1) - 0x30 < 10) ptr--;
  if (digitsEnd - ptr > 18) return 0;
  const negative = ptr > line && load<u8>(ptr - 1) == 0x2d;
  let seconds: i64 = 0;
  for (; ptr < digitsEnd; ptr++) seconds = seconds * 10 + (load<u8>(ptr) - 0x30);
  return negative ? -seconds : seconds;
}

/** @returns OK or BAD_COMMIT. A commit without a readable time has the time 0. */
export function commitParse(ptr: usize, len: u32): i32 {
  const end = ptr + len;
  if (len < TREE_LINE || load<u32>(ptr) != 0x65657274 || load<u8>(ptr, 4) != 0x20) return Status.BAD_COMMIT;
  if (load<u8>(ptr, TREE_LINE - 1) != 0x0a || !parseOid(ptr + 5, commitTree)) return Status.BAD_COMMIT;
  commitTime = 0;
  let line = ptr + TREE_LINE;
  while (line < end && load<u8>(line) != 0x0a) {
    let lineEnd = line;
    while (lineEnd < end && load<u8>(lineEnd) != 0x0a) lineEnd++;
    if (isCommitter(line, lineEnd)) {
      commitTime = parseTime(line, lineEnd);
      break;
    }
    line = lineEnd + 1;
  }
  return Status.OK;
}
