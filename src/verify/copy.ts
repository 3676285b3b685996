/** Reads all of a device once, in order. */
import { type BlockDevice, RESULT, readWhenReady } from "../devices/device.js";
import { DocteurError } from "../errors.js";

/** Bytes that the device is asked for at once. */
const PIECE = 1 << 20;

/** Reads some blocks, after as much waiting as it takes. @throws DocteurError the device's, or `DeviceFailed` */
async function readBlocks(device: BlockDevice, offset: number, target: Uint8Array): Promise<void> {
  if ((await readWhenReady(device, offset, target)) === RESULT.OK) return;
  const { failure } = device;
  if (failure instanceof DocteurError) throw failure;
  throw new DocteurError("DeviceFailed", "the device failed to read", { offset, cause: failure });
}

/**
 * Reads a device from its start to its end.
 * @param room the memory for a piece, by its offset and length
 * @param take gets each piece, and the offset of its end
 * @throws DocteurError the device's, or `DeviceFailed`; what `take` throws
 */
export async function readAll(
  device: BlockDevice,
  room: (offset: number, length: number) => Uint8Array,
  take: (piece: Uint8Array, end: number) => void | Promise<void>,
): Promise<void> {
  const most = Math.max(PIECE, device.blockSize);
  for (let at = 0; at < device.capacity; at += most) {
    const piece = room(at, Math.min(most, device.capacity - at));
    await readBlocks(device, at, piece);
    await take(piece, at + piece.length);
  }
}
