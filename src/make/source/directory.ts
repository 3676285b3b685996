/**
 * A plain directory as a source. Paths are byte strings ("latin1"), one character to a byte of the name that the file
 * system has.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../io-error.js";
import { Breath } from "../breath.js";
import { MODE, type Mode } from "../objects.js";
import { bytesOf, shown } from "./file.js";
import type { Listing, SourceBlob, SourceEntry, SourceFolder } from "./folder.js";

/** How to list a directory. */
export interface DirectoryOptions {
  /** Flatten what docteur 0.0.7 cannot represent: executables become plain files, symbolic links are followed. */
  compat: boolean;
  /** Files of the host, absolute, that are not part of the source: the image itself. */
  excluded: readonly string[];
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

/** The mode of a tree entry, by git's rule: a file is executable if its owner may execute it. */
function modeOf(path: string, found: BigIntStats, compat: boolean): Mode {
  if (found.isDirectory()) return MODE.directory;
  if (found.isSymbolicLink()) return MODE.symlink;
  if (found.isFile()) return !compat && (found.mode & 0o100n) !== 0n ? MODE.executable : MODE.file;
  const kind = found.isFIFO()
    ? "a FIFO"
    : found.isSocket()
      ? "a socket"
      : found.isBlockDevice() || found.isCharacterDevice()
        ? "a device"
        : "no file, directory or symbolic link";
  throw new DocteurError("BadSource", `${shown(path)} is ${kind}`, {
    path: shown(path),
    hint: "an image holds files, directories and symbolic links: move it out of the source",
  });
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

class DirectoryLister {
  readonly #options: DirectoryOptions;
  readonly #breath: Breath;
  readonly #excluded: Set<string>;
  readonly #blobs: SourceBlob[] = [];
  /** Blobs of files with more than one name, by inode. */
  readonly #linked = new Map<string, number>();
  /** The folders that lead to the present one, by inode: a followed link must not lead to one of them. */
  readonly #above = new Set<string>();
  readonly #skipped: string[] = [];
  #fileCount = 0;
  #newest: bigint | undefined;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#breath = new Breath(options.signal);
    this.#excluded = new Set(options.excluded.map((path) => Buffer.from(path).toString("latin1")));
  }

  async list(path: string): Promise<Listing> {
    const root = await this.#listFolder(path, inspect(path, true));
    const newest = this.#newest === undefined ? undefined : Number(this.#newest / 1_000_000_000n);
    return { root, blobs: this.#blobs, newest, skipped: this.#skipped };
  }

  async #listFolder(path: string, itself: BigIntStats): Promise<SourceFolder> {
    const { compat } = this.#options;
    const key = inodeOf(itself);
    if (compat && this.#above.has(key))
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to a directory that it is in`, {
        path: shown(path),
        hint: "without --compat a symbolic link is kept as it is",
      });
    this.#above.add(key);
    const entries: SourceEntry[] = [];
    for (const name of this.#namesIn(path)) {
      await this.#breath.take();
      const entryPath = `${path}/${name}`;
      if (this.#excluded.has(entryPath)) continue;
      if (name === ".git") {
        this.#skipped.push(shown(entryPath));
        continue;
      }
      const found = inspect(entryPath, compat);
      const mode = modeOf(entryPath, found, compat);
      if (mode === MODE.directory)
        entries.push({ name, mode, folder: await this.#listFolder(entryPath, found) });
      else entries.push({ name, mode, blob: this.#blobOf(entryPath, mode === MODE.symlink, found) });
    }
    this.#above.delete(key);
    return { entries };
  }

  /** Sorted: what is told about, and what is read first, does not depend on the file system's order. */
  #namesIn(path: string): string[] {
    try {
      return readdirSync(bytesOf(path), { encoding: "latin1" }).sort();
    } catch (cause) {
      throw ioError("read", shown(path), cause);
    }
  }

  /** A file's or link's index in the listing. */
  #blobOf(path: string, isLink: boolean, found: BigIntStats): number {
    this.#options.onProgress?.(++this.#fileCount);
    if (this.#newest === undefined || found.mtimeNs > this.#newest) this.#newest = found.mtimeNs;
    if (isLink) {
      const content = readLink(path);
      return this.#blobs.push({ size: content.length, content }) - 1;
    }
    const key = found.nlink > 1n ? inodeOf(found) : undefined;
    const known = key === undefined ? undefined : this.#linked.get(key);
    if (known !== undefined) return known;
    const content = { path, offset: 0, isWhole: true, followsLinks: this.#options.compat };
    const index = this.#blobs.push({ size: Number(found.size), content }) - 1;
    if (key !== undefined) this.#linked.set(key, index);
    return index;
  }
}

/**
 * Lists a directory: reads names and targets of symbolic links, and no file's content.
 *
 * Entries named `.git` are left out (no git tree may hold one, and what a nested clone or submodule keeps there is no
 * content) and told in `skipped`; the rest of a nested repository is taken as the files that it is. Names of one file
 * (hard links) share a blob.
 *
 * @param path absolute, symbolic links resolved
 * @throws DocteurError `BadSource` for what no image can hold, `Io` for what cannot be read; the signal's reason
 */
export function listDirectory(path: string, options: DirectoryOptions): Promise<Listing> {
  return new DirectoryLister(options).list(Buffer.from(path).toString("latin1").replace(/\/$/, ""));
}
