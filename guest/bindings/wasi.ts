/** The platform of a guest, over WASI preview 1: the names of `solo5.ts`, which it stands in for. */
import { Status } from "../../asm/base/status";
import { count } from "./manifest";
import { end, preadAll, writeAll } from "./wasi-preview1";
import { cannotWrite, cmdline, cmdlineSize, deviceAt, deviceIndex } from "./wasi-tender";

/** The results of `blockAcquire`: the handle, and sizes in bytes. */
export let blockHandle: u64 = 0;
export let blockCapacity: u64 = 0;
export let blockSize: u64 = 0;

/** Raw bytes to the console. If they cannot be written, the program ends: its output must not have holes. */
export function consoleWrite(ptr: usize, len: u32): void {
  const errno = writeAll(1, ptr, len);
  if (errno) cannotWrite(errno);
}

/**
 * Acquires a device of the manifest, once.
 * @returns Status: OK, and the results are in `blockHandle`, `blockCapacity` and `blockSize`; or EINVAL
 */
export function blockAcquire(namePtr: usize, nameLen: u32): i32 {
  const index = deviceIndex(namePtr, nameLen);
  if (index == count) return Status.EINVAL;
  const device = deviceAt(index);
  if (device.acquired) return Status.EINVAL;
  device.acquired = 1;
  blockHandle = index;
  blockCapacity = device.capacity;
  blockSize = device.blockSize;
  return Status.OK;
}

/** The hypercall `block_read`, by its contract. */
export function blockRead(handle: u64, offset: u64, buf: usize, size: usize): i32 {
  if (handle >= count) return Status.EINVAL;
  const device = deviceAt(<u32>handle);
  const mask: u64 = device.blockSize - 1;
  if (!device.acquired || !size || (offset | size) & mask) return Status.EINVAL;
  if (offset >= device.capacity || size > device.capacity - offset) return Status.EINVAL;
  if (<u64>buf + size > <u64>memory.size() << 16) return Status.EINVAL;
  return preadAll(device.fd, buf, size, offset) ? Status.OK : Status.EUNSPEC;
}

/** Bytes of the command line, at most 8192. */
export function cmdlineLen(): u32 {
  return cmdlineSize;
}

/** Copies the command line, `cmdlineLen` bytes of UTF-8. */
export function cmdlineRead(buf: usize): void {
  memory.copy(buf, cmdline, cmdlineSize);
}

/** Ends the program. Success is a plain return, which no runtime takes for a failure. */
export function exit(status: i32): void {
  if (status & 255) end(status & 255);
}
