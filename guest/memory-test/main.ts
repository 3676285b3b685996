/**
 * Grows its memory until that fails and prints the number of pages. The last page must be usable.
 * Exit status 0, or 1 if it is not.
 */
import { flush, print, printU64 } from "../lib/console";

export function solo5_app_main(): i32 {
  while (memory.grow(1) >= 0) {}
  const last = (<usize>memory.size() << 16) - 8;
  store<u64>(last, 42);
  if (load<u64>(last) != 42 || memory.grow(1) != -1) return 1;
  printU64(memory.size());
  print("\n");
  flush();
  return 0;
}
