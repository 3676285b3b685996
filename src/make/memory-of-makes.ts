/** What one make remembers for the next, in one process: ids of files that did not change, and the image that it wrote. */
import { statSync } from "node:fs";
import type { Unread } from "./base/content.js";
import type { Version } from "./pack/old-pack.js";
import type { KnownIds } from "./pack/packer.js";

/**
 * Milliseconds: a file that changed so shortly before it was read may change again without another time (git calls such
 * an entry of its index racy). It is read again.
 */
const RACY = 2000;

/** See the file's head. */
export class MakeMemory implements KnownIds {
  /** Ids by stamp, of the last make and of this one. */
  #last = new Map<string, Uint8Array>();
  #next = new Map<string, Uint8Array>();
  /** Nanoseconds since 1970: files that changed later are racy. */
  #limit = 0n;
  /** The version of the image that the last make wrote, and its path. */
  image: { path: string; version: Version } | undefined;

  /** Begins a make. */
  begin(): void {
    this.#limit = BigInt(Date.now() - RACY) * 1_000_000n;
    this.#next = new Map();
  }

  /** Ends a make that succeeded: files that it did not meet are forgotten. */
  finish(image: string): void {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(image, { bigint: true });
    this.image = { path: image, version: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` };
    this.#last = this.#next;
  }

  find(object: Unread): Uint8Array | undefined {
    const key = keyOf(object);
    const oid = key === undefined ? undefined : this.#last.get(key);
    if (oid !== undefined) this.#next.set(key!, oid);
    return oid;
  }

  keep(object: Unread, oid: Uint8Array): void {
    const { content } = object;
    if (content instanceof Uint8Array || content.stamp === undefined) return;
    const { mtimeNs, ctimeNs } = content.stamp;
    if (mtimeNs >= this.#limit || ctimeNs >= this.#limit) return;
    this.#next.set(keyOf(object)!, oid.slice());
  }
}

/** The time of the last change is part of it: no program can set that. */
function keyOf({ content, size }: Unread): string | undefined {
  if (content instanceof Uint8Array || content.stamp === undefined) return undefined;
  const { dev, ino, mtimeNs, ctimeNs } = content.stamp;
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
