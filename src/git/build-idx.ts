import { OID_LEN, type Sha1 } from "./oid.js";
/** Writes a pack's index, version 2 (gitformat-pack, "Version 2 pack-*.idx files"). */

/** The objects of a pack, in any order, as parallel columns: a million of them take 32 MB. */
export interface IdxEntries {
  /** How many rows there are; the columns may be longer. */
  readonly count: number;
  /** 20 bytes a row. */
  readonly oids: Uint8Array;
  /** CRC-32 of each entry's bytes in the pack, header included. */
  readonly crcs: Uint32Array;
  /** Offset of each entry, in bytes from the start of the pack. */
  readonly offsets: Float64Array;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function compareOids(oids: Uint8Array, left: number, right: number): number {
  for (let at = 0; at < OID_LEN; at++) {
    const difference = oids[left * OID_LEN + at]! - oids[right * OID_LEN + at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The rows in the order of their oids. An oid's first four bytes above its row make one 64-bit number, which the engine
 * sorts without calling back; the few that share four bytes are put in order by insertion.
 */
function sortRows({ count, oids }: IdxEntries): Uint32Array {
  const keys = new BigUint64Array(count);
  const halves = new Uint32Array(keys.buffer);
  const high = IS_LITTLE_ENDIAN ? 1 : 0;
  const view = new DataView(oids.buffer, oids.byteOffset, oids.byteLength);
  for (let row = 0; row < count; row++) {
    halves[2 * row + high] = view.getUint32(row * OID_LEN);
    halves[2 * row + 1 - high] = row;
  }
  keys.sort();
  const rows = new Uint32Array(count);
  for (let rank = 0; rank < count; rank++) {
    const row = halves[2 * rank + 1 - high]!;
    let place = rank;
    for (; place > 0; place--) {
      const order = compareOids(oids, rows[place - 1]!, row);
      if (order === 0) throw new RangeError("an object is twice in the pack");
      if (order < 0) break;
      rows[place] = rows[place - 1]!;
    }
    rows[place] = row;
  }
  return rows;
}

/**
 * Encodes an index, byte for byte as `git index-pack` does.
 *
 * ```
 *    0  "\377tOc", version 2
 *    8  fanout: 256 × u32, how many oids begin with a byte up to this one
 * 1032  oids, 20 bytes each, ascending
 *       CRC-32s, u32 each
 *       offsets, u32 each; from 2^31 on: 0x80000000 | row of the next table
 *       offsets of 2^31 and more, u64 each
 *       SHA-1 of the pack, SHA-1 of all above
 * ```
 *
 * @param entries every object of the pack once
 * @param packTrailer the pack's last 20 bytes
 * @param hash takes the index
 * @throws RangeError where an oid occurs twice
 */
export function buildIdx(entries: IdxEntries, packTrailer: Uint8Array, hash: Sha1): Uint8Array {
  const { count, oids, crcs, offsets } = entries;
  const rows = sortRows(entries);
  let largeCount = 0;
  for (let row = 0; row < count; row++) if (offsets[row]! >= 0x80000000) largeCount++;

  const oidsAt = 8 + 256 * 4;
  const crcsAt = oidsAt + count * OID_LEN;
  const offsetsAt = crcsAt + count * 4;
  const largeAt = offsetsAt + count * 4;
  const trailerAt = largeAt + largeCount * 8;
  const idx = new Uint8Array(trailerAt + 2 * OID_LEN);
  const view = new DataView(idx.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);

  const fanout = new Uint32Array(256);
  let large = 0;
  for (let rank = 0; rank < count; rank++) {
    const row = rows[rank]!;
    const offset = offsets[row]!;
    fanout[oids[row * OID_LEN]!]!++;
    idx.set(oids.subarray(row * OID_LEN, (row + 1) * OID_LEN), oidsAt + rank * OID_LEN);
    view.setUint32(crcsAt + rank * 4, crcs[row]!);
    if (offset < 0x80000000) {
      view.setUint32(offsetsAt + rank * 4, offset);
    } else {
      view.setUint32(offsetsAt + rank * 4, 0x80000000 + large);
      view.setBigUint64(largeAt + large * 8, BigInt(offset));
      large++;
    }
  }
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    sum += fanout[byte]!;
    view.setUint32(8 + byte * 4, sum);
  }
  idx.set(packTrailer, trailerAt);
  hash.update(idx.subarray(0, -OID_LEN));
  idx.set(hash.digest(), trailerAt + OID_LEN);
  return idx;
}
