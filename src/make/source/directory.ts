/**
 * A plain directory as a source. Paths are byte strings ("latin1"), one character to a byte of the name that the file
 * system has.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { checkLimits, checkName, refuseSpecial } from "../../git/names.js";
import { MODE, type Mode } from "../../git/objects.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { isTemporaryName } from "../../node/replace-file.js";
import { bytesOf } from "../base/file-contents.js";
import { Breath } from "../base/yielding.js";
import { SourceBlobs } from "./blobs.js";
import type { ExcludePatterns, ExcludeState } from "./exclude.js";
import { type Listing, type SourceEntry, SourceFolder } from "./listing.js";

/** How to list a directory. */
export interface DirectoryOptions {
  /** Flatten what docteur 0.0.7 cannot represent: executables become plain files, symbolic links are followed. */
  compat: boolean;
  /** Files of the host, absolute, that are not part of the source: the image itself. */
  outputs: readonly string[];
  /** What to leave out without a word. */
  exclude: ExcludePatterns;
  /** Leave out what is no file, directory or symbolic link. */
  skipSpecial: boolean;
  signal?: AbortSignal | undefined;
  /** Told how many files and symbolic links were found so far. */
  onProgress?: ((done: number) => void) | undefined;
}

/** What the file system says of an entry. */
function inspect(path: string, followLinks: boolean): BigIntStats {
  try {
    return followLinks
      ? statSync(bytesOf(path), { bigint: true })
      : lstatSync(bytesOf(path), { bigint: true });
  } catch (cause) {
    const hint = "without --compat a symbolic link is kept as it is";
    const where = { path: shown(path), hint, cause };
    if (followLinks && systemCode(cause) === "ELOOP")
      throw new DocteurError(
        "BadSource",
        `${shown(path)} is a symbolic link that leads back to itself`,
        where,
      );
    if (followLinks && systemCode(cause) === "ENOENT")
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to nothing`, where);
    throw ioError("read", shown(path), cause);
  }
}

/** The mode of a tree entry, by git's rule: a file is executable if its owner may execute it. Or what it is instead. */
function modeOf(found: BigIntStats, compat: boolean): Mode | { special: string } {
  if (found.isDirectory()) return MODE.directory;
  if (found.isSymbolicLink()) return MODE.symlink;
  if (found.isFile()) return !compat && (found.mode & 0o100n) !== 0n ? MODE.executable : MODE.file;
  if (found.isFIFO()) return { special: "a FIFO" };
  if (found.isSocket()) return { special: "a socket" };
  if (found.isBlockDevice() || found.isCharacterDevice()) return { special: "a device" };
  return { special: "no file, directory or symbolic link" };
}

/** A symbolic link's target, as its bytes are. */
function readLink(path: string): Buffer {
  try {
    return readlinkSync(bytesOf(path), { encoding: "buffer" });
  } catch (cause) {
    throw ioError("read", shown(path), cause);
  }
}

/** Identifies a file or folder of the host. */
const inodeOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** A folder that is being listed. */
interface Place {
  /** Of the host, absolute. */
  path: string;
  /** How many names there are between the root and it. */
  depth: number;
  exclude: ExcludeState;
}

class DirectoryLister {
  readonly #options: DirectoryOptions;
  readonly #breath: Breath;
  readonly #outputs: Set<string>;
  readonly #blobs = new SourceBlobs();
  /** Blobs of files with more than one name, by inode. */
  readonly #linked = new Map<string, number>();
  /** The folders that lead to the present one, by inode: a followed link must not lead to one of them. */
  readonly #above = new Set<string>();
  readonly #skipped: string[] = [];
  /** Bytes of the root's path and its slash. */
  readonly #rootLen: number;
  readonly #root: string;
  #fileCount = 0;
  #newest: bigint | undefined;

  constructor(root: string, options: DirectoryOptions) {
    this.#root = root;
    this.#rootLen = root.length + 1;
    this.#options = options;
    this.#breath = new Breath(options.signal);
    this.#outputs = new Set(options.outputs.map((path) => Buffer.from(path).toString("latin1")));
  }

  async list(): Promise<Listing> {
    const place = { path: this.#root, depth: 0, exclude: this.#options.exclude.root };
    const root = await this.#listFolder(place, inspect(this.#root, true));
    const newest = this.#newest === undefined ? undefined : Number(this.#newest / 1_000_000_000n);
    return { root, blobs: this.#blobs, newest, skipped: this.#skipped };
  }

  async #listFolder(place: Place, itself: BigIntStats): Promise<SourceFolder> {
    const { path } = place;
    const key = inodeOf(itself);
    if (this.#options.compat && this.#above.has(key))
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to a directory that it is in`, {
        path: shown(path),
        hint: "without --compat a symbolic link is kept as it is",
      });
    this.#above.add(key);
    const entries: SourceEntry[] = [];
    for (const name of this.#namesIn(path)) {
      await this.#breath.take();
      const entry = await this.#entryOf(place, name);
      if (entry !== undefined) entries.push(entry);
    }
    this.#above.delete(key);
    return new SourceFolder(entries);
  }

  /** Sorted: what is told about, and what is read first, does not depend on the file system's order. */
  #namesIn(path: string): string[] {
    try {
      return readdirSync(bytesOf(path), { encoding: "latin1" }).sort();
    } catch (cause) {
      throw ioError("read", shown(path), cause);
    }
  }

  /** @returns `undefined` for what is left out */
  async #entryOf(place: Place, name: string): Promise<SourceEntry | undefined> {
    const { compat, exclude, skipSpecial } = this.#options;
    const path = `${place.path}/${name}`;
    if (this.#outputs.has(path)) return undefined;
    // What a pattern leaves out as whatever it is need not be a thing that can be looked at.
    if (exclude.step(place.exclude, name, false) === undefined) return undefined;
    const found = inspect(path, compat);
    if (compat && this.#leadsToOutput(path, found)) return undefined;
    const state = exclude.step(place.exclude, name, found.isDirectory());
    if (state === undefined) return undefined;
    const mode = modeOf(found, compat);
    if (name === ".git" || isTemporaryName(name) || (typeof mode === "object" && skipSpecial)) {
      this.#skipped.push(shown(path));
      return undefined;
    }
    if (typeof mode === "object") refuseSpecial(path, mode.special);
    const depth = place.depth + 1;
    checkName(name, mode, path);
    checkLimits(path, path.length - this.#rootLen, depth);
    if (mode === MODE.directory)
      return { name, mode, folder: await this.#listFolder({ path, depth, exclude: state }, found) };
    return { name, mode, blob: this.#blobOf(path, mode === MODE.symlink, found) };
  }

  /** Whether a path, links followed, is an output's. */
  #leadsToOutput(path: string, found: BigIntStats): boolean {
    return found.isFile() && this.#outputs.has(realpathSync.native(bytesOf(path), "latin1"));
  }

  /** A file's or link's index in the listing. */
  #blobOf(path: string, isLink: boolean, found: BigIntStats): number {
    this.#options.onProgress?.(++this.#fileCount);
    if (this.#newest === undefined || found.mtimeNs > this.#newest) this.#newest = found.mtimeNs;
    if (isLink) {
      const content = readLink(path);
      return this.#blobs.add(content.length, content);
    }
    const key = found.nlink > 1n ? inodeOf(found) : undefined;
    const known = key === undefined ? undefined : this.#linked.get(key);
    if (known !== undefined) return known;
    const content = { path, offset: 0, isWhole: true, followsLinks: this.#options.compat };
    const index = this.#blobs.add(Number(found.size), content);
    if (key !== undefined) this.#linked.set(key, index);
    return index;
  }
}

/**
 * Lists a directory: reads names and targets of symbolic links, and no file's content.
 *
 * Entries named `.git` are left out (no git tree may hold one, and what a nested clone or submodule keeps there is no
 * content) and told in `skipped`; the rest of a nested repository is taken as the files that it is. So are the unfinished
 * files of other runs. Names of one file (hard links) share a blob.
 *
 * @param path absolute, symbolic links resolved
 * @throws DocteurError `BadSource` for what no image can hold, `Io` for what cannot be read; the signal's reason
 */
export function listDirectory(path: string, options: DirectoryOptions): Promise<Listing> {
  return new DirectoryLister(Buffer.from(path).toString("latin1").replace(/\/$/, ""), options).list();
}
