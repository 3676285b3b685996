/**
 * A tar archive as a source. Members are read in their order, as GNU tar reads them. The result is that of
 * extracting them: the last member of a path counts. Members that extraction would write elsewhere, or
 * through a link, are refused, and so are those that GNU tar reports as errors.
 *
 * Paths are byte strings ("latin1"), from the root of the source and without a slash in front.
 */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { checkLimits } from "../../git/names.js";
import { MODE } from "../../git/objects.js";
import { Breath } from "../base/yielding.js";
import type { Archive } from "./archive.js";
import type { ExcludePatterns, ExcludeState } from "./exclude.js";
import type { Listing } from "./listing.js";
import { Named } from "./named.js";
import { noSuchPart, type SourcePart, WHOLE } from "./part.js";
import { type PaxRecords, parsePax } from "./pax.js";
import { refuseOtherCompressions } from "./spool.js";
import { BLOCK_LEN, damaged, isZeroBlock, parseHeader, parseLongName, type TarHeader } from "./tar-header.js";
import { SPECIAL, TarTree } from "./tar-tree.js";

/** How to list an archive. */
export interface TarOptions {
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

/** The most bytes of an extended header: paths, its longest values, take far less. */
const EXTENDED_MAX = 1 << 20;

/** Headers about the member that follows. */
interface Pending {
  /** Offset of the first. */
  start: number;
  records: PaxRecords;
  path: string | undefined;
  linkPath: string | undefined;
}

/** Member types that are unsupported and must not be read as files, with the reasons. */
const NO_FILES: Record<string, string> = {
  S: "a sparse file of GNU tar's",
  M: "the rest of a file in another volume",
  N: "a list of long names of an old GNU tar",
};

/** Types that files have: POSIX's, and contiguous files. */
const FILES = "07";
/** Types without content, even if their size is not 0: links, devices, directories and FIFOs. */
const WITHOUT_CONTENT = "123456";

/** Whether a member is a directory. Old programs marked one only by a slash at the end of its path. */
function isFolder({ type, path }: TarHeader): boolean {
  return "5D".includes(type) || (FILES.includes(type) && path.length > 1 && path.endsWith("/"));
}

/** Whether a path's last name is a dot: it leads to a directory, or nowhere. */
const endsInDot = (path: string): boolean => /\/\.\/*$/.test(path);

class TarLister {
  readonly #archive: Archive;
  readonly #options: TarOptions;
  readonly #part: SourcePart;
  readonly #tree: TarTree;
  readonly #unknown = new Named();
  #globals: PaxRecords = {};
  #pending: Pending | undefined;
  #memberCount = 0;
  #strippedCount = 0;
  #hasSubdir = false;

  constructor(archive: Archive, options: TarOptions) {
    this.#archive = archive;
    this.#options = options;
    this.#part = options.part ?? WHOLE;
    this.#tree = new TarTree(archive);
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
    if (this.#unknown.count > 0)
      this.#notice(`members of unknown types are taken for files, as POSIX has it: ${this.#unknown}`);
    const { subdir } = this.#part;
    if (subdir.length > 0 && !this.#hasSubdir) throw noSuchPart(this.#archive.name, subdir);
    return { ...this.#tree.finish(this.#options.skipSpecial), strippedCount: this.#strippedCount };
  }

  #notice(text: string): void {
    this.#options.onNotice?.(`${this.#archive.name}: ${text}`);
  }

  /**
   * Reads the content of an extended header, or takes an ordinary member.
   * @returns the offset of the next header
   */
  #dispatch(at: number, header: TarHeader): number {
    const next = this.#behind(at, header);
    switch (header.type) {
      case "x":
      case "X":
        // The last one counts alone.
        this.#pendingSince(at).records = this.#records(at, header);
        return next;
      case "g":
        this.#globals = this.#records(at, header);
        return next;
      case "L":
        this.#pendingSince(at).path = parseLongName(this.#extended(at, header, next));
        return next;
      case "K":
        this.#pendingSince(at).linkPath = parseLongName(this.#extended(at, header, next));
        return next;
      default: {
        const member = this.#completed(header);
        this.#pending = undefined;
        // A volume label is only for people.
        if (member.type !== "V") this.#take(at, member);
        return this.#behind(at, member);
      }
    }
  }

  #pendingSince(start: number): Pending {
    this.#pending ??= { start, records: {}, path: undefined, linkPath: undefined };
    return this.#pending;
  }

  /** A header, with the fields that earlier headers give for its member. */
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

  /** @returns `undefined` at the archive's end */
  #header(at: number): TarHeader | undefined {
    if (at === 0) this.#checkBegin();
    if (at > 0 && at === this.#archive.size) {
      if (!this.#archive.isWhole)
        this.#notice("it ends without blocks of zeros: what may have followed is lost");
      return undefined;
    }
    const header = parseHeader(this.#read(at, BLOCK_LEN));
    if (header === "checksum") this.#damaged("a header whose checksum is wrong", at);
    if (header === "number") this.#damaged("a header with a field that is not a number", at);
    if (header === undefined) this.#checkEnd(at + BLOCK_LEN);
    else if (header.size < 0) this.#damaged("a header with a size below 0", at);
    return header;
  }

  /** Checks that this is an archive at all. */
  #checkBegin(): void {
    const { name, size } = this.#archive;
    const head = this.#archive.read(0, Math.min(size, BLOCK_LEN));
    if (head.length === BLOCK_LEN && parseHeader(head) !== "checksum") return;
    refuseOtherCompressions(name, head);
    throw new DocteurError("BadSource", `${name} is not a tar archive`, {
      path: name,
      hint: "the source is a git repository, a directory, or a tar archive, plain or compressed by gzip",
    });
  }

  /** Checks the data after the first block of zeros: another such block, or nothing. */
  #checkEnd(at: number): void {
    if (at + BLOCK_LEN <= this.#archive.size && !isZeroBlock(this.#archive.read(at, BLOCK_LEN)))
      this.#notice(`a lone block of zeros before byte ${at} ends it: what follows is not read`);
  }

  /** The end of a member's content, rounded up to whole blocks. */
  #behind(at: number, header: TarHeader): number {
    const hasContent = !WITHOUT_CONTENT.includes(header.type) && (header.type === "D" || !isFolder(header));
    const length = hasContent ? header.size : 0;
    return at + BLOCK_LEN + Math.ceil(length / BLOCK_LEN) * BLOCK_LEN;
  }

  /** The content of an extended header: the whole blocks to `end`, or as many bytes as it has. */
  #extended(at: number, { size }: TarHeader, end = at + BLOCK_LEN + size): Buffer {
    if (size > EXTENDED_MAX) this.#damaged(`an extended header of ${size} bytes, more than any needs`, at);
    return this.#read(at + BLOCK_LEN, end - at - BLOCK_LEN);
  }

  #records(at: number, header: TarHeader): PaxRecords {
    return parsePax(this.#extended(at, header)) ?? this.#damaged("a damaged extended header", at);
  }

  /** Adds a member. */
  #take(at: number, header: TarHeader): void {
    this.#options.onProgress?.(++this.#memberCount);
    const names = this.#namesOf(header.path, at);
    const path = names.join("/");
    checkLimits(path, path.length, names.length);
    const place = this.#placeOf(names);
    const isDirectory = isFolder(header);
    // A .git outside the image is not reported.
    const isIn = place.isBelow && !this.#isLeftOut(names, isDirectory);
    if (isIn && (isDirectory || names.length > this.#part.subdir.length)) this.#hasSubdir = true;
    if (isDirectory) {
      if (isIn && place.path !== undefined) this.#tree.addFolder(place.path, endsInDot(header.path));
      return;
    }
    if (names.length === 0) this.#damaged("a member that has no name", at);
    if (endsInDot(header.path))
      this.#damaged(`a file or link named ${shown(header.path)}, as only a directory can be`, at);
    const item = this.#itemOf(at, header, path);
    if (isIn && place.path !== undefined) this.#tree.place(place.path, item);
    else this.#tree.leaveOut(path, item);
    if (isIn && place.path === undefined && names.length > this.#part.subdir.length) this.#strippedCount++;
  }

  /** The place in the image of a path of the archive: `path` is undefined if it is outside, or the root. */
  #placeOf(names: readonly string[]): { path: string | undefined; isBelow: boolean } {
    const { subdir, strip } = this.#part;
    const isBelow = subdir.every((name, at) => names[at] === name);
    const left = names.slice(subdir.length + strip);
    return { path: isBelow && left.length > 0 ? left.join("/") : undefined, isBelow };
  }

  /** The names of a path: none for the root. */
  #namesOf(path: string, at: number): string[] {
    if (path.includes("\0")) this.#damaged("a path with a zero byte in it", at);
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    if (names.includes("..")) this.#damaged(`a path that leads out of the archive, ${shown(path)}`, at);
    return names;
  }

  /** A member's number in the tree. */
  #itemOf(at: number, header: TarHeader, path: string): number {
    const { type, linkPath, mtime } = header;
    if (type === "1") return this.#linked(linkPath, path, at);
    if (type in SPECIAL) return SPECIAL[type]!;
    if (type in NO_FILES)
      throw new DocteurError(
        "BadSource",
        `${this.#archive.name}: ${shown(path)} is ${NO_FILES[type]}, at byte ${at}`,
        { path: shown(path), hint: "extract the archive, and make the image of the directory" },
      );
    if (type !== "2") return this.#file(at, header, path);
    if (linkPath === "" || linkPath.includes("\0"))
      this.#damaged(`a symbolic link with no proper target, ${shown(path)}`, at);
    const content = new Uint8Array(Buffer.from(linkPath, "latin1"));
    return this.#tree.members.add({ mode: MODE.symlink, size: content.length, content, mtime });
  }

  #file(at: number, { type, size, mode, mtime }: TarHeader, path: string): number {
    const offset = at + BLOCK_LEN;
    if (size > this.#archive.size - offset)
      this.#damaged(`it is cut off in ${shown(path)}: it has ${this.#archive.size} bytes`, at);
    if (!FILES.includes(type)) this.#unknown.add(`${shown(path)} (${JSON.stringify(type)})`);
    const isExecutable = (mode & 0o100) !== 0;
    const fileMode = isExecutable ? MODE.executable : MODE.file;
    return this.#tree.members.add({ mode: fileMode, size, content: offset, mtime });
  }

  /** The target of a hard link: usually a file. */
  #linked(target: string, from: string, at: number): number {
    const names = this.#namesOf(target, at);
    const path = names.join("/");
    const found =
      endsInDot(target) || target.endsWith("/")
        ? undefined
        : this.#tree.find(this.#placeOf(names).path, path);
    return found ?? this.#damaged(`a hard link, ${shown(from)}, to no file before it, ${shown(path)}`, at);
  }

  /** Whether patterns or git's rules leave a path out. */
  #isLeftOut(names: readonly string[], isDirectory: boolean): boolean {
    let state: ExcludeState | undefined = this.#options.exclude.root;
    for (const [index, name] of names.entries()) {
      state = this.#options.exclude.step(state, name, isDirectory || index < names.length - 1);
      if (state === undefined) return true;
      if (name !== ".git") continue;
      this.#tree.skipGit(names.slice(0, index + 1).join("/"));
      return true;
    }
    return false;
  }
}

/**
 * Lists a tar archive: Version 7, ustar, pax, and GNU's long names and large numbers. No file's content is
 * read.
 *
 * Slashes and `./` in front of paths are removed. Missing directories are added. Entries named `.git` are
 * left out and listed in `skipped`.
 *
 * @throws DocteurError `BadSource` for a damaged archive, and for entries that no image can hold; `Io`; the
 *   signal's reason
 */
export function listTar(archive: Archive, options: TarOptions): Promise<Listing> {
  return new TarLister(archive, options).list();
}
