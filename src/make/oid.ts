/** Ids of git objects, by Node's SHA-1. */
import { createHash, type Hash } from "node:crypto";
import type { Kind } from "./objects.js";

/** A hash that has taken an object's header and waits for its `size` bytes. */
export function beginOid(kind: Kind, size: number): Hash {
  return createHash("sha1").update(`${kind} ${size}\0`);
}

/** The id of a whole object: 20 bytes. */
export function oidOf(kind: Kind, content: Uint8Array): Buffer {
  return beginOid(kind, content.length).update(content).digest();
}
