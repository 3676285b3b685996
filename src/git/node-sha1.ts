/** SHA-1 of Node: `#sha1` there. Other hosts have `sha1.ts` (package.json, "imports"). */
import { createHash } from "node:crypto";
import type { Sha1 } from "./oid.js";

/** Begins a SHA-1. */
export function createSha1(): Sha1 {
  return createHash("sha1");
}
