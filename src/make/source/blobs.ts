/** The contents of a source, as columns: there may be a million files. */
import { ByteStrings, doubled, rowsOf } from "../../git/byte-strings.js";
import { type Content, type FileStamp, type Forgetting, STAMP_LEN, type Unread } from "../base/content.js";

/**
 * The place of a content: in memory, in a range of a file, or in a whole file, possibly behind a symbolic
 * link.
 */
const AT_HAND = 0;
const RANGE = 1;
const WHOLE = 2;
const FOLLOWED = 3;

const EMPTY = new Uint8Array(0);

/** The top folder, whose path the constructor receives. */
export const TOP = 0;

/** Contents, each once, in the order in which they were added. */
export class SourceBlobs implements Forgetting {
  #sizes = new Float64Array(256);
  #kinds = new Uint8Array(256);
  /** The file of each content: for a range an index into `#rangeFiles`, for a whole file a row of `#names`. */
  #files = new Uint32Array(256);
  /** The offsets of ranges; empty until there is a range. */
  #offsets = new Float64Array(0);
  readonly #rangeFiles: string[] = [];
  /** For each whole file its name, its folder, and its stamp from the listing. */
  #names = new ByteStrings();
  #folderOf = new Uint32Array(256);
  #stamps = new BigInt64Array(256 * STAMP_LEN);
  /** For each folder its name and its parent folder: full paths would multiply the memory by the depth. */
  readonly #folderNames = new ByteStrings();
  #parents = new Uint32Array(256);
  /** Contents in memory that are not empty, by index. */
  #atHand = new Map<number, Uint8Array>();
  length = 0;

  /** @param top the path of the folder `TOP`, without a slash at its end; a byte string */
  constructor(top = "") {
    this.#folderNames.add(top);
  }

  /** Adds bytes in memory. @returns their index */
  add(content: Uint8Array): number {
    const index = this.#append(content.length, AT_HAND, 0);
    if (content.length > 0) this.#atHand.set(index, content);
    return index;
  }

  /**
   * Adds a part of a file.
   * @param size bytes
   * @param path absolute, a byte string
   * @returns its index
   */
  addRange(size: number, path: string, offset: number): number {
    if (path !== this.#rangeFiles.at(-1)) this.#rangeFiles.push(path);
    const index = this.#append(size, RANGE, this.#rangeFiles.length - 1);
    if (index >= this.#offsets.length) {
      const longer = new Float64Array(this.#sizes.length);
      longer.set(this.#offsets);
      this.#offsets = longer;
    }
    this.#offsets[index] = offset;
    return index;
  }

  /** Adds a folder for files. @param parent `TOP`, or a folder that was added @returns its number */
  addFolder(parent: number, name: string): number {
    const folder = this.#folderNames.add(name);
    if (folder === this.#parents.length) this.#parents = doubled(this.#parents);
    this.#parents[folder] = parent;
    return folder;
  }

  /** Adds a whole file. @param size bytes @returns its index */
  addFile(size: number, folder: number, name: string, stamp: FileStamp): number {
    const file = this.#names.add(name);
    if (file === this.#folderOf.length) {
      this.#folderOf = doubled(this.#folderOf);
      this.#stamps = doubled(this.#stamps);
    }
    this.#folderOf[file] = folder;
    const { dev, ino, mtimeNs, ctimeNs, followsLinks } = stamp;
    const at = file * STAMP_LEN;
    this.#stamps[at] = dev;
    this.#stamps[at + 1] = ino;
    this.#stamps[at + 2] = mtimeNs;
    this.#stamps[at + 3] = ctimeNs;
    return this.#append(size, followsLinks ? FOLLOWED : WHOLE, file);
  }

  #append(size: number, kind: number, file: number): number {
    const index = this.length++;
    if (index === this.#sizes.length) {
      this.#sizes = doubled(this.#sizes);
      this.#kinds = doubled(this.#kinds);
      this.#files = doubled(this.#files);
    }
    this.#sizes[index] = size;
    this.#kinds[index] = kind;
    this.#files[index] = file;
    return index;
  }

  keep(indexes: Uint32Array): void {
    const atHand = new Map<number, Uint8Array>();
    for (const [at, index] of indexes.entries()) {
      const content = this.#atHand.get(index);
      if (content !== undefined) atHand.set(at, content);
    }
    this.#atHand = atHand;
    this.#sizes = rowsOf(this.#sizes, indexes);
    this.#kinds = rowsOf(this.#kinds, indexes);
    this.#files = rowsOf(this.#files, indexes);
    if (this.#offsets.length > 0) this.#offsets = rowsOf(this.#offsets, indexes);
    this.length = indexes.length;
    this.#keepFiles();
  }

  /** Forgets the names and stamps of whole files whose contents are forgotten. */
  #keepFiles(): void {
    const files: number[] = [];
    for (let index = 0; index < this.length; index++) {
      const file = this.stampRowOf(index);
      if (file < 0) continue;
      this.#files[index] = files.length;
      files.push(file);
    }
    const names = new ByteStrings();
    for (const file of files) names.add(this.#names.text(file));
    const rows = Uint32Array.from(files);
    this.#names = names;
    this.#folderOf = rowsOf(this.#folderOf, rows);
    this.#stamps = rowsOf(this.#stamps, rows, STAMP_LEN);
  }

  /** Bytes. */
  sizeOf(index: number): number {
    return this.#sizes[index]!;
  }

  at(index: number): Unread {
    return { size: this.sizeOf(index), content: this.#contentOf(index) };
  }

  get stamps(): BigInt64Array {
    return this.#stamps;
  }

  stampRowOf(index: number): number {
    const kind = this.#kinds[index]!;
    return kind === WHOLE || kind === FOLLOWED ? this.#files[index]! : -1;
  }

  #contentOf(index: number): Content {
    const kind = this.#kinds[index]!;
    const file = this.#files[index]!;
    if (kind === AT_HAND) return this.#atHand.get(index) ?? EMPTY;
    if (kind === RANGE) return { path: this.#rangeFiles[file]!, offset: this.#offsets[index]! };
    return { path: this.#pathOf(file), offset: 0, stamp: this.#stampOf(file, kind === FOLLOWED) };
  }

  #pathOf(file: number): string {
    const names = [this.#names.text(file)];
    let folder = this.#folderOf[file]!;
    for (; folder !== TOP; folder = this.#parents[folder]!) names.push(this.#folderNames.text(folder));
    names.push(this.#folderNames.text(TOP));
    return names.reverse().join("/");
  }

  #stampOf(file: number, followsLinks: boolean): FileStamp {
    const at = file * STAMP_LEN;
    return {
      dev: this.#stamps[at]!,
      ino: this.#stamps[at + 1]!,
      mtimeNs: this.#stamps[at + 2]!,
      ctimeNs: this.#stamps[at + 3]!,
      followsLinks,
    };
  }
}
