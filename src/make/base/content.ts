/** Where the bytes of an object are: plain data, so that it can be handed to a worker; and how they are read there. */

import { DocteurError } from "../../errors.js";
import type { Sha1 } from "../../git/oid.js";

/** What tells a file from others, and from itself once it has changed (stat(2)). */
export interface FileStamp {
  /** Device and inode. */
  dev: bigint;
  ino: bigint;
  /** Modification and change times, in nanoseconds since 1970. */
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Whether a symbolic link may lead to the file. */
  followsLinks: boolean;
}

/** A part of a file, or the whole of one. */
export interface FileRange {
  /** Absolute, a byte string ("latin1"): names need not be UTF-8. */
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Of whole files: what they were when they were listed. Others are temporary files of our own, and archives. */
  stamp?: FileStamp;
}

/** What an object holds: the bytes themselves, or where they can be read, any number of times. */
export type Content = Uint8Array | FileRange;

/** An object's content, before it is read. */
export interface Unread {
  /** Bytes. */
  size: number;
  content: Content;
}

/** Some of them: each is made when it is asked for. */
export interface Unreads {
  readonly length: number;
  /** Bytes. */
  sizeOf(index: number): number;
  at(index: number): Unread;
}

/** Content, open for reading. */
export interface OpenContent {
  /**
   * Fills `into` with the bytes from `at` on.
   * @throws DocteurError `Io`
   */
  read(into: Uint8Array, at: number): void;
  /**
   * Makes sure that what was read is what was opened.
   * @throws DocteurError `Io` where the content changed meanwhile
   */
  settle(): void;
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

/** Keeps contents that were made on the way, until they are packed. */
export interface TreeStore {
  /** @returns where the content begins: what `at` takes */
  keep(content: Uint8Array): number;
  /** @param size bytes of the content */
  at(offset: number, size: number): Content;
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

  settle(): void {}

  changed(): DocteurError {
    return new DocteurError("Io", "content in memory changed while it was packed");
  }

  close(): void {}
}
