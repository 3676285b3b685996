/** Where an archive's members go in the image: the rules for paths that all formats of archives share. */
import { shown } from "../../git/byte-string.js";
import { checkLimits } from "../../git/names.js";
import type { ExcludePatterns, ExcludeState } from "./exclude.js";
import { noSuchPart, type SourcePart, WHOLE } from "./part.js";
import type { TarTree } from "./tar-tree.js";

/** How to list an archive. */
export interface ArchiveOptions {
  /** Patterns of the entries to leave out silently, by path in the archive. */
  exclude: ExcludePatterns;
  /** The part of the archive that becomes the image's root: by default all of it. */
  part?: SourcePart | undefined;
  /** Leave out special files: FIFOs and devices. */
  skipSpecial: boolean;
  signal?: AbortSignal | undefined;
  /** Receives the number of members found so far. */
  onProgress?: ((done: number) => void) | undefined;
  /** Receives notices, a line each, about members that were read in an unexpected way. */
  onNotice?: ((text: string) => void) | undefined;
}

/** A member's place. */
export interface MemberPlace {
  /** Its path in the archive, without slashes at its ends. */
  path: string;
  names: readonly string[];
  /** Its path in the image; undefined if it is outside the image's part, or the root. */
  place: string | undefined;
  /** Whether it lies in the part of the archive that becomes the image, and nothing leaves it out. */
  isIn: boolean;
}

/** Whether a path's last name is a dot: it leads to a directory, or nowhere. */
export const endsInDot = (path: string): boolean => /\/\.\/*$/.test(path);

/** See the file's head. */
export class MemberPaths {
  readonly #archive: string;
  readonly #tree: TarTree;
  readonly #exclude: ExcludePatterns;
  readonly #part: SourcePart;
  #hasSubdir = false;
  /** Files and links whose whole path is removed. */
  strippedCount = 0;

  /** @param archive its name, for people */
  constructor(archive: string, tree: TarTree, { exclude, part }: ArchiveOptions) {
    this.#archive = archive;
    this.#tree = tree;
    this.#exclude = exclude;
    this.#part = part ?? WHOLE;
  }

  /**
   * The names of a path: none for the root.
   * @returns the defect of a path that no archive may have
   */
  namesOf(path: string): string[] | { defect: string } {
    if (path.includes("\0")) return { defect: "a path with a zero byte in it" };
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    if (names.includes("..")) return { defect: `a path that leads out of the archive, ${shown(path)}` };
    return names;
  }

  /** The place in the image of a path of the archive: `path` is undefined if it is outside, or the root. */
  placeOf(names: readonly string[]): { path: string | undefined; isBelow: boolean } {
    const { subdir, strip } = this.#part;
    const isBelow = subdir.every((name, at) => names[at] === name);
    const left = names.slice(subdir.length + strip);
    return { path: isBelow && left.length > 0 ? left.join("/") : undefined, isBelow };
  }

  /** Finds a member's place. It notes a `.git`, which is left out. */
  locate(names: readonly string[], isDirectory: boolean): MemberPlace {
    const path = names.join("/");
    checkLimits(path, path.length, names.length);
    const { path: place, isBelow } = this.placeOf(names);
    // A .git outside the image is not reported.
    const isIn = isBelow && !this.#isLeftOut(names, isDirectory);
    if (isIn && (isDirectory || names.length > this.#part.subdir.length)) this.#hasSubdir = true;
    return { path, names, place, isIn };
  }

  /** Adds a directory. @param mustFit see `TarTree.addFolder` */
  addFolder({ place, isIn }: MemberPlace, mustFit: boolean): void {
    if (isIn && place !== undefined) this.#tree.addFolder(place, mustFit);
  }

  /** Adds a file, a link or a special file. @param item its number in the tree */
  add({ path, names, place, isIn }: MemberPlace, item: number): void {
    if (isIn && place !== undefined) this.#tree.place(place, item);
    else this.#tree.leaveOut(path, item);
    if (isIn && place === undefined && names.length > this.#part.subdir.length) this.strippedCount++;
  }

  /** @throws DocteurError `NoSuchRevision` if the archive lacks the directory that becomes the root */
  finish(): void {
    const { subdir } = this.#part;
    if (subdir.length > 0 && !this.#hasSubdir) throw noSuchPart(this.#archive, subdir);
  }

  /** Whether patterns or git's rules leave a path out. */
  #isLeftOut(names: readonly string[], isDirectory: boolean): boolean {
    let state: ExcludeState | undefined = this.#exclude.root;
    for (const [index, name] of names.entries()) {
      state = this.#exclude.step(state, name, isDirectory || index < names.length - 1);
      if (state === undefined) return true;
      if (name !== ".git") continue;
      this.#tree.skipGit(names.slice(0, index + 1).join("/"));
      return true;
    }
    return false;
  }
}
