/**
 * The one hypercall that the core makes (docs/ABI.md; Solo5's `solo5_block_read`). A guest for another host
 * links another file in the place of this one: see `tools/build/build.ts`.
 */
// @ts-ignore: decorator
@external("solo5", "block_read")
export declare function block_read(handle: u64, offset: u64, buf: usize, size: usize): i32;
