/**
 * An operation's record: its state, with which it goes on after AGAIN, and its result. The record grows by layers: the
 * state of an object's load comes first (`asm/objects/loading.ts`).
 *
 *     │ fields │ Result │ resolved id 32 │ Stream, head of a delta 32 │ path's key │ a page's name │
 *
 * All operations share the caches, and the windows and marks of large objects.
 */
import { Limit } from "../base/limits";
import { GitObject } from "../objects/cache";
import { Loading, loading } from "../objects/loading";
import { STREAM_SIZE } from "../objects/stream";

/** The result of an operation, or the place of its error. */
@unmanaged
export class Result {
  /** `Entry`, or a `Kind` if an object was asked for by its id. */
  kind: u32;
  /** The canonical mode: 040000, 100644, 100755, 120000, 160000. */
  mode: u32;
  /** Bytes of the whole blob or object. */
  size: u64;
  /** The object's offset from the PACK's start; 0 for a submodule. */
  offset: u64;
  /** Data: a piece of a blob, or pointers to the entries of a tree. Valid until the next call of an operation. */
  data: u32;
  /** Bytes of a piece. */
  dataLen: u32;
  /** Entries of a listing. */
  count: u32;
  /** Their sizes, u64 each. */
  sizes: u32;
  /** The place of an error: its offset in the image; 0 if it is not known. */
  errorOffset: u64;
  /** 1 if `oid` holds an id: the object's, or after an error the id of the object in question. */
  oidKnown: u32;
  /** Entries that follow those of the listing. */
  left: u32;
  oid0: u64;
  oid1: u64;
  oid2: u32;
  /** After AGAIN: the handle of the operation that this one waits for; 0 for the device. */
  waitsFor: u32;

  @inline
  get oid(): usize {
    return changetype<usize>(this) + offsetof<Result>("oid0");
  }
}

/** The tasks of operations. */
export namespace Task {
  export const NOTHING: u32 = 0;
  export const MOUNT: u32 = 1;
  export const STAT: u32 = 2;
  export const LIST: u32 = 3;
  export const READ: u32 = 4;
  export const OBJECT: u32 = 5;
}

@unmanaged
export class Operation extends Loading {
  /** `Task`: the one that is under way. */
  task: u32;
  /** `Flag`. */
  flags: u32;
  /** For a read: bytes from the file's start. */
  position: u64;
  /** For a read: bytes; for a listing: the most entries. */
  count: u32;
  /** For a listing: bytes of the name that its page begins behind. */
  afterLen: u32;
  /** Its path is resolved, or the entry of its object found. */
  isResolved: bool;
  /** A large blob is read whole, because ranges of it cost more; and bytes that its ranges have inflated. */
  isWhole: bool;
  rangeWork: u64;
  /** It has made others give memory back. */
  hasShed: bool;
  /** An object that the result points into. */
  held: GitObject | null;

  /** Bytes of the path's key (`path.ts`). */
  keyLen: u32;

  /** The walk (`lookup.ts`): how much of the key has been resolved. */
  walkLen: u32;
  isWalking: bool;
  /** The walk has found the next name, and looks for its object. */
  hasFound: bool;
  symlinks: u32;
  /** The tree at the walk's place, held. */
  walkTree: GitObject | null;
  /** The object at the walk's place: `Entry`, its offset from the PACK's start, and whether its id is known. */
  resolvedKind: u32;
  resolvedOffset: u64;
  isOidKnown: bool;
  /** The size of its content, if the layout section has told it. */
  isSizeKnown: bool;
  knownSize: u64;
  /**
   * If its content, or that of its base, has seek records: bytes of content in a segment, or 0 for none; the number of the
   * first record; and the entry of the blob that they are of: its offset from the PACK's start, and bytes.
   */
  segment: u32;
  seek: u64;
  seekBlob: u64;
  seekLen: u64;

  /** The window that a large blob is read through (`read.ts`), or 0. */
  window: usize;

  /** The sizes of a listing's page, u64 each, and how many of them have been found. */
  sizes: usize;
  sized: u32;

  @inline
  get result(): Result {
    return changetype<Result>(changetype<usize>(this) + RESULT);
  }

  /** The id of the object at the walk's place, 20 bytes. */
  @inline
  get resolvedOid(): usize {
    return changetype<usize>(this) + RESOLVED_OID;
  }

  /** The path, without slashes at its ends; empty for the root. */
  @inline
  get key(): usize {
    return changetype<usize>(this) + KEY;
  }

  /** The name that a page begins behind. */
  @inline
  get after(): usize {
    return changetype<usize>(this) + AFTER;
  }
}

const RESULT: usize = (offsetof<Operation>() + 15) & ~15;
const RESOLVED_OID: usize = RESULT + offsetof<Result>();
const STREAM: usize = (RESOLVED_OID + 20 + 15) & ~15;
const KEY: usize = STREAM + STREAM_SIZE + 32;
const AFTER: usize = KEY + Limit.PATH + 16;
/** Bytes of a record. Align it to 16. */
export const OPERATION_SIZE: usize = AFTER + Limit.NAME;

/** Makes a record. @param record `OPERATION_SIZE` bytes */
export function operationInit(record: Operation, number: u32): void {
  memory.fill(changetype<usize>(record), 0, OPERATION_SIZE);
  record.number = number;
  record.stream = changetype<usize>(record) + STREAM;
}

/** The record of the operation that runs. */
// @ts-ignore: decorator
@inline
export function here(): Operation {
  return changetype<Operation>(loading);
}
