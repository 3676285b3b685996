/** Ids of objects by the host's SHA-1, which knows the processor's own instructions. */
import * as crypto from "node:crypto";
import type { Engine } from "./engine.js";
import { OID } from "./entry.js";

const NAMES = ["", "commit", "tree", "blob", "tag"] as const;

/** SHA-1 in one call, its digest a byte to a character: Node 20.12 and later. */
type OneShot = (algorithm: string, data: Uint8Array, encoding: "latin1") => string;
const oneShot = (crypto as unknown as { hash?: OneShot }).hash;

/** Content of fewer bytes is hashed in Wasm, as calling the host costs more. */
export const HOST_HASH_MIN = oneShot === undefined ? 2048 : 1024;

/**
 * Writes an object's id to the engine's `oid`.
 * @param ptr its content; what `FRONT` bytes before it hold is lost
 */
export function hashObject({ bytes, oid }: Engine, type: number, ptr: number, size: number): void {
  const head = `${NAMES[type]} ${size}\0`;
  const start = ptr - head.length;
  for (let index = 0; index < head.length; index++) bytes[start + index] = head.charCodeAt(index);
  const data = bytes.subarray(start, ptr + size);
  if (oneShot === undefined) {
    bytes.set(crypto.createHash("sha1").update(data).digest(), oid);
    return;
  }
  const digest = oneShot("sha1", data, "latin1");
  for (let index = 0; index < OID; index++) bytes[oid + index] = digest.charCodeAt(index);
}
