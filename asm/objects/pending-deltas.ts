/**
 * Deltas that wait for their bases while `analyze` resolves them. Each is tried once, when its base is known, in whatever
 * order the PACK has them. The deltas of a base follow it at once, while it is in memory.
 *
 *     links, 16 bytes a record:  │ first u32 │ next u32 │ below u32, for a bit 0 and for a bit 1 │
 *
 * `first` is the first ofs-delta of the record's object. `next` is the next delta that waits for this delta's base, or
 * the next that can be resolved. A ref-delta keeps its base's id where its own will be. For each base, one of its
 * ref-deltas is in a digital search tree: at each level another bit of the id leads below. The tree is not deeper than
 * the number of an id's bits, even if an attacker chose the ids.
 *
 * Indices are those of records, plus one; 0 is none.
 */
import { copyOid, oidBit, sameOid } from "../base/bytes";
import { heapFree } from "../base/heap";
import { Status } from "../base/status";
import { cacheAlloc } from "./cache";
import { packCount } from "../git/entry";
import { record, recordKind } from "./rebuilt-index";

const LINK: usize = 16;
const NEXT: usize = 4;
const BELOW: usize = 8;
/** The offset in a record of the flag of a ref-delta that waits. */
const WAITS: usize = 33;

/** The tree's root: a link that belongs to no record. */
const root: usize = memory.data(4, 4);
let links: usize = 0;
/** The first delta that can be resolved. */
let ready: u32 = 0;

/** The result of `waitingNext`. */
export let waitingIndex: u32 = 0;

/** Begins for all of the PACK's entries, which have their records. @returns OK, OUT_OF_MEMORY */
export function waitingBegin(): i32 {
  const len = <usize>packCount * LINK;
  links = cacheAlloc(len);
  if (!links) return Status.OUT_OF_MEMORY;
  memory.fill(links, 0, len);
  store<u32>(root, 0);
  ready = 0;
  return Status.OK;
}

function linkOf(number: u32): usize {
  return links + <usize>(number - 1) * LINK;
}

/** The tree's link to a delta that waits for an id, or the empty link where it belongs. */
function placeOf(oid: usize): usize {
  let place = root;
  let bit: u32 = 0;
  while (true) {
    const number = load<u32>(place);
    if (!number) return place;
    const at = record(number - 1);
    // A delta that no longer waits has its own id there, and still leads to others.
    if (load<u8>(at, WAITS) && sameOid(at, oid)) return place;
    place = linkOf(number) + BELOW + (oidBit(oid, bit) << 2);
    bit++;
  }
}

/** Lets a delta wait. @param base the base's record, of an ofs-delta @param baseOid the base's id, of a ref-delta */
export function waitingAdd(index: u32, isRef: bool, base: u32, baseOid: usize): void {
  const link = linkOf(index + 1);
  let before = linkOf(base + 1);
  if (isRef) {
    const at = record(index);
    copyOid(at, baseOid);
    store<u8>(at, 1, WAITS);
    const place = placeOf(at);
    const other = load<u32>(place);
    if (!other) {
      store<u32>(place, index + 1);
      return;
    }
    before = linkOf(other) + NEXT;
  }
  store<u32>(link, load<u32>(before), NEXT);
  store<u32>(before, index + 1);
}

/** Begins with the deltas of objects whose ids are known. */
export function waitingStart(): void {
  for (let index = packCount; index > 0; index--) if (recordKind(index - 1)) waitingAfter(index - 1);
}

/** Moves a list of deltas that waited for one base to those that can be resolved. */
function wake(number: u32): void {
  while (number) {
    const next = linkOf(number) + NEXT;
    store<u8>(record(number - 1), 0, WAITS);
    const other = load<u32>(next);
    store<u32>(next, ready);
    ready = number;
    number = other;
  }
}

/** An object's id is known, and in its record: its deltas can be resolved. */
export function waitingAfter(index: u32): void {
  const first = linkOf(index + 1);
  wake(load<u32>(first));
  wake(load<u32>(placeOf(record(index))));
}

/** @returns whether there is a delta whose base is known; then `waitingIndex` is its record's */
export function waitingNext(): bool {
  if (!ready) return false;
  waitingIndex = ready - 1;
  ready = load<u32>(linkOf(ready), NEXT);
  return true;
}

/** Gives the memory back. */
export function waitingEnd(): void {
  heapFree(links);
}
