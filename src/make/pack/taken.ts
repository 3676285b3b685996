/** The entries that a pack takes from an earlier image, by the numbers of their objects. */
import { NO_BASE } from "./bases.js";
import type { Surveyed } from "./object-table.js";
import type { Reuse } from "./reuse.js";

/** See the file's head. */
export interface Taken {
  /** The numbers of the entries, or -1. */
  entries: Int32Array;
  /** Their bases, or `NO_BASE`. */
  bases: Int32Array;
  /** `NO_BASE` for objects that still need an entry; any other number for those that are taken. */
  chosen: Int32Array;
  /** How many are taken, and whether these are all objects of the pack. */
  count: number;
  isAll: boolean;
}

/** @param numbers the objects of the pack, each once */
export function takeEntries(numbers: Uint32Array, surveyed: Surveyed, reuse: Reuse): Taken {
  const { count } = surveyed;
  const entries = new Int32Array(count).fill(-1);
  const bases = new Int32Array(count).fill(NO_BASE);
  const chosen = new Int32Array(count).fill(NO_BASE);
  const numberOf = new Int32Array(reuse.old.count).fill(-1);
  let taken = 0;
  for (const number of numbers) {
    const entry = surveyed.entries[number]!;
    if (entry < 0) continue;
    entries[number] = entry;
    numberOf[entry] = number;
    chosen[number] = number;
    taken++;
  }
  for (const number of numbers) {
    const base = entries[number]! < 0 ? -1 : reuse.baseOf(entries[number]!);
    if (base >= 0) bases[number] = numberOf[base]!;
  }
  return { entries, bases, chosen, count: taken, isAll: taken === numbers.length };
}
