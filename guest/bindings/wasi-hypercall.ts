/** The core's one hypercall, over WASI: stands in for `asm/device/hypercall.ts`. */
import { blockRead } from "./wasi";

// The name is the hypercall's.
export function block_read(handle: u64, offset: u64, buf: usize, size: usize): i32 {
  return blockRead(handle, offset, buf, size);
}
