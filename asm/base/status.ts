/**
 * The core's status codes. Every export that can fail returns one; 0 is success, and 1 to 3 are the
 * hypercalls' own results (Solo5's `solo5_result_t`), passed through. `src/errors.ts` turns the rest into
 * typed errors.
 */
export namespace Status {
  export const OK: i32 = 0;
  /** The device has been asked and has no answer yet: call again with the same arguments. */
  export const AGAIN: i32 = 1;
  /** The device, or an export, was given an argument that breaks its contract. */
  export const EINVAL: i32 = 2;
  /** The device failed. */
  export const EUNSPEC: i32 = 3;

  // The object of the request does not exist, or is of another kind.
  export const NOT_FOUND: i32 = 16;
  /** A directory where a value was asked for. */
  export const VALUE_EXPECTED: i32 = 17;
  /** A value where a directory was asked for. */
  export const DICTIONARY_EXPECTED: i32 = 18;
  export const SYMLINK_LOOP: i32 = 19;
  /** A submodule (mode 160000): the image holds the commit's id and nothing of its content. */
  export const SUBMODULE: i32 = 20;

  // Limits and resources.
  export const OUT_OF_MEMORY: i32 = 32;
  export const PATH_TOO_LONG: i32 = 33;
  export const OBJECT_TOO_LARGE: i32 = 34;
  export const CHAIN_TOO_DEEP: i32 = 35;
  export const TREE_TOO_DEEP: i32 = 36;
  export const TOO_MANY_OBJECTS: i32 = 37;
  /** The image asks for more work than what it holds is worth. */
  export const WORK_LIMIT: i32 = 38;

  // The image's frame.
  export const BAD_HEADER: i32 = 48;
  export const BAD_PACK: i32 = 49;
  export const BAD_IDX: i32 = 50;
  /** The image ends before what it announces. */
  export const TRUNCATED: i32 = 51;
  export const BAD_TRAILER: i32 = 52;

  // zlib (RFC 1950) and deflate (RFC 1951).
  export const BAD_ZLIB_HEADER: i32 = 64;
  export const BAD_BLOCK_TYPE: i32 = 65;
  export const BAD_STORED_LENGTH: i32 = 66;
  export const BAD_CODE_LENGTHS: i32 = 67;
  export const BAD_SYMBOL: i32 = 68;
  export const BAD_DISTANCE: i32 = 69;
  export const BAD_ADLER: i32 = 70;
  /** The stream's output is not of the size that was declared for it. */
  export const BAD_INFLATED_SIZE: i32 = 71;

  // Pack entries and deltas (gitformat-pack).
  export const BAD_ENTRY: i32 = 80;
  export const BAD_BASE: i32 = 81;
  /** A ref-delta names a base that the pack does not hold. */
  export const MISSING_BASE: i32 = 82;
  export const BAD_DELTA: i32 = 83;
  export const DELTA_BASE_SIZE: i32 = 84;
  export const DELTA_COPY_RANGE: i32 = 85;
  export const DELTA_RESULT_SIZE: i32 = 86;

  // Objects.
  export const MISSING_OBJECT: i32 = 96;
  export const WRONG_KIND: i32 = 97;
  export const BAD_COMMIT: i32 = 98;
  export const BAD_TREE: i32 = 99;
  export const OID_MISMATCH: i32 = 100;
  export const CRC_MISMATCH: i32 = 101;
  /** The image is of another commit than the one that was asked for. */
  export const OTHER_COMMIT: i32 = 102;
  /** An object is part of a SHA-1 collision attack. */
  export const COLLISION: i32 = 103;
}
