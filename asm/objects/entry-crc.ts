/**
 * The CRC-32s of entries, by their offsets: the IDX has them by ids, and a delta knows its base by its offset
 * alone. They are read when the image is mounted, if the user asks for this proof.
 *
 *     a row, 20 bytes:   │ offset u64, from the PACK's start │ CRC-32 u32 │ below u32, for a bit 0 and for a bit 1 │
 *     heads, u32 each:   by the last bits of an offset
 *
 * A head leads to a digital search tree: at each level another bit of the offset leads below. No tree is deeper than
 * the number of an offset's bits, even if an attacker chose the offsets. A link is a row's address; 0 is none.
 */
import { blockPeek, blockRelease, blockStatus } from "../device/sector-cache";
import { loadBE32 } from "../base/bytes";
import { crc32 } from "../checksum/crc32";
import { Status } from "../base/status";
import { cacheAlloc } from "./cache";
import { idxAhead, idxCrc, idxEntry, idxOffset } from "../git/idx";
import { PACK_START, packCount } from "../git/entry";
import { record, recordOffset, tableActive } from "./rebuilt-index";

const ROW: usize = 20;
const BELOW: usize = 12;
/** Entries whose part of the index is asked for at once. */
const AHEAD: u32 = 4096;

let rows: usize = 0;
let heads: usize = 0;
/** The number of heads, as a power of two. */
let headBits: u32 = 0;
let done: u32 = 0;

/** The CRC-32 of an entry's header: the result of `crcHeader`. */
export let headerCrc: u32 = 0;

export function crcInit(): void {
  rows = 0;
  done = 0;
}

/** The address of the link to an offset's row, or of the empty link where it belongs. */
function placeOf(offset: u64): usize {
  let rest = offset >> headBits;
  let place = heads + ((<usize>offset & ((1 << headBits) - 1)) << 2);
  while (true) {
    const row = load<u32>(place);
    if (!row || load<u64>(row) == offset) return place;
    place = row + BELOW + ((<usize>rest & 1) << 2);
    rest >>= 1;
  }
}

/**
 * Reads the CRC-32s of all entries, after AGAIN from where it stopped.
 * @returns OK, AGAIN, OUT_OF_MEMORY, a status of the IDX's functions; BAD_IDX also if the IDX gives one entry to two
 *   objects
 */
export function crcLoad(): i32 {
  if (!rows) {
    headBits = 31 - clz(packCount | 1);
    const len = <u64>packCount * ROW + (4 << headBits);
    if (len > 0x7fff0000) return Status.OUT_OF_MEMORY;
    rows = cacheAlloc(<usize>len);
    if (!rows) return Status.OUT_OF_MEMORY;
    memory.fill(rows, 0, <usize>len);
    heads = rows + packCount * ROW;
  }
  for (; done < packCount; done++) {
    let offset: u64 = 0;
    let crc: u32 = 0;
    if (tableActive) {
      offset = recordOffset(done);
      crc = load<u32>(record(done), 20);
    } else {
      if ((done & (AHEAD - 1)) == 0) idxAhead(done, AHEAD);
      const status = idxEntry(done);
      if (status != Status.OK) return status;
      const ptr = idxCrc(done);
      if (!ptr) return blockStatus;
      offset = idxOffset;
      crc = loadBE32(ptr);
      blockRelease();
    }
    const place = placeOf(offset);
    if (load<u32>(place)) return Status.BAD_IDX;
    const row = rows + done * ROW;
    store<u32>(place, <u32>row);
    store<u64>(row, offset);
    store<u32>(row, crc, 8);
  }
  return Status.OK;
}

/**
 * Counts an entry's header, which `readEntry` has just read.
 * @param data the absolute offset behind the header
 * @returns OK with `headerCrc`, or the device's status
 */
export function crcHeader(offset: u64, data: u64): i32 {
  const len = <u32>(data - PACK_START - offset);
  const ptr = blockPeek(offset + PACK_START, len);
  if (!ptr) return blockStatus;
  headerCrc = crc32(0, ptr, len);
  return Status.OK;
}

/**
 * Compares an entry that has been read to its end with the index.
 * @param crc the CRC-32 of its bytes
 * @returns OK, CRC_MISMATCH, or BAD_BASE if no entry begins there
 */
export function crcCheck(offset: u64, crc: u32): i32 {
  // While the index is being rebuilt there is nothing to compare with.
  if (done < packCount) return Status.OK;
  const row: usize = load<u32>(placeOf(offset));
  if (!row) return Status.BAD_BASE;
  return load<u32>(row, 8) == crc ? Status.OK : Status.CRC_MISMATCH;
}
