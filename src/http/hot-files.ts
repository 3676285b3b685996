/**
 * What a handler remembers of one image: the files that URLs stand for, and the content of small files. An image does
 * not change, so nothing here gets old; another image has a memory of its own.
 */
import type { Beside, Found } from "./locate.js";
import { Lru } from "./lru.js";

/** Bytes of a file, up to which its content is remembered. */
export const HOT_FILE_MAX = 64 << 10;
/** The part of the memory that places take, beside content. */
const PLACES_SHARE = 1 / 4;
/** Bytes that a place takes besides its key and its path. */
const PLACE_COST = 1024;
/** Bytes that content takes besides itself. */
const CONTENT_COST = 256;

/** A file that a URL stands for, and those beside it. */
export interface HotPlace {
  found: Found;
  beside: Beside;
  /** The file's path for people. */
  path: string;
}

/** Counters of what was remembered. */
export interface HotCounts {
  hits: number;
  misses: number;
}

/** The memory of one image. */
export class HotFiles {
  readonly #places: Lru<HotPlace>;
  readonly #contents: Lru<Uint8Array<ArrayBuffer>>;

  /** @param bytes that it may take */
  constructor(bytes: number) {
    this.#places = new Lru(bytes * PLACES_SHARE);
    this.#contents = new Lru(bytes * (1 - PLACES_SHARE));
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.#places.weight + this.#contents.weight;
  }

  /** @param key the path of a URL, as it came */
  place(key: string): HotPlace | undefined {
    return this.#places.get(key);
  }

  keepPlace(key: string, place: HotPlace): void {
    const paths = [place.found, ...place.beside.values()].reduce((sum, { path }) => sum + path.length, 0);
    this.#places.set(key, place, PLACE_COST * (1 + place.beside.size) + 2 * key.length + 4 * paths);
  }

  /** The content of an object, by its id. */
  content(oid: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#contents.get(oid);
  }

  keepContent(oid: string, content: Uint8Array<ArrayBuffer>): void {
    this.#contents.set(oid, content, content.length + CONTENT_COST);
  }
}
