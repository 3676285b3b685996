/** Ids of objects: the SHA-1 of "KIND SIZE", a NUL, and the content. */
import { sha1Final, sha1Init, sha1Update } from "../checksum/sha1";
import { SHA1_SIZE } from "../checksum/sha1-state";
import { sha1dcFinal, sha1dcInit, sha1dcUpdate } from "../checksum/sha1dc";
import { sameOid } from "../base/bytes";
import { Status } from "../base/status";
import { GitObject } from "./cache";
import { header, objectHeader } from "../git/object-header";
import { provesOid, refusesCollisions } from "./proof";

const state: usize = memory.data(SHA1_SIZE, 8);
const digest: usize = memory.data(20, 8);

/** Begins an object's id in a state of `SHA1_SIZE` bytes. @param size bytes of the content that follows */
export function idBegin(hash: usize, kind: u32, size: u64): void {
  if (refusesCollisions()) sha1dcInit(hash);
  else sha1Init(hash);
  idUpdate(hash, header, objectHeader(kind, size));
}

/** Adds content. */
export function idUpdate(hash: usize, ptr: usize, len: usize): void {
  if (refusesCollisions()) sha1dcUpdate(hash, ptr, len);
  else sha1Update(hash, ptr, len);
}

/**
 * Ends an id.
 * @param target 20 bytes
 * @returns OK, or COLLISION if collisions are looked for and the object is part of a collision attack
 */
export function idEnd(hash: usize, target: usize): i32 {
  if (refusesCollisions()) return sha1dcFinal(hash, target) ? Status.COLLISION : Status.OK;
  sha1Final(hash, target);
  return Status.OK;
}

/**
 * Proves that an object is the one of that id, if proofs are asked for. It is hashed once, and keeps its id.
 * @returns OK, OID_MISMATCH or COLLISION
 */
export function proveObject(object: GitObject, oid: usize): i32 {
  if (!provesOid()) return Status.OK;
  if (!object.hashed) {
    idBegin(state, object.kind, object.size);
    idUpdate(state, object.data, object.size);
    const status = idEnd(state, digest);
    if (status != Status.OK) return status;
    object.keepId(digest);
  }
  return sameOid(object.id, oid) ? Status.OK : Status.OID_MISMATCH;
}
