/**
 * Finds symbolic links of a source that no reader of the image can follow: they lead to nothing in it, or out
 * of it. Links are resolved as readers resolve them (`asm/volume/lookup.ts`): `.` and `..` as text and never
 * out of the root, an absolute target from the image's root, and 40 links at most.
 */

import { MODE } from "../../git/objects.js";
import type { Gathered } from "../base/noticed.js";
import type { Listing } from "./listing.js";
import { FOLDER, PathTree } from "./path-tree.js";

/** The entry at a path, without following links. A link is given by its target, a byte string. */
export type Found = "folder" | "other" | { target: string };

/**
 * Finds the entry at a path whose parent is a folder. The path is a byte string, without slashes at its ends.
 */
export type Lookup = (path: string) => Found | undefined;

/** Limits of readers (`asm/base/limits.ts`). */
const SYMLINKS_MAX = 40;
const PATH_MAX = 4096;
const DEPTH_MAX = 512;

/** The number of paths that are listed. */
const SHOWN_MAX = 5;

/**
 * Limits of the bytes of paths that are looked up: a base amount, an amount for each byte of the source's
 * names, and a maximum. Links through other links, and nested repeated trees, could need any number of
 * lookups.
 */
const WORK_FREE = 2 ** 24;
const WORK_FACTOR = 256;
const WORK_MAX = 2 ** 30;
/** The cost of a lookup besides its path, in such bytes. */
const LOOKUP_COST = 64;

/** The names of a path that continues after a link; the first `known` are folders. */
interface Rewritten {
  names: string[];
  known: number;
}

/** @param base names of the link's folder @returns undefined if a reader refuses the path */
function rewrite(base: string[], target: string, rest: readonly string[]): Rewritten | undefined {
  if (target === "" || target.includes("\0")) return undefined;
  const names = target.startsWith("/") ? [] : base;
  let known = names.length;
  let len = names.reduce((sum, name) => sum + name.length + 1, 0);
  for (const name of [...target.split("/"), ...rest])
    if (name === "..") {
      len -= names.length === 0 ? 0 : names.pop()!.length + 1;
      known = Math.min(known, names.length);
    } else if (name !== "" && name !== ".") {
      len += name.length + 1;
      // A path has one slash fewer than names.
      if (len - 1 > PATH_MAX || names.push(name) > DEPTH_MAX) return undefined;
    }
  return { names, known };
}

/** Judges the links of a source one by one, and gathers those that dangle. */
export class DanglingLinks {
  readonly gathered: Gathered = { count: 0, first: [] };
  readonly #lookup: Lookup;
  #left: number;

  /** @param nameBytes bytes of the source's names, each counted once: they bound the work */
  constructor(lookup: Lookup, nameBytes: number) {
    this.#lookup = lookup;
    this.#left = Math.min(WORK_FREE + WORK_FACTOR * nameBytes, WORK_MAX);
  }

  /**
   * Counts work besides lookups.
   * @returns whether the limit allows more work; otherwise links are not judged
   */
  spend(work: number): boolean {
    this.#left -= work;
    return this.#left >= 0;
  }

  /** Judges a link. @param path a byte string, without a slash in front */
  judge(path: string): void {
    const leads = this.#leadsSomewhere(path);
    if (leads !== false) return;
    this.gathered.count++;
    if (this.gathered.first.length < SHOWN_MAX) this.gathered.first.push(path);
  }

  /** @returns undefined if the result is not known */
  #leadsSomewhere(path: string): boolean | undefined {
    let names = path.split("/");
    // A link's own path leads through folders.
    let at = names.length - 1;
    for (let links = 0; at < names.length; ) {
      const prefix = names.slice(0, at + 1).join("/");
      if (!this.spend(LOOKUP_COST + prefix.length)) return undefined;
      const found = this.#lookup(prefix);
      if (found === undefined) return false;
      if (found === "folder") at++;
      else if (found === "other") return at === names.length - 1;
      else {
        if (++links > SYMLINKS_MAX) return false;
        const next = rewrite(names.slice(0, at), found.target, names.slice(at + 1));
        if (next === undefined) return false;
        names = next.names;
        at = next.known;
      }
    }
    return true;
  }
}

/** Bytes as a byte string, wherever JavaScript runs. */
function byteStringOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The value of a file in the tree of paths; a link has its blob's index. */
const OTHER = FOLDER - 1;

/** Calls back for each leaf of a listing, with its path. */
function walkPaths(
  { tree }: Listing,
  onLeaf: (path: string, isLink: boolean, blob: number) => void,
  onFolder: (path: string) => void = () => {},
): void {
  const prefixes = [""];
  tree.walk({
    enter: (name) => {
      const path = `${prefixes.at(-1)}${name}`;
      onFolder(path);
      prefixes.push(`${path}/`);
    },
    leaf: (name, mode, blob) => onLeaf(`${prefixes.at(-1)}${name}`, mode === MODE.symlink, blob),
    leave: () => void prefixes.pop(),
  });
}

/** The dangling links of a listed source. */
export function findDanglingLinks(listing: Listing): Gathered {
  const links: string[] = [];
  let nameBytes = 0;
  walkPaths(listing, (path, isLink) => {
    nameBytes += path.length;
    if (isLink) links.push(path);
  });
  const paths = new PathTree();
  if (links.length > 0)
    walkPaths(
      listing,
      (path, isLink, blob) => paths.set(path, isLink ? blob : OTHER),
      (path) => paths.addFolder(path),
    );
  const dangling = new DanglingLinks((path) => {
    const value = paths.find(path);
    if (value === undefined) return undefined;
    if (value === FOLDER) return "folder";
    if (value === OTHER) return "other";
    // Targets are in memory.
    return { target: byteStringOf(listing.blobs.at(value).content as Uint8Array) };
  }, nameBytes);
  for (const path of links) dangling.judge(path);
  return dangling.gathered;
}
