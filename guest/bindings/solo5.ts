/**
 * The platform of a guest, over Solo5's hypercalls (docs/ABI.md). `wasi.ts` exports the same names over WASI; the build
 * puts it in this file's place.
 */
namespace solo5 {
  // @ts-ignore: decorator
  @external("solo5", "console_write")
  export declare function console_write(buf: usize, size: u32): void;
  // @ts-ignore: decorator
  @external("solo5", "block_acquire")
  export declare function block_acquire(name: usize, nameLen: u32, handleOut: usize, infoOut: usize): i32;
  // @ts-ignore: decorator
  @external("solo5", "cmdline_size")
  export declare function cmdline_size(): u32;
  // @ts-ignore: decorator
  @external("solo5", "cmdline_read")
  export declare function cmdline_read(buf: usize): void;
}

/** u64 handle, u64 capacity, u64 block size. */
const info: usize = memory.data(24, 8);

/** The results of `blockAcquire`: the handle, and sizes in bytes. */
export let blockHandle: u64 = 0;
export let blockCapacity: u64 = 0;
export let blockSize: u64 = 0;

/** Best effort: raw bytes to the console. */
export function consoleWrite(ptr: usize, len: u32): void {
  solo5.console_write(ptr, len);
}

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

/** Bytes of the command line, at most 8192. */
export function cmdlineLen(): u32 {
  return solo5.cmdline_size();
}

/** Copies the command line, `cmdlineLen` bytes of UTF-8. */
export function cmdlineRead(buf: usize): void {
  solo5.cmdline_read(buf);
}
