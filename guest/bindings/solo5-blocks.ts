/** Block devices of a guest, over Solo5's hypercalls (docs/ABI.md). */
namespace solo5 {
  // @ts-ignore: decorator
  @external("solo5", "block_acquire")
  export declare function block_acquire(name: usize, nameLen: u32, handleOut: usize, infoOut: usize): i32;
}

/** u64 handle, u64 capacity, u64 block size. */
const info: usize = memory.data(24, 8);

/** The results of `blockAcquire`: the handle, and sizes in bytes. */
export let blockHandle: u64 = 0;
export let blockCapacity: u64 = 0;
export let blockSize: u64 = 0;

/**
 * Acquires a device of the manifest, once.
 * @returns Status: OK, and the results are in `blockHandle`, `blockCapacity` and `blockSize`; or EINVAL
 */
export function blockAcquire(namePtr: usize, nameLen: u32): i32 {
  const result = solo5.block_acquire(namePtr, nameLen, info, info + 8);
  if (result) return result;
  blockHandle = load<u64>(info);
  blockCapacity = load<u64>(info, 8);
  blockSize = load<u64>(info, 16);
  return result;
}
