/**
 * The IDX, version 2 (gitformat-pack, "Version 2 pack-*.idx files"), read through the sector cache:
 *
 *     magic, version │ fanout 256 × u32 │ oids n × 20 │ CRC-32s n × u32 │ offsets n × u32 │ large offsets u64 … │ pack SHA-1 │ idx SHA-1
 *
 * The fanout is proven sound when the image is opened. The rest is checked where it is used: an index larger
 * than memory cannot be proven at open.
 */
import { blockCapacity, blockPeek, blockRelease, blockRequest, blockStatus } from "../device/sector-cache";
import { compareOid, loadBE32, loadBE64 } from "../base/bytes";
import { Status } from "../base/status";
import { isEntryOffset } from "./entry";

const OIDS: u64 = 8 + 1024;
const TRAILERS: u64 = 40;
const OID: u64 = 20;
/** Guesses by interpolation before the search falls back on halving: a sound index needs one or two. */
const GUESSES: u32 = 4;
/** Objects on either side of a guess whose ids or offsets are asked for ahead. */
const AROUND: u32 = 256;

/** A copy of the fanout, in the host's byte order. */
const fanout: usize = memory.data(1024, 8);

let idxStart: u64 = 0;
let fanoutRead: u32 = 0;

/** The number of objects. */
export let idxCount: u32 = 0;
/** The offset that `idxFind` or `idxEntry` found, from the PACK's start. */
export let idxOffset: u64 = 0;

/** Puts an offset that another index has found in its place. */
// @ts-ignore: decorator
@inline
export function setIdxOffset(offset: u64): void {
  idxOffset = offset;
}

/** Begins to open the IDX at an absolute offset of the image. */
export function idxAttach(start: u64): void {
  idxStart = start;
  fanoutRead = 0;
  idxCount = 0;
}

/**
 * Reads and checks the IDX's header and fanout. May be called again after AGAIN.
 * @returns OK, BAD_IDX, TRUNCATED or the device's status
 */
export function idxOpen(): i32 {
  const head = blockPeek(idxStart, 8);
  if (!head) return blockStatus;
  if (loadBE32(head) != 0xff744f63 || loadBE32(head + 4) != 2) return Status.BAD_IDX;
  while (fanoutRead < 256) {
    const ptr = blockPeek(idxStart + 8 + (fanoutRead << 2), 64);
    if (!ptr) return blockStatus;
    for (let i: u32 = 0; i < 64; i += 4) {
      const count = loadBE32(ptr + i);
      if (count < idxCount) return Status.BAD_IDX;
      idxCount = count;
      store<u32>(fanout + (fanoutRead << 2), count);
      fanoutRead++;
    }
    blockRelease();
  }
  if (idxStart + OIDS + <u64>idxCount * 28 + TRAILERS > blockCapacity()) return Status.TRUNCATED;
  return Status.OK;
}

/** The absolute offset of the table of offsets in an index of that many objects. */
// @ts-ignore: decorator
@inline
function offsetsStart(count: u32): u64 {
  return idxStart + OIDS + <u64>count * 24;
}

/**
 * While the fanout is on its way: asks for the ids and offsets around the place where one is likely to be.
 * @param oid 20 bytes
 * @param count the number of objects that the PACK announces
 */
export function idxGuess(oid: usize, count: u32): void {
  const guess = <u32>((<u64>loadBE32(oid) * count) >> 32);
  const first = guess - min<u32>(guess, AROUND);
  const most = min<u32>(count - first, AROUND << 1);
  blockRequest(idxStart + OIDS + <u64>first * OID, <u64>most * OID);
  blockRequest(offsetsStart(count) + (<u64>first << 2), <u64>most << 2);
}

// @ts-ignore: decorator
@inline
function oidAt(position: u32): usize {
  return blockPeek(idxStart + OIDS + <u64>position * OID, <u32>OID);
}

/** Asks for the offsets of the objects from `low` to `high` that lie around a guess: the one that is wanted is near. */
function requestOffsets(low: u32, guess: u32, high: u32): void {
  const first = guess - min<u32>(guess - low, AROUND);
  blockRequest(offsetsStart(idxCount) + (<u64>first << 2), <u64>min<u32>(high - first, AROUND << 1) << 2);
}

/**
 * Finds an object by its id: interpolation within the fanout's bucket, as ids are uniformly distributed.
 * @param oid 20 bytes
 * @returns OK with `idxOffset`, MISSING_OBJECT, BAD_IDX, TRUNCATED or the device's status
 */
export function idxFind(oid: usize): i32 {
  const first = load<u8>(oid);
  let low: u32 = first ? load<u32>(fanout + ((<u32>first - 1) << 2)) : 0;
  let high = load<u32>(fanout + (<u32>first << 2));
  // Ids of the bucket spread over 56 bits behind their first byte; 32 of them place a guess.
  const wanted: u64 = loadBE32(oid + 1);
  let lowKey: u64 = 0;
  let highKey: u64 = 0x100000000;
  for (let round: u32 = 0; low < high; round++) {
    let middle = low + ((high - low) >> 1);
    if (round < GUESSES && wanted >= lowKey && wanted < highKey) {
      middle = low + <u32>(((wanted - lowKey) * (high - low)) / (highKey - lowKey));
    }
    const ptr = oidAt(middle);
    if (!ptr) {
      if (blockStatus == Status.AGAIN) requestOffsets(low, middle, high);
      return blockStatus;
    }
    const order = compareOid(ptr, oid);
    if (order == 0) return idxEntry(middle);
    const key: u64 = loadBE32(ptr + 1);
    if (order < 0) {
      low = middle + 1;
      lowKey = key;
    } else {
      high = middle;
      highKey = key + 1;
    }
  }
  return Status.MISSING_OBJECT;
}

/**
 * @param position below `idxCount`
 * @returns OK with `idxOffset`, BAD_IDX, TRUNCATED or the device's status
 */
export function idxEntry(position: u32): i32 {
  const offsets = offsetsStart(idxCount);
  const ptr = blockPeek(offsets + (<u64>position << 2), 4);
  if (!ptr) return blockStatus;
  let offset: u64 = loadBE32(ptr);
  if (offset & 0x80000000) {
    const large = offsets + (<u64>idxCount << 2) + ((offset & 0x7fffffff) << 3);
    if (large + 8 + TRAILERS > blockCapacity()) return Status.BAD_IDX;
    const wide = blockPeek(large, 8);
    if (!wide) return blockStatus;
    offset = loadBE64(wide);
  }
  if (!isEntryOffset(offset)) return Status.BAD_IDX;
  idxOffset = offset;
  return Status.OK;
}

/** @returns a pointer to the id at a position below `packCount`, 20 bytes; 0 with `blockStatus` set */
export function idxOid(position: u32): usize {
  return oidAt(position);
}

/** @returns a pointer to the CRC-32 (big-endian) at a position below `idxCount`; 0 with `blockStatus` set */
export function idxCrc(position: u32): usize {
  return blockPeek(idxStart + OIDS + <u64>idxCount * OID + (<u64>position << 2), 4);
}

/** Asks for the CRC-32s and the offsets of `count` objects from a position on. */
export function idxAhead(position: u32, count: u32): void {
  const crcs = idxStart + OIDS + <u64>idxCount * OID + (<u64>position << 2);
  blockRequest(crcs, <u64>count << 2);
  blockRequest(crcs + (<u64>idxCount << 2), <u64>count << 2);
}
