/** Compares the image's IDX with the one that its PACK gives, and says what the first difference is. */

import type { BlockDevice } from "../devices/device.js";
import { RESULT } from "../devices/device.js";
import { DocteurError } from "../errors.js";

const FANOUT = 8;
const OIDS = FANOUT + 1024;
const WINDOW = 1 << 20;

/** The part of an IDX of `count` objects that an offset from its start lies in. */
function partOf(offset: number, count: number, length: number): string {
  if (offset < FANOUT) return "header";
  if (offset < OIDS) return `fanout entry ${(offset - FANOUT) >> 2}`;
  const columns: [string, number][] = [
    ["object id", 20],
    ["CRC-32 of object", 4],
    ["offset of object", 4],
  ];
  let start = OIDS;
  for (const [name, width] of columns) {
    if (offset < start + width * count) return `${name} ${Math.floor((offset - start) / width)}`;
    start += width * count;
  }
  if (offset < length - 40) return `large offset ${(offset - start) >> 3}`;
  return offset < length - 20 ? "copy of the PACK's checksum" : "own checksum";
}

/**
 * Reads bytes of a device that lie anywhere in it.
 * @param offset, length in bytes
 * @throws DocteurError `Truncated` past the end, `DeviceFailed`
 */
export async function readBytes(device: BlockDevice, offset: number, length: number): Promise<Uint8Array> {
  const { blockSize, capacity } = device;
  const start = offset - (offset % blockSize);
  const end = Math.ceil((offset + length) / blockSize) * blockSize;
  if (end > capacity) throw new DocteurError("Truncated", "the image ends too early", { offset: capacity });
  const bytes = new Uint8Array(end - start);
  let result = device.read(start, bytes);
  while (result === RESULT.AGAIN && device.ready !== undefined) {
    await device.ready();
    result = device.read(start, bytes);
  }
  if (result !== RESULT.OK)
    throw new DocteurError("DeviceFailed", "the device failed to read", {
      offset: start,
      cause: device.failure,
    });
  return bytes.subarray(offset - start, offset - start + length);
}

/**
 * @param device the image
 * @param start the IDX's absolute offset, in bytes
 * @param expected the IDX as it must be
 * @param count objects in it
 * @throws DocteurError `BadIdx` with the offset of the first byte that differs
 */
export async function compareIdx(
  device: BlockDevice,
  start: number,
  expected: Uint8Array,
  count: number,
): Promise<void> {
  for (let done = 0; done < expected.length; done += WINDOW) {
    const length = Math.min(WINDOW, expected.length - done);
    const actual = await readBytes(device, start + done, length);
    for (let at = 0; at < length; at++) {
      if (actual[at] === expected[done + at]) continue;
      const offset = start + done + at;
      const part = partOf(done + at, count, expected.length);
      throw new DocteurError(
        "BadIdx",
        `the index (IDX) is damaged: its ${part} is wrong (at offset ${offset})`,
        { offset },
      );
    }
  }
}
