/** Ids of objects, and the PACK's hash. Both are SHA-1s that notice collision attacks. */
import { SHA1_SIZE } from "../checksum/sha1-state";
import { sha1dcFinal, sha1dcInit, sha1dcUpdate, sha1dcWhole } from "../checksum/sha1dc";
import { header, objectHeader } from "../git/object-header";

const hash: usize = memory.data(SHA1_SIZE, 16);
const packHash: usize = memory.data(SHA1_SIZE, 16);

/**
 * Takes the id of an object. The message is made in place: the 32 bytes before the content and `SHA1DC_TAIL`
 * bytes behind it are overwritten.
 * @param kind 1 to 4, as packs number the kinds
 * @param to 20 bytes for the id
 * @returns whether the object is part of a SHA-1 collision attack
 */
export function objectId(kind: u32, ptr: usize, size: u32, to: usize): bool {
  const headerLen = objectHeader(kind, size);
  const start = ptr - headerLen;
  memory.copy(start, header, headerLen);
  sha1dcInit(hash);
  return sha1dcWhole(hash, start, headerLen + size, to);
}

/** Begins the id of an object whose content comes in pieces. */
export function objectIdBegin(kind: u32, size: u64): void {
  sha1dcInit(hash);
  sha1dcUpdate(hash, header, objectHeader(kind, size));
}

/** Adds content. */
export function objectIdUpdate(ptr: usize, len: usize): void {
  sha1dcUpdate(hash, ptr, len);
}

/** Ends the id. @param to 20 bytes @returns as `objectId` */
export function objectIdEnd(to: usize): bool {
  return sha1dcFinal(hash, to);
}

/** Begins the PACK's hash. Its state is apart from the objects'. */
export function packBegin(): void {
  sha1dcInit(packHash);
}

/** Adds bytes of the PACK. */
export function packUpdate(ptr: usize, len: u32): void {
  sha1dcUpdate(packHash, ptr, len);
}

/** Ends the PACK's hash. @param to 20 bytes @returns whether the PACK is part of a collision attack */
export function packEnd(to: usize): bool {
  return sha1dcFinal(packHash, to);
}
