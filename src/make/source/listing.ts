/** A listed source: its entries, and the place of each file's content. No content is read yet. */
import { shown } from "../../git/byte-string.js";
import { MODE, MODES, type Mode, sortTree } from "../../git/objects.js";
import type { Forgetting } from "../base/content.js";

/** An entry of a folder. Names are byte strings ("latin1"), as the file system or the archive has them. */
export type SourceEntry =
  | { name: string; mode: Extract<Mode, "40000">; folder: SourceFolder }
  /** `blob` is an index into `Listing.blobs`. */
  | { name: string; mode: Exclude<Mode, "40000">; blob: number };

/** A folder. Its entries take little memory until they are requested: there may be a million. */
export class SourceFolder {
  /** Its subfolders, in git's order. */
  readonly folders: SourceFolder[] = [];
  /** The names, joined by slashes, which no name contains. */
  readonly #names: string;
  readonly #modes: Uint8Array;
  /** 0 for a subfolder. */
  readonly #blobs: Uint32Array;

  /** @param entries each name once, in any order */
  constructor(entries: SourceEntry[]) {
    sortTree(entries);
    this.#names = entries.map(({ name }) => name).join("/");
    this.#modes = Uint8Array.from(entries, ({ mode }) => MODES.indexOf(mode));
    this.#blobs = Uint32Array.from(entries, (entry) => (entry.mode === MODE.directory ? 0 : entry.blob));
    for (const entry of entries) if (entry.mode === MODE.directory) this.folders.push(entry.folder);
  }

  /** Visits everything below, in git's order. The depth is bounded by the limit of paths. */
  walk(visitor: SourceVisitor): void {
    if (this.#modes.length === 0) return;
    let folder = 0;
    for (const [at, name] of this.#names.split("/").entries()) {
      const mode = MODES[this.#modes[at]!]!;
      if (mode === MODE.directory) {
        visitor.enter(name);
        this.folders[folder++]!.walk(visitor);
        visitor.leave();
      } else visitor.leaf(name, mode, this.#blobs[at]!);
    }
  }

  /** The entries in git's order. Each call makes them anew. */
  entries(): SourceEntry[] {
    if (this.#modes.length === 0) return [];
    let folder = 0;
    return this.#names.split("/").map((name, at): SourceEntry => {
      const mode = MODES[this.#modes[at]!]!;
      return mode === MODE.directory
        ? { name, mode, folder: this.folders[folder++]! }
        : { name, mode, blob: this.#blobs[at]! };
    });
  }
}

/** Visits a source's entries. Names are byte strings ("latin1"). */
export interface SourceVisitor {
  /** Called before the entries of a folder, except the root. */
  enter(name: string): void;
  /** @param blob an index into `Listing.blobs` */
  leaf(name: string, mode: Exclude<Mode, "40000">, blob: number): void;
  /** Called after the entries of the folder that was entered last. */
  leave(): void;
}

/** The folders of a source, as a tree: each part of it is in one place. */
export interface SourceTree {
  /** The number of folders, including the root. */
  folderCount(): number;
  /** Visits everything, in git's order. */
  walk(visitor: SourceVisitor): void;
}

/** A tree of `SourceFolder`s. */
export class FolderTree implements SourceTree {
  readonly #root: SourceFolder;

  constructor(root: SourceFolder) {
    this.#root = root;
  }

  folderCount(): number {
    const folders = [this.#root];
    // An array's iteration also visits elements added meanwhile.
    for (const folder of folders) for (const child of folder.folders) folders.push(child);
    return folders.length;
  }

  walk(visitor: SourceVisitor): void {
    this.#root.walk(visitor);
  }
}

/** The reason why an entry of a source is not in the image. */
export type SkipReason = "git" | "temporary" | "special";

/** A path of the source, for people, that was left out without a request. */
export interface Skipped {
  sourcePath: string;
  reason: SkipReason;
}

/** The number of paths that are listed for one kind. */
const SKIPPED_MAX = 1000;

/** The paths that were left out: the first ones, and their number. */
export class SkippedPaths {
  readonly first: Skipped[] = [];
  count = 0;

  /** @param path a byte string */
  add(path: string, reason: SkipReason): void {
    this.count++;
    if (this.first.length < SKIPPED_MAX) this.first.push({ sourcePath: shown(path), reason });
  }

  /** Adds the paths of another source. */
  addAll({ first, count }: SkippedPaths): void {
    this.first.push(...first.slice(0, Math.max(0, SKIPPED_MAX - this.first.length)));
    this.count += count;
  }
}

/** A source, listed. */
export interface Listing {
  tree: SourceTree;
  /**
   * All contents, each once (of several joined sources, once of each), in the best order for reading: files, which hard links share and whose bytes are
   * still in their place, and targets of symbolic links, which are in memory.
   */
  blobs: Forgetting;
  /**
   * Modification time of its newest file or link, in seconds since 1970, rounded down; `undefined` without
   * any.
   */
  newest: number | undefined;
  skipped: SkippedPaths;
  /** Files and links whose whole path `SourcePart.strip` removes. */
  strippedCount: number;
}

/** Bytes of all contents. */
export function contentLen({ blobs }: Listing): number {
  let sum = 0;
  for (let index = 0; index < blobs.length; index++) sum += blobs.sizeOf(index);
  return sum;
}
