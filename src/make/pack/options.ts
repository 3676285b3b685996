/** How to pack. */

import type { Unreads } from "../base/content.js";
import type { Effort } from "../base/effort.js";
import type { Reuse } from "./reuse.js";

/** Progress of the packer. It counts objects while surveying and encoding, pairs while comparing. */
export type PackerProgress = (phase: "read" | "compare" | "pack", done: number, total: number) => void;

/** Remembers the ids of contents. */
export interface KnownIds {
  /** @returns 20 bytes, valid until the next call; or undefined */
  find(objects: Unreads, index: number): Uint8Array | undefined;
  /** @param oid 20 bytes */
  keep(objects: Unreads, index: number, oid: Uint8Array): void;
}

/** See the file's head. */
export interface PackerOptions {
  /** The longest chain of deltas: 0 (no deltas) to 4095. */
  depth: number;
  /** Bytes from which on blobs that are stored whole get seek points; `Infinity` for none. */
  seekMin: number;
  /** How many candidates are compared. Default: "default". */
  effort?: Effort | undefined;
  /** Entries of an earlier image, which are taken as they are. */
  reuse?: Reuse | undefined;
  /** Ids of contents that are known without reading them: undefined for the others, which it is told. */
  ids?: KnownIds | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: PackerProgress | undefined;
}
