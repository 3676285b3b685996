/**
 * A tar archive as a source. Members are read in their order, as GNU tar reads them. The result is that of
 * extracting them: the last member of a path counts. Members that extraction would write elsewhere, or
 * through a link, are refused, and so are those that GNU tar reports as errors.
 *
 * Paths are byte strings ("latin1"), from the root of the source and without a slash in front.
 */
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { MODE } from "../../git/objects.js";
import { Breath } from "../base/yielding.js";
import type { Archive } from "./archive.js";
import { notAnArchive } from "./compression.js";
import type { Listing } from "./listing.js";
import { type ArchiveOptions, endsInDot, MemberPaths } from "./member-paths.js";
import { Named } from "./named.js";
import { type PaxRecords, parsePax } from "./pax.js";
import { BLOCK_LEN, damaged, isZeroBlock, parseHeader, parseLongName, type TarHeader } from "./tar-header.js";
import { SPECIAL, TarTree } from "./tar-tree.js";

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

class TarLister {
  readonly #archive: Archive;
  readonly #options: ArchiveOptions;
  readonly #tree: TarTree;
  readonly #paths: MemberPaths;
  readonly #unknown = new Named();
  #globals: PaxRecords = {};
  #pending: Pending | undefined;
  #memberCount = 0;

  constructor(archive: Archive, options: ArchiveOptions) {
    this.#archive = archive;
    this.#options = options;
    this.#tree = new TarTree(archive);
    this.#paths = new MemberPaths(archive.name, this.#tree, options);
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
    this.#paths.finish();
    return { ...this.#tree.finish(this.#options.skipSpecial), strippedCount: this.#paths.strippedCount };
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
    throw notAnArchive(name, head);
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
    const isDirectory = isFolder(header);
    const member = this.#paths.locate(names, isDirectory);
    if (isDirectory) {
      this.#paths.addFolder(member, endsInDot(header.path));
      return;
    }
    if (names.length === 0) this.#damaged("a member that has no name", at);
    if (endsInDot(header.path))
      this.#damaged(`a file or link named ${shown(header.path)}, as only a directory can be`, at);
    this.#paths.add(member, this.#itemOf(at, header, member.path));
  }

  /** The names of a path: none for the root. */
  #namesOf(path: string, at: number): string[] {
    const names = this.#paths.namesOf(path);
    return Array.isArray(names) ? names : this.#damaged(names.defect, at);
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
        : this.#tree.find(this.#paths.placeOf(names).path, path);
    return found ?? this.#damaged(`a hard link, ${shown(from)}, to no file before it, ${shown(path)}`, at);
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
export function listTar(archive: Archive, options: ArchiveOptions): Promise<Listing> {
  return new TarLister(archive, options).list();
}
