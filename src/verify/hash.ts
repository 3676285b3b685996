/** SHA-1 of bytes that are at hand. The objects of a PACK are hashed in Wasm. */
import { createSha1 } from "#sha1";

/** The 20 bytes of the SHA-1 of some parts. */
export function sha1Of(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createSha1();
  for (const part of parts) hash.update(part);
  return hash.digest();
}
