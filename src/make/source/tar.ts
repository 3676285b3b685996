/**
 * A tar archive as a source. Members are read in their order, and come to what extracting them would: the last of a path
 * counts. What extraction would write elsewhere, or through a link, is refused instead.
 *
 * Paths are byte strings ("latin1"), from the root of the source and without a slash in front.
 */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { checkLimits, checkName, refuseSpecial } from "../../git/names.js";
import { MODE } from "../../git/objects.js";
import { bytesOf } from "../base/file-contents.js";
import { Breath } from "../base/yielding.js";
import type { Archive } from "./archive.js";
import { SourceBlobs } from "./blobs.js";
import type { ExcludePatterns, ExcludeState } from "./exclude.js";
import { type Listing, type SourceEntry, SourceFolder } from "./listing.js";
import { refuseOtherCompressions } from "./spool.js";
import {
  BLOCK_LEN,
  damaged,
  type PaxRecords,
  parseHeader,
  parseLongName,
  parsePax,
  type TarHeader,
} from "./tar-header.js";
import { Leaves } from "./tar-members.js";

/** How to list an archive. */
export interface TarOptions {
  /** What to leave out without a word. */
  exclude: ExcludePatterns;
  /** Leave out what is no file, directory or symbolic link. */
  skipSpecial: boolean;
  signal?: AbortSignal | undefined;
  /** Told how many members were found so far. */
  onProgress?: ((done: number) => void) | undefined;
}

/** Bytes of an extended header: paths, the longest that there is in one, take far less. */
const EXTENDED_MAX = 1 << 20;

/** What has no place in an image. */
interface Special {
  special: string;
}

type Folder = Map<string, Item>;
/** A folder, a file's or link's number, or what it is instead. */
type Item = Folder | number | Special;

/** Headers about the member that follows. */
interface Pending {
  /** Offset of the first. */
  start: number;
  records: PaxRecords;
  path: string | undefined;
  linkPath: string | undefined;
}

/** Members that are no file, directory or link, by type. */
const SPECIAL: Record<string, string> = {
  "3": "a device",
  "4": "a device",
  "6": "a FIFO",
};

/** Members that stand for files, which they cannot be here: why. */
const UNKNOWN: Record<string, string> = {
  S: "a sparse file of GNU tar's",
  M: "the rest of a file in another volume",
  N: "a list of long names of an old GNU tar",
};

class TarLister {
  readonly #archive: Archive;
  readonly #options: TarOptions;
  readonly #root: Folder = new Map();
  /** What is left out, by path: hard links to it may not be. */
  readonly #leftOut = new Map<string, number | Special>();
  readonly #leaves = new Leaves();
  /** Paths of `.git`. */
  readonly #git = new Set<string>();
  #globals: PaxRecords = {};
  #pending: Pending | undefined;
  #memberCount = 0;

  constructor(archive: Archive, options: TarOptions) {
    this.#archive = archive;
    this.#options = options;
  }

  async list(): Promise<Listing> {
    const breath = new Breath(this.#options.signal);
    for (let at = 0; ; ) {
      const header = this.#header(at);
      if (header === undefined) break;
      at = this.#dispatch(at, header);
      await breath.take();
    }
    if (this.#pending !== undefined)
      this.#damaged("an extended header that belongs to nothing", this.#pending.start);
    return finish(this.#archive.path, this.#root, this.#leaves, this.#git, this.#options);
  }

  /** Reads a header's content, or takes the member that it is of. @returns where the next header is */
  #dispatch(at: number, header: TarHeader): number {
    const next = this.#behind(at, header);
    switch (header.type) {
      case "x":
      case "X": {
        const pending = this.#pendingSince(at);
        pending.records = this.#records(at, header, pending.records);
        return next;
      }
      case "g":
        this.#globals = this.#records(at, header, this.#globals);
        return next;
      case "L":
        this.#pendingSince(at).path = parseLongName(this.#extended(at, header));
        return next;
      case "K":
        this.#pendingSince(at).linkPath = parseLongName(this.#extended(at, header));
        return next;
      case "V": // A label for people.
        return next;
      default: {
        const member = this.#completed(header);
        this.#pending = undefined;
        this.#take(at, member);
        return this.#behind(at, member);
      }
    }
  }

  #pendingSince(start: number): Pending {
    this.#pending ??= { start, records: {}, path: undefined, linkPath: undefined };
    return this.#pending;
  }

  /** A header with what others before it say about its member. */
  #completed(header: TarHeader): TarHeader {
    const { path, linkPath } = this.#pending ?? {};
    const records = { ...this.#globals, ...this.#pending?.records };
    return {
      type: records.isSparse ? "S" : header.type,
      path: records.path ?? path ?? header.path,
      linkPath: records.linkPath ?? linkPath ?? header.linkPath,
      mode: header.mode,
      size: records.size ?? header.size,
      mtime: records.mtime ?? header.mtime,
    };
  }

  #damaged(what: string, at: number): never {
    throw damaged(this.#archive.name, what, at);
  }

  /** Bytes of the archive. */
  #read(at: number, length: number): Buffer {
    if (at + length > this.#archive.size)
      this.#damaged(`it is cut off: it has ${this.#archive.size} bytes, and should go on`, at);
    return this.#archive.read(at, length);
  }

  #header(at: number): TarHeader | undefined {
    if (at === 0) this.#checkBegin();
    const header = parseHeader(this.#read(at, BLOCK_LEN));
    if (header === "checksum") this.#damaged("a header whose checksum is wrong", at);
    if (header === "number") this.#damaged("a header with a number that is none", at);
    if (header !== undefined && header.size < 0) this.#damaged("a header with a size below 0", at);
    return header;
  }

  /** Whether this is an archive at all. */
  #checkBegin(): void {
    const { name, size } = this.#archive;
    const head = this.#archive.read(0, Math.min(size, BLOCK_LEN));
    if (head.length === BLOCK_LEN && parseHeader(head) !== "checksum") return;
    refuseOtherCompressions(name, head);
    throw new DocteurError("BadSource", `${name} is no tar archive`, {
      path: name,
      hint: "the source is a git repository, a directory, or a tar archive, plain or compressed by gzip",
    });
  }

  /** Where a member's content ends, filled up to whole blocks. */
  #behind(at: number, { type, size }: TarHeader): number {
    // Links, devices, directories and FIFOs have no content, whatever their size means.
    const length = "123456".includes(type) ? 0 : size;
    return at + BLOCK_LEN + Math.ceil(length / BLOCK_LEN) * BLOCK_LEN;
  }

  #extended(at: number, { size }: TarHeader): Buffer {
    if (size > EXTENDED_MAX) this.#damaged(`an extended header of ${size} bytes, more than any needs`, at);
    return this.#read(at + BLOCK_LEN, size);
  }

  #records(at: number, header: TarHeader, base: PaxRecords): PaxRecords {
    return parsePax(this.#extended(at, header), base) ?? this.#damaged("a damaged extended header", at);
  }

  /** Takes a member over. */
  #take(at: number, header: TarHeader): void {
    this.#options.onProgress?.(++this.#memberCount);
    const names = this.#namesOf(header.path, at);
    const path = names.join("/");
    checkLimits(path, path.length, names.length);
    // Programs of old had no other sign of a directory.
    const isFolder = "5D".includes(header.type) || ("07".includes(header.type) && header.path.endsWith("/"));
    if (isFolder) {
      if (!this.#isLeftOut(names, true)) this.#folderAt(names);
      return;
    }
    if (names.length === 0) this.#damaged("a member that has no name", at);
    const item = this.#itemOf(at, header, path);
    if (this.#isLeftOut(names, false)) this.#leftOut.set(path, item);
    else this.#place(names, item);
  }

  /** The names of a path: none for the root. */
  #namesOf(path: string, at: number): string[] {
    if (path.includes("\0")) this.#damaged("a path with a zero byte in it", at);
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    // A copy: what split gives is a view of the whole path, which a million of entries would keep.
    if (names.length > 1) names.push(bytesOf(names.pop()!).toString("latin1"));
    if (names.includes("..")) this.#damaged(`a path that leads out of the archive, ${shown(path)}`, at);
    return names;
  }

  #itemOf(at: number, header: TarHeader, path: string): number | Special {
    const { type, size, linkPath, mtime, mode } = header;
    switch (type) {
      case "0":
      case "7": {
        const offset = at + BLOCK_LEN;
        if (size > this.#archive.size - offset)
          this.#damaged(`it is cut off in ${shown(path)}: it has ${this.#archive.size} bytes`, at);
        const isExecutable = (mode & 0o100) !== 0;
        return this.#leaves.add({
          mode: isExecutable ? MODE.executable : MODE.file,
          size,
          content: offset,
          mtime,
        });
      }
      case "1":
        return this.#linked(this.#namesOf(linkPath, at), path, at);
      case "2": {
        if (linkPath === "" || linkPath.includes("\0"))
          this.#damaged(`a symbolic link with no proper target, ${shown(path)}`, at);
        const content = new Uint8Array(Buffer.from(linkPath, "latin1"));
        return this.#leaves.add({ mode: MODE.symlink, size: content.length, content, mtime });
      }
      default: {
        const special = SPECIAL[type];
        if (special !== undefined) return { special };
        const what = UNKNOWN[type] ?? `a member of type ${JSON.stringify(type)}`;
        throw new DocteurError(
          "BadSource",
          `${this.#archive.name}: ${shown(path)} is ${what}, at byte ${at}`,
          {
            path: shown(path),
            hint: "extract the archive, and make the image of the directory",
          },
        );
      }
    }
  }

  /** What a hard link is to: a file, mostly. */
  #linked(names: readonly string[], from: string, at: number): number | Special {
    let item: Item | undefined = this.#root;
    for (const name of names) item = item instanceof Map ? item.get(name) : undefined;
    const path = names.join("/");
    const found = item instanceof Map ? undefined : item;
    return (
      found ??
      this.#leftOut.get(path) ??
      this.#damaged(`a hard link, ${shown(from)}, to no file before it, ${shown(path)}`, at)
    );
  }

  /** Whether patterns leave a path out, or git's rules. */
  #isLeftOut(names: readonly string[], isFolder: boolean): boolean {
    let state: ExcludeState | undefined = this.#options.exclude.root;
    for (const [index, name] of names.entries()) {
      state = this.#options.exclude.step(state, name, isFolder || index < names.length - 1);
      if (state === undefined) return true;
      if (name !== ".git") continue;
      this.#git.add(names.slice(0, index + 1).join("/"));
      return true;
    }
    return false;
  }

  /** The folder of a path; what is no folder there is replaced. */
  #folderAt(names: readonly string[]): void {
    const name = names.at(-1);
    if (name === undefined) return;
    const parent = this.#parentOf(names);
    if (!(parent.get(name) instanceof Map)) parent.set(name, new Map());
  }

  /** The folder that a path's last name is in, with those that it is in. */
  #parentOf(names: readonly string[]): Folder {
    let folder = this.#root;
    for (const [index, name] of names.slice(0, -1).entries()) {
      let item = folder.get(name);
      if (item === undefined) {
        item = new Map();
        folder.set(name, item);
      }
      if (!(item instanceof Map)) {
        const path = shown(names.slice(0, index + 1).join("/"));
        throw new DocteurError(
          "BadSource",
          `${this.#archive.name}: ${path} is no directory, but has entries`,
          {
            path,
            hint: "a member of the archive lies in another that is a file or a link",
          },
        );
      }
      folder = item;
    }
    return folder;
  }

  #place(names: readonly string[], item: number | Special): void {
    const parent = this.#parentOf(names);
    const name = names.at(-1)!;
    const before = parent.get(name);
    if (before instanceof Map && before.size > 0) {
      const path = shown(names.join("/"));
      throw new DocteurError("BadSource", `${this.#archive.name}: ${path} is a directory, and no directory`, {
        path,
        hint: "two members of the archive have this path",
      });
    }
    parent.set(name, item);
  }
}

/**
 * The listing of what is in the archive's folders at its end. Empties them on the way: there may be many.
 * @param path the archive's
 */
function finish(
  path: string,
  root: Folder,
  leaves: Leaves,
  git: ReadonlySet<string>,
  options: TarOptions,
): Listing {
  const blobs = new SourceBlobs();
  const skipped = Array.from(git, shown);
  let newest: number | undefined;
  const indexOf = (leaf: number): number => {
    const mtime = leaves.mtimeOf(leaf);
    if (newest === undefined || mtime > newest) newest = mtime;
    return leaves.indexIn(blobs, leaf, path);
  };
  // No deeper than the paths' limit.
  const convert = (folder: Folder, prefix: string): SourceFolder => {
    const entries: SourceEntry[] = [];
    for (const [name, item] of folder) {
      const path = prefix + name;
      if (item instanceof Map) {
        checkName(name, MODE.directory, path);
        entries.push({ name, mode: MODE.directory, folder: convert(item, `${path}/`) });
      } else if (typeof item !== "number") {
        if (!options.skipSpecial) refuseSpecial(path, item.special);
        skipped.push(shown(path));
      } else {
        const mode = leaves.modeOf(item);
        checkName(name, mode, path);
        entries.push({ name, mode, blob: indexOf(item) });
      }
    }
    folder.clear();
    return new SourceFolder(entries);
  };
  return { root: convert(root, ""), blobs, newest, skipped: skipped.sort() };
}

/**
 * Lists a tar archive: Version 7, ustar, pax, and GNU's long names and large numbers. Nothing of a file's content is read.
 *
 * Slashes and `./` in front of paths are taken away. Directories that are not listed are made up. Entries named `.git` are
 * left out and told in `skipped`.
 *
 * @throws DocteurError `BadSource` for a damaged archive, and what no image can hold; `Io`; the signal's reason
 */
export function listTar(archive: Archive, options: TarOptions): Promise<Listing> {
  return new TarLister(archive, options).list();
}
