/** Archives in memory. */
import type { Archive } from "../../src/make/source/archive.js";

/** An archive that is named "archive", without a file. */
export function archiveOf(bytes: Uint8Array): Archive {
  return {
    name: "archive",
    path: "/archive",
    size: bytes.length,
    isWhole: false,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${bytes.length}`);
      return Buffer.from(bytes.subarray(offset, offset + length));
    },
  };
}
