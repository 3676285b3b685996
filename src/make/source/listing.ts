/** A source listed: its entries, and where the content of each file is. Nothing of the content is read yet. */
import { shown } from "../../git/byte-string.js";
import { MODE, MODES, type Mode, sortTree } from "../../git/objects.js";
import type { SourceBlobs } from "./blobs.js";

/** An entry of a folder. Names are byte strings ("latin1"), as the file system or the archive has them. */
export type SourceEntry =
  | { name: string; mode: Extract<Mode, "40000">; folder: SourceFolder }
  /** `blob` is an index into `Listing.blobs`. */
  | { name: string; mode: Exclude<Mode, "40000">; blob: number };

/** A folder. What is in it takes little until it is asked for: there may be a million entries. */
export class SourceFolder {
  /** Its subfolders, in git's order. */
  readonly folders: SourceFolder[] = [];
  /** Names one after the other: slashes, which are in none, between them. */
  readonly #names: string;
  readonly #modes: Uint8Array;
  /** Where a subfolder is, 0. */
  readonly #blobs: Uint32Array;

  /** @param entries each name once, in any order: they are sorted */
  constructor(entries: SourceEntry[]) {
    sortTree(entries);
    this.#names = entries.map(({ name }) => name).join("/");
    this.#modes = Uint8Array.from(entries, ({ mode }) => MODES.indexOf(mode));
    this.#blobs = Uint32Array.from(entries, (entry) => (entry.mode === MODE.directory ? 0 : entry.blob));
    for (const entry of entries) if (entry.mode === MODE.directory) this.folders.push(entry.folder);
  }

  /** The entries in git's order, made anew for everyone who asks. */
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

/** Is told of a source's entries. Names are byte strings ("latin1"). */
export interface SourceVisitor {
  /** Before what is in a folder. The root is not told of. */
  enter(name: string): void;
  /** @param blob an index into `Listing.blobs` */
  leaf(name: string, mode: Exclude<Mode, "40000">, blob: number): void;
  /** After what is in the folder that was entered last. */
  leave(): void;
}

/** The folders of a source, as a tree: no part of it is in two places. */
export interface SourceTree {
  /** How many folders there are, the root included. */
  folderCount(): number;
  /** Tells of everything, in git's order. */
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
    // An array's iteration visits what is added on the way.
    for (const folder of folders) for (const child of folder.folders) folders.push(child);
    return folders.length;
  }

  walk(visitor: SourceVisitor): void {
    // No deeper than paths may be.
    const visit = (folder: SourceFolder): void => {
      for (const entry of folder.entries())
        if (entry.mode === MODE.directory) {
          visitor.enter(entry.name);
          visit(entry.folder);
          visitor.leave();
        } else visitor.leaf(entry.name, entry.mode, entry.blob);
    };
    visit(this.#root);
  }
}

/** Why an entry of a source is not in the image. */
export type SkipReason = "git" | "temporary" | "special";

/** A path of the source, for people to read, that was left out though nobody asked for that. */
export interface Skipped {
  path: string;
  reason: SkipReason;
}

/** How many paths are told of one kind. */
const SKIPPED_MAX = 1000;

/** What was left out: the first paths of it, and how many there are. */
export class SkippedPaths {
  readonly first: Skipped[] = [];
  count = 0;

  /** @param path a byte string */
  add(path: string, reason: SkipReason): void {
    this.count++;
    if (this.first.length < SKIPPED_MAX) this.first.push({ path: shown(path), reason });
  }
}

/** A source, listed. */
export interface Listing {
  tree: SourceTree;
  /**
   * Everything to read, each once, in the order in which it is best read: files, with all their names (hard links), whose
   * bytes are still where they were found, and targets of symbolic links, which are at hand.
   */
  blobs: SourceBlobs;
  /** Modification time of its newest file or link, in seconds since 1970, rounded down; `undefined` where there is none. */
  newest: number | undefined;
  skipped: SkippedPaths;
  /** Files and links that `SourcePart.strip` leaves nothing of. */
  strippedCount: number;
}

/** Bytes of everything that is to be read. */
export function contentLen({ blobs }: Listing): number {
  let sum = 0;
  for (let index = 0; index < blobs.length; index++) sum += blobs.sizeOf(index);
  return sum;
}
