/**
 * Deltas that wait for their bases while `analyze` resolves them: each is tried once, when its base is known, in whatever
 * order the PACK has them. What hangs on a base follows it at once, while it is in memory.
 *
 *     links, 8 bytes a record:  │ first u32: the ofs-deltas that it is the base of │ next u32: beside it, or behind it among those that can be resolved │
 *     refs, 24 bytes a ref-delta, sorted:  │ the base's id 20 │ the delta's index u32 │
 *
 * Indices are those of records, plus one; 0 is none.
 */
import { compareOid, copyOid } from "../bytes";
import { heapFree } from "../heap";
import { Status } from "../status";
import { cacheAlloc } from "./cache";
import { packCount } from "./pack";
import { record, recordKind } from "./table";

const LINK: usize = 8;
const REF: usize = 24;
/** Where a record says what waits in it: a delta of `REF_DELTA` or `OFS_DELTA`; 0 once it need not wait, or for what is none. */
const STATE: usize = 33;
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

let links: usize = 0;
let refs: usize = 0;
let refCount: u32 = 0;
/** The first of those that can be resolved. */
let ready: u32 = 0;

/** What `waitingNext` found. */
export let waitingIndex: u32 = 0;

export function waitingInit(): void {
  links = refs = 0;
  refCount = 0;
  ready = 0;
}

/** Notes a delta's base in its record, where its id will be: the base's id, or its index. */
export function waitingAdd(index: u32, isRef: bool, base: u32, baseOid: usize): void {
  const at = record(index);
  store<u8>(at, isRef ? REF_DELTA : OFS_DELTA, STATE);
  if (isRef) {
    copyOid(at, baseOid);
    refCount++;
  } else store<u32>(at, base);
}

// @ts-ignore: decorator
@inline
function stateOf(index: u32): u8 {
  return load<u8>(record(index), STATE);
}

/** Links all deltas to their bases. @returns OK, OUT_OF_MEMORY */
export function waitingBegin(): i32 {
  const linksLen = <u64>packCount * LINK;
  const refsLen = <u64>refCount * REF;
  if (linksLen > 0x7fff0000 || refsLen > 0x7fff0000) return Status.OUT_OF_MEMORY;
  links = cacheAlloc(max<usize>(<usize>linksLen, LINK));
  refs = cacheAlloc(max<usize>(<usize>refsLen, REF));
  if (!links || !refs) return Status.OUT_OF_MEMORY;
  memory.fill(links, 0, <usize>linksLen);
  let ref = refs;
  for (let index: u32 = 0; index < packCount; index++) {
    const state = stateOf(index);
    if (state == REF_DELTA) {
      copyOid(ref, record(index));
      store<u32>(ref, index + 1, 20);
      ref += REF;
    } else if (state == OFS_DELTA) {
      const base = links + <usize>load<u32>(record(index)) * LINK;
      store<u32>(links + <usize>index * LINK, load<u32>(base), 4);
      store<u32>(base, index + 1);
    }
  }
  sort();
  for (let index = packCount; index > 0; index--) if (recordKind(index - 1)) waitingAfter(index - 1);
  return Status.OK;
}

/** Sorts `refs` by heap: in place, and in the same time whatever they are. */
function sort(): void {
  for (let root = refCount >> 1; root > 0; root--) sift(root - 1, refCount);
  for (let end = refCount; end > 1; end--) {
    swap(refs, refs + <usize>(end - 1) * REF);
    sift(0, end - 1);
  }
}

function sift(root: u32, end: u32): void {
  while (true) {
    let child = root * 2 + 1;
    if (child >= end) return;
    const left = refs + <usize>child * REF;
    if (child + 1 < end && compareOid(left, left + REF) < 0) child++;
    const parent = refs + <usize>root * REF;
    const larger = refs + <usize>child * REF;
    if (compareOid(parent, larger) >= 0) return;
    swap(parent, larger);
    root = child;
  }
}

function swap(a: usize, b: usize): void {
  for (let at: usize = 0; at < REF; at += 8) {
    const word = load<u64>(a + at);
    store<u64>(a + at, load<u64>(b + at));
    store<u64>(b + at, word);
  }
}

function wake(index: u32): void {
  // An object that is there twice must not wake what hangs on it twice.
  if (!stateOf(index)) return;
  store<u8>(record(index), 0, STATE);
  store<u32>(links + <usize>index * LINK, ready, 4);
  ready = index + 1;
}

/** An object's id is known, and in its record: what hangs on it can be resolved. */
export function waitingAfter(index: u32): void {
  let child = load<u32>(links + <usize>index * LINK);
  while (child) {
    const beside = load<u32>(links + <usize>(child - 1) * LINK, 4);
    wake(child - 1);
    child = beside;
  }
  const oid = record(index);
  let low: u32 = 0;
  let high = refCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareOid(refs + <usize>middle * REF, oid) < 0) low = middle + 1;
    else high = middle;
  }
  for (; low < refCount && compareOid(refs + <usize>low * REF, oid) == 0; low++)
    wake(load<u32>(refs + <usize>low * REF, 20) - 1);
}

/** @returns whether there is a delta whose base is known; then `waitingIndex` is its record's */
export function waitingNext(): bool {
  if (!ready) return false;
  waitingIndex = ready - 1;
  ready = load<u32>(links + <usize>waitingIndex * LINK, 4);
  return true;
}

/** Gives the memory back. */
export function waitingEnd(): void {
  heapFree(links);
  heapFree(refs);
  links = refs = 0;
}
