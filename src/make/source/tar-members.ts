/** The entries of an archive that are not folders. */
import { doubled } from "../../git/byte-strings.js";
import { MODES, type Mode } from "../../git/objects.js";
import { SourceBlobs } from "./blobs.js";

/** Marks a member in use that has no index yet. */
const USED = 0xffffffff;

const EMPTY = new Uint8Array(0);

/** A file or symbolic link. */
export interface Leaf {
  mode: Exclude<Mode, "40000">;
  /** Bytes. */
  size: number;
  /** Their place: in the archive from this byte on, or in memory, for a link's target. */
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
  /** Contents in memory. */
  readonly #atHand = new Map<number, Uint8Array>();
  /** For each, its index among the blobs if it has one, otherwise whether it is in use. */
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

  /** Marks a member as used by the image. Later members may have replaced some of its names. */
  use(number: number): void {
    this.#indexes[number] = USED;
  }

  /**
   * The contents of the members in use, in their order in the archive. Nothing else is known of members afterwards but their
   * modes and indexes.
   * @param path the archive's
   */
  blobs(path: string): SourceBlobs {
    const blobs = new SourceBlobs();
    for (let number = 0; number < this.#count; number++)
      if (this.#indexes[number] === USED) this.#indexes[number] = this.#addTo(blobs, number, path);
    this.#sizes = this.#offsets = this.#mtimes = new Float64Array(0);
    this.#atHand.clear();
    return blobs;
  }

  /** The index of a member in use among the blobs. */
  indexOf(number: number): number {
    return this.#indexes[number]!;
  }

  #addTo(blobs: SourceBlobs, number: number, path: string): number {
    const size = this.#sizes[number]!;
    // Empty content takes no room in the archive, and is never changed.
    if (size === 0) return blobs.add(EMPTY);
    const content = this.#atHand.get(number);
    return content === undefined ? blobs.addRange(size, path, this.#offsets[number]!) : blobs.add(content);
  }
}
