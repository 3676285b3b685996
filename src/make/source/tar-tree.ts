/** The tree of an archive's paths, as it is after its last member. */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { checkName, refuseSpecial } from "../../git/names.js";
import { MODE } from "../../git/objects.js";
import type { Archive } from "./archive.js";
import { type Listing, SkippedPaths, type SourceVisitor } from "./listing.js";
import { FOLDER, NotAFolder, PathTree } from "./path-tree.js";
import { Leaves } from "./tar-members.js";

/** The numbers of special files, which no image holds. They are above those of members. */
export const DEVICE = 0xfffffff0;
export const FIFO = 0xfffffff1;
export const SOCKET = 0xfffffff2;

/** Their names, for people. */
const SPECIAL_NAMES: Record<number, string> = {
  [DEVICE]: "a device",
  [FIFO]: "a FIFO",
  [SOCKET]: "a socket",
};

/** Special files by the type that a tar archive gives them. */
export const SPECIAL: Record<string, number> = { "3": DEVICE, "4": DEVICE, "6": FIFO };

const isSpecial = (item: number): boolean => item >= DEVICE;

/** Keeps the names of the present folders of a walk. */
class Trail {
  readonly #names: string[] = [];

  enter(name: string): void {
    this.#names.push(name);
  }

  leave(): void {
    this.#names.pop();
  }

  /** The path of an entry of the present folder. */
  to(name: string): string {
    return [...this.#names, name].join("/");
  }
}

/** See the file's head. */
export class TarTree {
  readonly #archive: Pick<Archive, "name" | "path">;
  readonly #paths = new PathTree();
  /** The members that are left out. A hard link to one may still be in the image. */
  readonly #leftOut = new PathTree();
  /** Paths of `.git`. */
  readonly #git = new PathTree();
  readonly members = new Leaves();

  /** @param archive its name for people, and the file that contains the members' content: a byte string */
  constructor(archive: Pick<Archive, "name" | "path">) {
    this.#archive = archive;
  }

  /**
   * A member's number, or a special file's.
   * @param place its path in the image, undefined if it is not in the image
   * @param path its path in the archive
   */
  find(place: string | undefined, path: string): number | undefined {
    const item = place === undefined ? undefined : this.#paths.find(place);
    if (item !== undefined && item !== FOLDER) return item;
    const leftOut = this.#leftOut.find(path);
    return leftOut === FOLDER ? undefined : leftOut;
  }

  /**
   * Makes a folder. It replaces an entry that is not a folder.
   * @param mustFit whether an entry that is not a folder is an error instead
   */
  addFolder(path: string, mustFit: boolean): void {
    const found = this.#paths.find(path);
    if (mustFit && found !== undefined && found !== FOLDER) this.#refuseThrough(path);
    this.#through(() => this.#paths.addFolder(path));
  }

  /** Adds a member, or a special file. */
  place(path: string, item: number): void {
    if (this.#through(() => this.#paths.set(path, item))) return;
    const place = shown(path);
    throw new DocteurError("BadSource", `${this.#archive.name}: ${place} is a directory, and no directory`, {
      path: place,
      hint: "two members of the archive have this path",
    });
  }

  /** Notes a member that is left out. @param path in the archive */
  leaveOut(path: string, item: number): void {
    try {
      this.#leftOut.set(path, item);
    } catch (error) {
      // A member below a file: no hard link leads to it.
      if (!(error instanceof NotAFolder)) throw error;
    }
  }

  /** Notes a `.git`. */
  skipGit(path: string): void {
    this.#git.set(path, 0);
  }

  #through<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      if (error instanceof NotAFolder) return this.#refuseThrough(error.path);
      throw error;
    }
  }

  #refuseThrough(path: string): never {
    throw new DocteurError(
      "BadSource",
      `${this.#archive.name}: ${shown(path)} is no directory, but has entries`,
      {
        path: shown(path),
        hint: "a member of the archive lies in another that is a file or a link",
      },
    );
  }

  /**
   * The listing of all entries after the archive's last member.
   * @throws DocteurError `BadSource` for entries that no image can hold
   */
  finish(skipSpecial: boolean): Omit<Listing, "strippedCount"> {
    const { members } = this;
    const { newest, skipped } = this.#check(skipSpecial);
    const blobs = members.blobs(this.#archive.path);
    const paths = this.#paths;
    paths.seal();
    const walk = (visitor: SourceVisitor): void =>
      paths.walk({
        enter: (name) => visitor.enter(name),
        leaf: (name, item) => {
          if (!isSpecial(item)) visitor.leaf(name, members.modeOf(item), members.indexOf(item));
        },
        leave: () => visitor.leave(),
      });
    return { tree: { walk, folderCount: () => paths.folderCount() }, blobs, newest, skipped };
  }

  /** Checks all names, and finds out which members are in use. */
  #check(skipSpecial: boolean): Pick<Listing, "newest" | "skipped"> {
    const { members } = this;
    const skipped = new SkippedPaths();
    const gitTrail = new Trail();
    this.#git.walk({
      enter: (name) => gitTrail.enter(name),
      leaf: (name) => skipped.add(gitTrail.to(name), "git"),
      leave: () => gitTrail.leave(),
    });
    let newest: number | undefined;
    const trail = new Trail();
    this.#paths.walk({
      enter: (name) => {
        checkName(name, MODE.directory, () => trail.to(name));
        trail.enter(name);
      },
      leaf: (name, item) => {
        if (isSpecial(item)) {
          if (!skipSpecial) refuseSpecial(trail.to(name), SPECIAL_NAMES[item]!);
          skipped.add(trail.to(name), "special");
          return;
        }
        checkName(name, members.modeOf(item), () => trail.to(name));
        members.use(item);
        const mtime = members.mtimeOf(item);
        if (newest === undefined || mtime > newest) newest = mtime;
      },
      leave: () => trail.leave(),
    });
    skipped.first.sort((left, right) => (left.sourcePath < right.sourcePath ? -1 : 1));
    return { newest, skipped };
  }
}
