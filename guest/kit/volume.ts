/** The volume for guests of the kit: every operation, with answers that a synchronous tender can give. */
import { Status } from "../../asm/base/status";
import * as volume from "../../asm/volume/volume";

/** A tender is synchronous: one that answers AGAIN breaks its contract. */
function settled(status: i32): i32 {
  return status == Status.AGAIN ? Status.EUNSPEC : status;
}

/**
 * Mounts the image of a device that the guest has acquired. An image that was mounted before is forgotten.
 * @param handle the device's; `capacity` and `blockSize` in bytes, as `block_acquire` wrote them
 * @param mode `Mode` of asm/volume/mount
 * @param memoryLimit bytes that the reader may take; 0 for the default
 * @param proof level of proof, `Proof` of asm/objects/proof
 * @param commit the id of the commit that the image must hold, 20 bytes, or 0
 */
export function volumeMount(
  handle: u64,
  capacity: u64,
  blockSize: u64,
  mode: u32 = 0,
  memoryLimit: u32 = 0,
  proof: u32 = 0,
  commit: usize = 0,
): i32 {
  let status = volume.volumeMountBegin(handle, capacity, blockSize, mode, memoryLimit);
  if (status == Status.OK && (proof || commit)) status = volume.volumeProve(proof, commit);
  return settled(status == Status.OK ? volume.volumeMount() : status);
}

/** See `volumeStat` of asm/volume/volume. */
export function volumeStat(path: usize, len: u32, flags: u32): i32 {
  return settled(volume.volumeStat(path, len, flags));
}

/** See `volumeList` of asm/volume/volume. */
export function volumeList(path: usize, len: u32, flags: u32, after: usize, afterLen: u32, limit: u32): i32 {
  return settled(volume.volumeList(path, len, flags, after, afterLen, limit));
}

/** See `volumeRead` of asm/volume/volume. */
export function volumeRead(path: usize, len: u32, flags: u32, position: u64, count: u32): i32 {
  return settled(volume.volumeRead(path, len, flags, position, count));
}

/** See `volumeObject` of asm/volume/volume. */
export function volumeObject(oid: usize): i32 {
  return settled(volume.volumeObject(oid));
}
