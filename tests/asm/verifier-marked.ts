/**
 * The verifier, but for what it calls part of a collision attack: objects that begin with "marked object", and packs
 * in which "marked pack" stands. No published collision begins as git's objects do: this shows what becomes of one.
 */
import { objectId as idOf, packEnd as endOf, packUpdate as add } from "../../asm/verifier";
export { alloc, crc32, deltaOpen, deltaRun, deltaSize, free, inflateBegin, inflateRun, inflateTaken, init, packBegin, rankOf, setTable, streamBegin, streamId, streamRun, treeScan, work } from "../../asm/verifier";

let isMarked = false;

export function objectId(kind: u32, ptr: usize, size: u32, to: usize): bool {
  const isCollision = idOf(kind, ptr, size, to);
  if (size < 13) return isCollision;
  return isCollision || (load<u64>(ptr) == 0x6f20_6465_6b72_616d && load<u32>(ptr, 8) == 0x63656a62);
}

export function packUpdate(ptr: usize, len: u32): void {
  add(ptr, len);
  for (let at = ptr; at + 11 <= ptr + len; at++) {
    if (load<u64>(at) == 0x7020_6465_6b72_616d && load<u16>(at, 8) == 0x6361) isMarked = true;
  }
}

export function packEnd(to: usize): bool {
  return endOf(to) || isMarked;
}
