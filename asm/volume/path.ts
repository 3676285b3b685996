/**
 * Paths: byte strings, `/` between names. Library and guest share this definition. The functions make the key of the
 * running operation.
 */
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { here } from "./operation";

/** The depth of the key before a name is appended. `pathClear` and `pathTruncate` set it. */
let depth: u32 = 0;

export function pathClear(): void {
  here().keyLen = 0;
  depth = 0;
}

/** Cuts the key to its first `len` bytes, which end at a name's end. */
export function pathTruncate(len: u32): void {
  const operation = here();
  const key = operation.key;
  operation.keyLen = len;
  depth = len ? 1 : 0;
  for (let i: u32 = 0; i < len; i++) if (load<u8>(key + i) == 0x2f) depth++;
}

function pop(): void {
  if (depth == 0) return;
  depth--;
  const operation = here();
  const key = operation.key;
  let len = operation.keyLen;
  while (len > 0 && load<u8>(key + --len) != 0x2f) {}
  operation.keyLen = len;
}

function push(name: usize, len: u32): i32 {
  const operation = here();
  const start = operation.keyLen ? operation.keyLen + 1 : 0;
  if (start + len > Limit.PATH || len > Limit.NAME) return Status.PATH_TOO_LONG;
  if (++depth > Limit.TREE_DEPTH) return Status.TREE_TOO_DEEP;
  const target = operation.key + start;
  if (start) store<u8>(target - 1, 0x2f);
  memory.copy(target, name, len);
  operation.keyLen = start + len;
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
