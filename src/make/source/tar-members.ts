/** What an archive holds beside folders. */
import { doubled } from "../../git/byte-strings.js";
import { MODES, type Mode } from "../../git/objects.js";
import type { Content } from "../base/content.js";
import type { SourceBlobs } from "./blobs.js";

const EMPTY = new Uint8Array(0);

/** A file or symbolic link. */
export interface Leaf {
  mode: Exclude<Mode, "40000">;
  /** Bytes. */
  size: number;
  /** Where they are: in the archive from this byte on, or at hand, a link's target. */
  content: number | Uint8Array;
  /** Seconds since 1970. */
  mtime: number;
}

/** Files and links by number, as columns: there may be a million. Hard links share a number. */
export class Leaves {
  #modes = new Uint8Array(256);
  #sizes = new Float64Array(256);
  #offsets = new Float64Array(256);
  #mtimes = new Float64Array(256);
  /** Contents at hand. */
  readonly #atHand = new Map<number, Uint8Array>();
  /** Of each, one more than its index in `Listing.blobs`, once it is there. */
  #indexes = new Uint32Array(256);
  #count = 0;

  add({ mode, size, content, mtime }: Leaf): number {
    const number = this.#count++;
    if (number === this.#sizes.length) {
      this.#modes = doubled(this.#modes);
      this.#sizes = doubled(this.#sizes);
      this.#offsets = doubled(this.#offsets);
      this.#mtimes = doubled(this.#mtimes);
      this.#indexes = doubled(this.#indexes);
    }
    this.#modes[number] = MODES.indexOf(mode);
    this.#sizes[number] = size;
    if (typeof content === "number") this.#offsets[number] = content;
    else this.#atHand.set(number, content);
    this.#mtimes[number] = mtime;
    return number;
  }

  modeOf(number: number): Leaf["mode"] {
    return MODES[this.#modes[number]!] as Leaf["mode"];
  }

  mtimeOf(number: number): number {
    return this.#mtimes[number]!;
  }

  /**
   * The index among `blobs`, where it is added if it is not there yet.
   * @param path the archive's
   */
  indexIn(blobs: SourceBlobs, number: number, path: string): number {
    if (this.#indexes[number] === 0)
      this.#indexes[number] = 1 + blobs.add(this.#sizes[number]!, this.#contentOf(number, path));
    return this.#indexes[number]! - 1;
  }

  #contentOf(number: number, path: string): Content {
    // Empty content takes no room in the archive, and is never changed.
    if (this.#sizes[number] === 0) return EMPTY;
    const offset = this.#offsets[number]!;
    return this.#atHand.get(number) ?? { path, offset, isWhole: false, followsLinks: false };
  }
}
