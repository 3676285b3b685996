/** The ids of all objects of the image, in which entries of trees are looked up. */
import { compareOid } from "../base/bytes";

let oids: usize = 0;
const fanout: usize = memory.data(257 * 4, 8);

/**
 * Takes the table.
 * @param table `count` ids of 20 bytes, sorted
 */
export function setTable(table: usize, count: u32): void {
  oids = table;
  let index: u32 = 0;
  for (let first: u32 = 0; first <= 256; first++) {
    while (index < count && <u32>load<u8>(table + index * 20) < first) index++;
    store<u32>(fanout + (first << 2), index);
  }
}

/** @returns the rank of an id in the table, or -1 */
export function rankOf(oid: usize): i32 {
  const slot = fanout + (<usize>load<u8>(oid) << 2);
  let low = load<u32>(slot);
  let high = load<u32>(slot, 4);
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareOid(oids + middle * 20, oid);
    if (order == 0) return <i32>middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}
