/** Paths: byte strings, `/` between names. One definition for library and guest. */
import { Limit } from "../base/limits";
import { Status } from "../base/status";

/** The path that `pathAppend` made, without slashes at its ends; empty for the root. */
export const pathKey: usize = memory.data(Limit.PATH + 16, 16);
export let pathKeyLen: u32 = 0;

/** Before a component is appended: how deep the key is. */
let depth: u32 = 0;

export function pathClear(): void {
  pathKeyLen = 0;
  depth = 0;
}

/** Cuts the key to its first `len` bytes, which end at a name's end. */
export function pathTruncate(len: u32): void {
  pathKeyLen = len;
  depth = len ? 1 : 0;
  for (let i: u32 = 0; i < len; i++) if (load<u8>(pathKey + i) == 0x2f) depth++;
}

function pop(): void {
  if (depth == 0) return;
  depth--;
  while (pathKeyLen > 0 && load<u8>(pathKey + --pathKeyLen) != 0x2f) {}
}

function push(name: usize, len: u32): i32 {
  const start = pathKeyLen ? pathKeyLen + 1 : 0;
  if (start + len > Limit.PATH || len > Limit.NAME) return Status.PATH_TOO_LONG;
  if (++depth > Limit.TREE_DEPTH) return Status.TREE_TOO_DEEP;
  if (start) store<u8>(pathKey + start - 1, 0x2f);
  memory.copy(pathKey + start, name, len);
  pathKeyLen = start + len;
  return Status.OK;
}

/**
 * Appends a path to the key: empty names and `.` are dropped, `..` takes a name away and stays at the root.
 * @param ptr may not lie in the key itself
 * @returns OK, PATH_TOO_LONG, TREE_TOO_DEEP, or NOT_FOUND for a NUL, which no name holds
 */
export function pathAppend(ptr: usize, len: u32): i32 {
  const end = ptr + len;
  while (ptr < end) {
    let nameEnd = ptr;
    while (nameEnd < end && load<u8>(nameEnd) != 0x2f) {
      if (!load<u8>(nameEnd)) return Status.NOT_FOUND;
      nameEnd++;
    }
    const nameLen = <u32>(nameEnd - ptr);
    if (nameLen == 2 && load<u16>(ptr) == 0x2e2e) {
      pop();
    } else if (nameLen > 0 && !(nameLen == 1 && load<u8>(ptr) == 0x2e)) {
      const status = push(ptr, nameLen);
      if (status != Status.OK) return status;
    }
    ptr = nameEnd + 1;
  }
  return Status.OK;
}
