/**
 * Describes where the bytes of an object are, as plain data that a worker can receive, and how they are read.
 */

import { DocteurError } from "../../errors.js";
import type { Sha1 } from "../../git/oid.js";

/** Distinguishes a file from other files, and from its changed versions (stat(2)). */
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

/** A part of a file, or a whole file. */
export interface FileRange {
  /** Absolute, a byte string ("latin1"): names need not be UTF-8. */
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  /**
   * Whole files have their stamp from the listing. Ranges without one lie in our own temporary files, or in
   * archives.
   */
  stamp?: FileStamp;
}

/** An object's content: its bytes, or a place where they can be read any number of times. */
export type Content = Uint8Array | FileRange;

/** An object's content, before it is read. */
export interface Unread {
  /** Bytes. */
  size: number;
  content: Content;
}

/** The numbers of a stamp in a column: those of `FileStamp`, in its order. */
export const STAMP_LEN = 4;

/** Some contents. Each is made on request. */
export interface Unreads {
  readonly length: number;
  /** Bytes. */
  sizeOf(index: number): number;
  at(index: number): Unread;
  /** The stamps of those that are whole files, `STAMP_LEN` numbers a row; and the row of a content, -1 without one. */
  readonly stamps?: BigInt64Array;
  stampRowOf?(index: number): number;
}

/** Contents that can be forgotten. */
export interface Forgetting extends Unreads {
  /** Forgets all contents but some, whose indexes follow each other from 0 on. @param indexes ascending */
  keep(indexes: Uint32Array): void;
}

/** Content, open for reading. */
export interface OpenContent {
  /**
   * Fills `into` with the bytes from `at` on.
   * @throws DocteurError `Io`
   */
  read(into: Uint8Array, at: number): void;
  /**
   * Makes sure that the content did not change while it was read.
   * @throws DocteurError `Io` if the content changed meanwhile
   */
  settle(): void;
  /** The error for content that has changed. */
  changed(): DocteurError;
  close(): void;
}

/** Reads and hashes contents on the present host. */
export interface Contents {
  /**
   * @param size bytes, from the listing
   * @throws DocteurError `Io`; content that has changed since then is found by `settle`, or here
   */
  open(content: Content, size: number): OpenContent;
  sha1(): Sha1;
  /** The SHA-1 of bytes at hand, if the host has a faster way. */
  digest?: ((bytes: Uint8Array) => Uint8Array) | undefined;
}

/** The whole of a content. @throws DocteurError `Io` */
export function readContent(contents: Contents, { size, content }: Unread): Uint8Array {
  const bytes = new Uint8Array(size);
  const opened = contents.open(content, size);
  try {
    opened.read(bytes, 0);
  } finally {
    opened.close();
  }
  return bytes;
}

/** Keeps generated contents until they are packed. */
export interface TreeStore {
  /** @returns the start of the content, an argument for `at` */
  keep(content: Uint8Array): number;
  /** @param size bytes of the content */
  at(offset: number, size: number): Content;
}

/** Content in memory. */
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
