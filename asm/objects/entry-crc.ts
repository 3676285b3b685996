/**
 * The CRC-32s of entries, by their offsets: the IDX has them by ids, and a delta knows its base by its offset
 * alone. They are read when the image is mounted, for those who ask for them.
 *
 *     a slot, 12 bytes:  │ offset u64, from the PACK's start; 0 free │ CRC-32 u32 │
 *
 * Open addressing, four fifths full. Where offsets were chosen to fall near each other, they do not all step the same way:
 * steps are powers of two, the number of slots is odd.
 */
import { blockPeek, blockRelease, blockStatus } from "../device/sector-cache";
import { loadBE32 } from "../base/bytes";
import { crc32 } from "../checksum/crc32";
import { Status } from "../base/status";
import { cacheAlloc } from "./cache";
import { idxAhead, idxCrc, idxEntry, idxOffset } from "../git/idx";
import { PACK_START, packCount } from "../git/entry";
import { record, recordOffset, tableActive } from "./rebuilt-index";

const SLOT: usize = 12;
/** Bits of a hash that are how far to step, as a power of two. */
const STEPS: u32 = 7;
/** Entries whose part of the index is asked for at once. */
const AHEAD: u32 = 4096;

let slots: usize = 0;
let slotCount: u32 = 0;
let done: u32 = 0;

/** The CRC-32 of the entry that is being read, as far as it has been. */
export let entryCrc: u32 = 0;

export function crcInit(): void {
  slots = 0;
  done = 0;
}

/** The slot of an offset: its own, or the free one where it would be. */
function slotOf(offset: u64): usize {
  const mixed = <u32>offset * 0x9e3779b1;
  let index = <u32>((<u64>mixed * slotCount) >> 32);
  while (true) {
    const slot = slots + <usize>index * SLOT;
    const found = load<u64>(slot);
    if (found == offset || found == 0) return slot;
    index += 1 << (mixed & STEPS);
    if (index >= slotCount) index -= slotCount;
  }
}

/**
 * Reads the CRC-32s of all entries, after AGAIN from where it stopped.
 * @returns OK, AGAIN, OUT_OF_MEMORY, BAD_IDX also where two objects are said to be one entry, or what the IDX
 *   returns
 */
export function crcLoad(): i32 {
  if (!slots) {
    const wanted = (<u64>packCount + (packCount >> 2) + (1 << STEPS)) | 1;
    if (wanted * SLOT > 0x7fff0000) return Status.OUT_OF_MEMORY;
    slotCount = <u32>wanted;
    slots = cacheAlloc(<usize>slotCount * SLOT);
    if (!slots) return Status.OUT_OF_MEMORY;
    memory.fill(slots, 0, <usize>slotCount * SLOT);
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
    const slot = slotOf(offset);
    if (load<u64>(slot)) return Status.BAD_IDX;
    store<u64>(slot, offset);
    store<u32>(slot, crc, 8);
  }
  return Status.OK;
}

/**
 * Begins an entry's CRC-32 with its header, which `readEntry` has just read.
 * @param data the absolute offset of what follows the header
 * @returns OK or the device's status
 */
export function crcBegin(offset: u64, data: u64): i32 {
  const len = <u32>(data - PACK_START - offset);
  const ptr = blockPeek(offset + PACK_START, len);
  if (!ptr) return blockStatus;
  entryCrc = crc32(0, ptr, len);
  return Status.OK;
}

/** Goes on with an entry whose header has been counted. */
export function crcResume(crc: u32): void {
  entryCrc = crc;
}

/** Counts bytes of the entry's stream. */
export function crcUpdate(ptr: usize, len: usize): void {
  entryCrc = crc32(entryCrc, ptr, len);
}

/**
 * Whether the entry, now read to its end, is what the index says.
 * @returns OK, CRC_MISMATCH, or BAD_BASE where no entry begins
 */
export function crcCheck(offset: u64): i32 {
  // While the index is being rebuilt there is nothing to compare with.
  if (done < packCount) return Status.OK;
  const slot = slotOf(offset);
  if (!load<u64>(slot)) return Status.BAD_BASE;
  return load<u32>(slot, 8) == entryCrc ? Status.OK : Status.CRC_MISMATCH;
}
