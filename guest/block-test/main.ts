/**
 * Tries the block hypercalls on the devices `storage` and `other`. `storage` has at least 8 KB, and every 512 bytes of it
 * must begin with their number, a u64. Each check that fails has an exit status of its own; 0: all hold.
 */
import { block_acquire, block_read, block_write, EINVAL, OK } from "../lib/hypercalls";

const storage: usize = memory.data<u8>([0x73, 0x74, 0x6f, 0x72, 0x61, 0x67, 0x65]);
const other: usize = memory.data<u8>([0x6f, 0x74, 0x68, 0x65, 0x72]);
const undeclared: usize = memory.data<u8>([0x73, 0x74, 0x6f, 0x72, 0x61, 0x67, 0x65, 0x32]);
/** u64 handle, capacity, block size. */
const info: usize = memory.data(24, 8);
/** Two bytes of margin on both sides of 32 KB: reads must not touch them. */
const margin: usize = memory.data(2 + 32768 + 2, 1);
const buffer: usize = margin + 2;

function holdsNumbers(offset: u64, size: u32): bool {
  for (let at: u32 = 0; at < size; at += 512)
    if (load<u64>(buffer + at) != (offset + at) / 512) return false;
  return true;
}

function marginsHold(size: u32): bool {
  return load<u16>(margin) == 0xaaaa && load<u16>(buffer + size) == 0xaaaa;
}

function acquiring(): i32 {
  if (block_read(0, 0, buffer, 512) != EINVAL) return 1; // not acquired yet
  if (block_acquire(undeclared, 8, info, info + 8) != EINVAL) return 2;
  if (block_acquire(undeclared, 6, info, info + 8) != EINVAL) return 3; // a prefix of a name
  if (block_acquire(undeclared, 0, info, info + 8) != EINVAL) return 4;
  if (block_acquire(storage, 7, info, info + 8) != OK) return 5;
  if (block_acquire(storage, 7, info, info + 8) != EINVAL) return 6; // twice
  if (block_acquire(other, 5, buffer, buffer + 8) != OK) return 7;
  if (load<u64>(buffer) != load<u64>(info) + 1) return 8; // in the manifest's order
  if (block_acquire(other, 5, buffer, buffer + 8) != EINVAL) return 9;
  return 0;
}

function reading(handle: u64, capacity: u64, blockSize: u32): i32 {
  if (blockSize < 512 || blockSize & (blockSize - 1)) return 20;
  if (capacity < 8192 || capacity % blockSize) return 21;
  memory.fill(margin, 0xaa, 32768 + 4);
  if (block_read(handle, 0, buffer, blockSize) != OK) return 22;
  if (!holdsNumbers(0, blockSize) || !marginsHold(blockSize)) return 23;
  if (block_read(handle, capacity - blockSize, buffer, blockSize) != OK) return 24;
  if (!holdsNumbers(capacity - blockSize, blockSize) || !marginsHold(blockSize)) return 25;
  const many = 8192 / blockSize > 1 ? <u32>8192 : blockSize;
  if (block_read(handle, 0, buffer, many) != OK) return 26; // many blocks at once
  if (!holdsNumbers(0, many) || !marginsHold(many)) return 27;
  return 0;
}

/** Reads that break the contract: refused, and not a byte of the buffer changes. */
function refusing(handle: u64, capacity: u64, blockSize: u32): i32 {
  memory.fill(margin, 0x55, 32768 + 4);
  if (block_read(handle, 1, buffer, blockSize) != EINVAL) return 40; // offset unaligned
  if (block_read(handle, blockSize - 1, buffer, blockSize) != EINVAL) return 41;
  if (block_read(handle, 0, buffer, blockSize - 1) != EINVAL) return 42; // size unaligned
  if (block_read(handle, 0, buffer, blockSize + 1) != EINVAL) return 43;
  if (block_read(handle, 0, buffer, 0) != EINVAL) return 44;
  if (block_read(handle, capacity, buffer, blockSize) != EINVAL) return 45; // past the end
  if (block_read(handle, capacity - blockSize, buffer, 2 * blockSize) != EINVAL) return 46; // over the end
  if (block_read(handle, <u64>0 - blockSize, buffer, blockSize) != EINVAL) return 47;
  if (block_read(handle, <u64>0 - blockSize, buffer, 2 * blockSize) != EINVAL) return 48; // wraps
  if (block_read(handle, 1 << 63, buffer, blockSize) != EINVAL) return 49;
  if (block_read(handle + 2, 0, buffer, blockSize) != EINVAL) return 50; // no such handle
  if (block_read(handle - 1, 0, buffer, blockSize) != EINVAL) return 51;
  if (block_read(handle | (1 << 32), 0, buffer, blockSize) != EINVAL) return 52;
  if (block_write(handle, 0, buffer, blockSize) != EINVAL) return 53; // read-only
  for (let at: usize = 0; at < 32768 + 4; at++) if (load<u8>(margin + at) != 0x55) return 54;
  return 0;
}

export function solo5_app_main(): i32 {
  let failed = acquiring();
  const handle = load<u64>(info);
  const capacity = load<u64>(info, 8);
  const blockSize = load<u64>(info, 16);
  if (handle != 0) return 10; // its index in the manifest
  if (!failed) failed = reading(handle, capacity, <u32>blockSize);
  if (!failed) failed = refusing(handle, capacity, <u32>blockSize);
  return failed;
}
