/**
 * Passes pointers and lengths outside the guest's memory to every hypercall that takes one. A result must be EINVAL, and
 * no change may be made by halves. Each check that fails has an exit status of its own; 0: all hold.
 */
import {
  block_acquire,
  block_read,
  block_write,
  cmdline_read,
  cmdline_size,
  console_write,
  EINVAL,
  OK,
  solo5_yield,
} from "../lib/hypercalls";

const name: usize = memory.data<u8>([0x73, 0x74, 0x6f, 0x72, 0x61, 0x67, 0x65]);
const info: usize = memory.data(24, 8);
const TOP: u32 = 0xffffffff;

function end(): u32 {
  return <u32>memory.size() << 16;
}

function acquiring(): i32 {
  if (block_acquire(TOP, 7, info, info + 8) != EINVAL) return 1;
  if (block_acquire(end(), 7, info, info + 8) != EINVAL) return 2;
  if (block_acquire(end() - 6, 7, info, info + 8) != EINVAL) return 3;
  if (block_acquire(name, TOP, info, info + 8) != EINVAL) return 4;
  if (block_acquire(name, 0x80000000, info, info + 8) != EINVAL) return 5;
  if (block_acquire(name, 7, end() - 7, info + 8) != EINVAL) return 6;
  if (block_acquire(name, 7, TOP, info + 8) != EINVAL) return 7;
  if (block_acquire(name, 7, info, end() - 15) != EINVAL) return 8;
  if (block_acquire(name, 7, info, TOP) != EINVAL) return 9;
  // Refused calls have acquired nothing, and written nothing.
  if (load<u64>(info) | load<u64>(info, 8) | load<u64>(info, 16)) return 10;
  if (block_acquire(name, 7, info, info + 8) != OK) return 11;
  return 0;
}

function reading(handle: u64, blockSize: u32): i32 {
  if (block_read(handle, 0, TOP, blockSize) != EINVAL) return 20;
  if (block_read(handle, 0, end(), blockSize) != EINVAL) return 21;
  if (block_read(handle, 0, end() - blockSize + 1, blockSize) != EINVAL) return 22;
  if (block_read(handle, 0, 0x80000000, blockSize) != EINVAL) return 23;
  if (block_read(handle, 0, 0, 0x80000000) != EINVAL) return 24;
  if (block_read(handle, 0, 0, 0 - blockSize) != EINVAL) return 25;
  if (block_read(handle, 0, end() - blockSize, 0 - blockSize) != EINVAL) return 26; // the sum wraps
  if (block_write(handle, 0, TOP, blockSize) != EINVAL) return 27;
  if (block_read(handle, 0, end() - blockSize, blockSize) != OK) return 28; // up to the last byte
  // The view of the memory dies when it grows.
  if (memory.grow(1) < 0) return 29;
  store<u64>(end() - blockSize, 0xaaaaaaaaaaaaaaaa);
  if (block_read(handle, 0, end() - blockSize, blockSize) != OK) return 30;
  if (load<u64>(end() - blockSize) == 0xaaaaaaaaaaaaaaaa) return 31;
  if (memory.grow(0) < 0) return 32;
  if (block_read(handle, 0, end() - blockSize, blockSize) != OK) return 33;
  return 0;
}

/** These hypercalls have no results and must do nothing: the test compares the console. */
function others(): i32 {
  console_write(TOP, 1);
  console_write(end(), 1);
  console_write(end() - 1, 2);
  console_write(name, TOP);
  console_write(name, 0x80000000);
  console_write(TOP, 0);
  console_write(name, 7);
  if (!cmdline_size()) return 40;
  cmdline_read(TOP);
  cmdline_read(end());
  store<u8>(end() - 1, 0x55);
  cmdline_read(end() - 1);
  if (load<u8>(end() - 1) != 0x55) return 41;
  cmdline_read(end() - cmdline_size());
  if (load<u8>(end() - 1) == 0x55) return 42;
  solo5_yield(0, TOP);
  solo5_yield(0, end() - 7);
  solo5_yield(0, 0x80000000);
  return 0;
}

export function solo5_app_main(): i32 {
  let failed = acquiring();
  if (!failed) failed = reading(load<u64>(info), <u32>load<u64>(info, 16));
  if (!failed) failed = others();
  return failed;
}
