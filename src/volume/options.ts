/** Options of a volume's methods, and their checks. */
import { type Checks, isAnything, isBoolean, isOneOf, isSignal, isWhole } from "../arguments.js";
import type { WalkOrder } from "./walk.js";

/** Options of every method that may wait for the device. */
export interface SignalOptions {
  /** Rejects with the signal's reason once it is aborted. An operation that waits for the device is dropped. */
  signal?: AbortSignal | undefined;
}

/** Options of methods that may meet a symlink. */
export interface FollowOptions extends SignalOptions {
  /**
   * Follow symlinks, at the path's end and on the way, never out of the image. By default a symlink is a
   * value: its target.
   */
  follow?: boolean | undefined;
}

/** Options of methods that give content whole. */
export interface GetOptions extends FollowOptions {
  /** The most bytes that may be given: more is an `ObjectTooLarge` error. By default there is no limit. */
  maxSize?: number | undefined;
}

/** Options of `object`. */
export interface ObjectOptions extends SignalOptions {
  /** As in `GetOptions`. */
  maxSize?: number | undefined;
}

/** Options of `stream`. */
export interface StreamOptions extends FollowOptions {
  /** Bytes from the file's start; 0 by default. */
  offset?: number | undefined;
  /** The most bytes; by default all that follow. */
  length?: number | undefined;
}

/** Options of `entries`. */
export interface EntriesOptions extends FollowOptions {
  /** Tell sizes, too: a header read for each entry. */
  sizes?: boolean | undefined;
  /**
   * Tell ids, as is the default. Without them, an image with a layout section is listed without reading its trees; the `oid` of
   * an entry that has a blob or a tree is then empty.
   */
  oids?: boolean | undefined;
  /** Only entries whose names come after this one, by their bytes. An entry of this name need not exist. */
  after?: string | Uint8Array | undefined;
}

/** Options of `list`. */
export interface ListOptions extends EntriesOptions {
  /** The most entries. Fewer come only at the directory's end. By default all. */
  limit?: number | undefined;
}

/** Options of `walk`. */
export interface WalkOptions extends FollowOptions {
  /** Tell sizes, too: a header read for each entry. */
  sizes?: boolean | undefined;
  /** Tell ids: as in `EntriesOptions`. */
  oids?: boolean | undefined;
  /**
   * `name`, the default: each directory by the bytes of its names, as `list` gives them. `path`: all entries by
   * the bytes of their paths, with a slash at the end of directories' paths, as in git's index.
   */
  order?: WalkOrder | undefined;
}

export const SIGNAL: Checks = { signal: isSignal };
export const FOLLOW: Checks = { ...SIGNAL, follow: isBoolean };
export const GET: Checks = { ...FOLLOW, maxSize: isWhole(0) };
export const OBJECT: Checks = { ...SIGNAL, maxSize: isWhole(0) };
export const STREAM: Checks = { ...FOLLOW, offset: isWhole(0), length: isWhole(0) };
export const ENTRIES: Checks = { ...FOLLOW, sizes: isBoolean, oids: isBoolean, after: isAnything };
export const LIST: Checks = { ...ENTRIES, limit: isWhole(1) };
export const WALK: Checks = { ...FOLLOW, sizes: isBoolean, oids: isBoolean, order: isOneOf("name", "path") };
