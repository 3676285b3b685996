/** Comparisons of bytes. */

/** The order of two byte strings of equal length: negative, 0 or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < left.length; at++) {
    const order = left[at]! - right[at]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether all bytes are zeros. Sparse images have gigabytes of zeros: words are compared. */
export function isZeros(bytes: Uint8Array): boolean {
  const head = -bytes.byteOffset & 3;
  const count = (bytes.length - head) >> 2;
  if (count < 1) return bytes.every((byte) => byte === 0);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, count);
  for (let at = 0; at < head; at++) if (bytes[at] !== 0) return false;
  for (let at = 0; at < count; at++) if (words[at] !== 0) return false;
  for (let at = head + 4 * count; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
