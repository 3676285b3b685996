/** Memory that threads share, where they can. */

/** A buffer of zeros. Pages that are not cross-origin isolated have no shared memory, and no threads that need it. */
export function sharedBytes(length: number): SharedArrayBuffer | ArrayBuffer {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(length) : new SharedArrayBuffer(length);
}
