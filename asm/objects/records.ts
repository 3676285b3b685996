/**
 * The records of all operations, and how operations wait for each other. An operation that waits has no load under
 * way: no other operation waits for it in turn.
 */
import { OPERATIONS } from "../base/features";
import { Status } from "../base/status";
import { Loading, Phase, loading } from "./loading";

/** Pointers to the records, u32 each, by their numbers; 0 where there is none. */
// @ts-ignore: decorator
@lazy
const records: usize = memory.data(4 * (OPERATIONS + 1), 8);
/** The highest number that a record may have. */
// @ts-ignore: decorator
@lazy
let highest: u32 = 0;

/** Forgets all records. */
export function recordsReset(): void {
  if (OPERATIONS == 1) return;
  memory.fill(records, 0, 4 * (OPERATIONS + 1));
  highest = 0;
}

/** The record of a number up to `OPERATIONS`, or null. */
export function recordOf(number: u32): Loading | null {
  return changetype<Loading | null>(<usize>load<u32>(records + (number << 2)));
}

/** Gives a number its record, or null. @param number from 1 to `OPERATIONS` */
export function recordPut(number: u32, record: Loading | null): void {
  if (OPERATIONS == 1) return;
  store<u32>(records + (number << 2), <u32>changetype<usize>(record));
  highest = max<u32>(highest, number);
}

/** Lets the operation wait for another one. @returns AGAIN */
export function waitFor(number: u32): i32 {
  loading.waitsFor = number;
  return Status.AGAIN;
}

/** The number of another operation that loads the object at an offset; 0 where none does. */
export function loaderOf(offset: u64): u32 {
  if (OPERATIONS == 1) return 0;
  for (let number: u32 = 1; number <= highest; number++) {
    const other = recordOf(number);
    if (other == null || other == loading) continue;
    if (other.phase > Phase.HEAD && other.wanted == offset) return number;
  }
  return 0;
}
