/**
 * A window: a large blob that is stored whole is inflated through one, piece by piece.
 *
 *     │ fields │ blob's id 20 │ SHA-1 state │ Stream │ window │ slack │
 */
import { SHA1_SIZE } from "../checksum/sha1-state";
import { WINDOW } from "../inflate/window";
import { OBJECT_SLACK } from "../objects/cache";
import { STREAM_SIZE, Stream } from "../objects/stream";

@unmanaged
export class Window {
  /** The blob: its offset from the PACK's start, or 0 for none, and its size in bytes. */
  blob: u64;
  size: u64;
  /** The window's first byte in the blob. */
  start: u64;
  /** If it is marked: the position of the next checksum or the blob's end, up to which it is filled at a time. */
  stop: u64;
  /** The number of the operation that uses it, or 0; and the time of its last use, 0 if the blob's end has been read. */
  user: u32;
  used: u32;
  /** If it is marked: the Adler-32 of the content up to `stop`. */
  checksum: u32;
  /** The stream has ended as it should. */
  isEnded: bool;
  /** The blob is being hashed, and none of it is shown. */
  isProving: bool;
  /** The blob has seek records, whose checksums prove each cell before it is shown. */
  isMarked: bool;

  /** The id that the blob was opened by, if objects are proven. */
  @inline
  get oid(): usize {
    return changetype<usize>(this) + OID;
  }

  @inline
  get hash(): usize {
    return changetype<usize>(this) + HASH;
  }

  @inline
  get stream(): Stream {
    return changetype<Stream>(changetype<usize>(this) + STREAM);
  }

  /** The inflated bytes lie from here to the inflater's output. */
  @inline
  get bytes(): usize {
    return changetype<usize>(this) + BYTES;
  }
}

const OID: usize = (offsetof<Window>() + 7) & ~7;
const HASH: usize = OID + 24;
const STREAM: usize = (HASH + SHA1_SIZE + 15) & ~15;
const BYTES: usize = STREAM + STREAM_SIZE;
/** Bytes of a window and what belongs to it. Align it to 16. */
export const WINDOW_SIZE: usize = BYTES + WINDOW + OBJECT_SLACK;
