/** Where the bytes of an object are: plain data, so that it can be handed to a worker; and how they are read there. */

import { DocteurError } from "../../errors.js";
import type { Sha1 } from "../../git/oid.js";

/** A part of a file, or the whole of one. */
export interface FileRange {
  /** Absolute, a byte string ("latin1"): names need not be UTF-8. */
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Whether the file must end where the range does: what grew since it was listed is not what was listed. */
  isWhole: boolean;
  /** Whether `path` may be a symbolic link. */
  followsLinks: boolean;
}

/** What an object holds: the bytes themselves, or where they can be read, any number of times. */
export type Content = Uint8Array | FileRange;

/** An object's content, before it is read. */
export interface Unread {
  /** Bytes. */
  size: number;
  content: Content;
}

/** Some of them: an array, or what makes each when it is asked for. */
export interface Unreads {
  readonly length: number;
  at(index: number): Unread | undefined;
}

/** Content, open for reading. */
export interface OpenContent {
  /**
   * Fills `into` with the bytes from `at` on.
   * @throws DocteurError `Io`
   */
  read(into: Uint8Array, at: number): void;
  /** The error for content that is not what it was a moment ago. */
  changed(): DocteurError;
  close(): void;
}

/** How contents are read and hashed where this runs. */
export interface Contents {
  /**
   * @param size bytes, as the content was listed
   * @throws DocteurError `Io` where it is not what it was then
   */
  open(content: Content, size: number): OpenContent;
  sha1(): Sha1;
}

/** Content that is at hand. */
export class MemoryContent implements OpenContent {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(into: Uint8Array, at: number): void {
    into.set(this.#bytes.subarray(at, at + into.length));
  }

  changed(): DocteurError {
    return new DocteurError("Io", "content in memory changed while it was packed");
  }

  close(): void {}
}
