/** Every hypercall as it is, for the guests that try them out. */

// @ts-ignore: decorator
@external("solo5", "console_write")
export declare function console_write(buf: u32, size: u32): void;
// @ts-ignore: decorator
@external("solo5", "block_acquire")
export declare function block_acquire(name: u32, nameLen: u32, handleOut: u32, infoOut: u32): i32;
// @ts-ignore: decorator
@external("solo5", "block_read")
export declare function block_read(handle: u64, offset: u64, buf: u32, size: u32): i32;
// @ts-ignore: decorator
@external("solo5", "block_write")
export declare function block_write(handle: u64, offset: u64, buf: u32, size: u32): i32;
// @ts-ignore: decorator
@external("solo5", "clock_monotonic")
export declare function clock_monotonic(): u64;
// @ts-ignore: decorator
@external("solo5", "clock_wall")
export declare function clock_wall(): u64;
// @ts-ignore: decorator
@external("solo5", "yield")
export declare function solo5_yield(deadline: u64, readyOut: u32): void;
// @ts-ignore: decorator
@external("solo5", "cmdline_size")
export declare function cmdline_size(): u32;
// @ts-ignore: decorator
@external("solo5", "cmdline_read")
export declare function cmdline_read(buf: u32): void;
// @ts-ignore: decorator
@external("solo5", "exit")
export declare function solo5_exit(status: i32): void;
// @ts-ignore: decorator
@external("solo5", "abort")
export declare function solo5_abort(): void;

/** Results. */
export const OK: i32 = 0;
export const EINVAL: i32 = 2;
export const EUNSPEC: i32 = 3;
