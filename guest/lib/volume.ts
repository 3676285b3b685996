/** A volume for guests, whose hosts are synchronous: mount, then one file from its first byte to its last. */
import { result, volumeMount as mount, volumeMountBegin, volumeRead, volumeStat } from "../../asm/volume/volume";
import { Entry } from "../../asm/git/tree";
import { Status } from "../../asm/base/status";

/** Bytes asked for at once; a file in memory comes in one piece up to this. */
const PIECE: u32 = 0x100000;

let path: usize = 0;
let pathLen: u32 = 0;
let pathFlags: u32 = 0;
let position: u64 = 0;

/** The last piece. `chunkLen` is 0 at the file's end. */
export let chunkPtr: usize = 0;
export let chunkLen: u32 = 0;

/** A synchronous host that answers AGAIN breaks its contract. */
function settled(status: i32): i32 {
  return status == Status.AGAIN ? Status.EUNSPEC : status;
}

/** The place of the last error: its offset in the image, 0 if it is not known. */
export function errorOffset(): u64 {
  return result().errorOffset;
}

/**
 * @param mode `Mode` of asm/mount
 * @param memoryLimit bytes, 0 for the default
 */
export function volumeMount(handle: u64, capacity: u64, blockSize: u64, mode: u32, memoryLimit: u32): i32 {
  const status = volumeMountBegin(handle, capacity, blockSize, mode, memoryLimit);
  return settled(status == Status.OK ? mount() : status);
}

/**
 * Finds a file and stands before its first byte.
 * @param ptr the path, which must stay where it is while the file is read
 * @param flags `Flag.FOLLOW` to follow symlinks; otherwise a symlink reads as its target's name
 */
export function volumeOpen(ptr: usize, len: u32, flags: u32): i32 {
  path = ptr;
  pathLen = len;
  pathFlags = flags;
  position = 0;
  const status = settled(volumeStat(ptr, len, flags));
  if (status != Status.OK) return status;
  if (result().kind == Entry.TREE) return Status.VALUE_EXPECTED;
  return result().kind == Entry.SUBMODULE ? Status.SUBMODULE : Status.OK;
}

/** The next piece: `chunkPtr`, `chunkLen`. */
export function volumeNext(): i32 {
  const status = settled(volumeRead(path, pathLen, pathFlags, position, PIECE));
  if (status != Status.OK) return status;
  chunkPtr = result().data;
  chunkLen = result().dataLen;
  position += chunkLen;
  return status;
}
