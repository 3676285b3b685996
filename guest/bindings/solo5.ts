/**
 * The platform of a guest, over Solo5's hypercalls (docs/ABI.md). `wasi.ts` exports the same names over WASI; the build
 * puts it in this file's place.
 */
export { blockAcquire, blockCapacity, blockHandle, blockSize } from "./solo5-blocks";

namespace solo5 {
  // @ts-ignore: decorator
  @external("solo5", "console_write")
  export declare function console_write(buf: usize, size: u32): void;
  // @ts-ignore: decorator
  @external("solo5", "cmdline_size")
  export declare function cmdline_size(): u32;
  // @ts-ignore: decorator
  @external("solo5", "cmdline_read")
  export declare function cmdline_read(buf: usize): void;
}

/** Best effort: raw bytes to the console. */
export function consoleWrite(ptr: usize, len: u32): void {
  solo5.console_write(ptr, len);
}

/** Bytes of the command line, at most 8192. */
export function cmdlineLen(): u32 {
  return solo5.cmdline_size();
}

/** Copies the command line, `cmdlineLen` bytes of UTF-8. */
export function cmdlineRead(buf: usize): void {
  solo5.cmdline_read(buf);
}
