/** Tries the clocks and `yield`. Each check that fails has an exit status of its own; 0: all hold. */
import { clock_monotonic, clock_wall, solo5_yield } from "../lib/hypercalls";

const ready: usize = memory.data(8, 8);
const MILLISECOND: u64 = 1000000;
const MARK: u64 = 0x5555555555555555;
/** 2020-01-01, nanoseconds since 1970. */
const PAST: u64 = 1577836800000000000;

export function solo5_app_main(): i32 {
  let last = clock_monotonic();
  for (let i = 0; i < 1000; i++) {
    const now = clock_monotonic();
    if (now < last) return 1;
    last = now;
  }
  if (clock_wall() < PAST) return 2;

  store<u64>(ready, 0xffffffffffffffff);
  const start = clock_monotonic();
  solo5_yield(start + 50 * MILLISECOND, ready);
  const slept = clock_monotonic() - start;
  if (slept < 50 * MILLISECOND) return 3;
  if (slept > 5000 * MILLISECOND) return 4;
  if (load<u64>(ready)) return 5;

  // A deadline that has passed, and no interest in what is ready: nothing is written.
  store<u64>(0, MARK);
  const before = clock_monotonic();
  solo5_yield(0, 0);
  solo5_yield(before, 0);
  if (clock_monotonic() - before > 1000 * MILLISECOND) return 6;
  if (load<u64>(0) != MARK) return 7;
  return 0;
}
