/** What there is to read of a source, as columns: there may be a million files. */

import { ByteStrings, doubled } from "../../git/byte-strings.js";
import type { Content, Unread } from "../base/content.js";

/** Where a content is: at hand, or a range of a file, which `IS_WHOLE` and `FOLLOWS_LINKS` tell more of. */
const AT_HAND = 0;
const IN_FILE = 1;
const IS_WHOLE = 2;
const FOLLOWS_LINKS = 4;

const EMPTY = new Uint8Array(0);

/** Contents, each once, in the order in which they were added. */
export class SourceBlobs {
  #sizes = new Float64Array(256);
  #flags = new Uint8Array(256);
  /** Of ranges that do not begin their files: as long as there is none, empty. */
  #offsets = new Float64Array(0);
  /** Of each content its file: a row of `#names`. */
  #files = new Uint32Array(256);
  /** Of each file its name, and its folder: an index into `#folders`. */
  readonly #names = new ByteStrings();
  #folderOf = new Uint32Array(256);
  readonly #folders: string[] = [];
  #lastPath: string | undefined;
  /** Contents at hand that are not empty, by index. */
  readonly #atHand = new Map<number, Uint8Array>();
  length = 0;

  /**
   * @param size bytes
   * @returns its index
   */
  add(size: number, content: Content): number {
    const index = this.length++;
    if (index === this.#sizes.length) {
      this.#sizes = doubled(this.#sizes);
      this.#flags = doubled(this.#flags);
      this.#files = doubled(this.#files);
    }
    this.#sizes[index] = size;
    if (content instanceof Uint8Array) {
      if (content.length > 0) this.#atHand.set(index, content);
    } else {
      const { path, offset, isWhole, followsLinks } = content;
      this.#flags[index] = IN_FILE | (isWhole ? IS_WHOLE : 0) | (followsLinks ? FOLLOWS_LINKS : 0);
      if (offset !== 0) this.#setOffset(index, offset);
      // Of an archive they are all in one file.
      if (path !== this.#lastPath) this.#addFile(path);
      this.#lastPath = path;
      this.#files[index] = this.#names.count - 1;
    }
    return index;
  }

  #setOffset(index: number, offset: number): void {
    if (index >= this.#offsets.length) {
      const longer = new Float64Array(this.#sizes.length);
      longer.set(this.#offsets);
      this.#offsets = longer;
    }
    this.#offsets[index] = offset;
  }

  #addFile(path: string): void {
    const nameAt = path.lastIndexOf("/") + 1;
    const folder = path.slice(0, nameAt);
    if (folder !== this.#folders.at(-1)) this.#folders.push(folder);
    const row = this.#names.add(path.slice(nameAt));
    if (row === this.#folderOf.length) this.#folderOf = doubled(this.#folderOf);
    this.#folderOf[row] = this.#folders.length - 1;
  }

  #pathOf(file: number): string {
    return this.#folders[this.#folderOf[file]!]! + this.#names.text(file);
  }

  /** Bytes. */
  sizeOf(index: number): number {
    return this.#sizes[index]!;
  }

  at(index: number): Unread {
    return { size: this.sizeOf(index), content: this.#contentOf(index) };
  }

  #contentOf(index: number): Content {
    const flags = this.#flags[index]!;
    if (flags === AT_HAND) return this.#atHand.get(index) ?? EMPTY;
    return {
      path: this.#pathOf(this.#files[index]!),
      offset: this.#offsets[index] ?? 0,
      isWhole: (flags & IS_WHOLE) !== 0,
      followsLinks: (flags & FOLLOWS_LINKS) !== 0,
    };
  }
}
