/**
 * A plain directory as a source. Paths are byte strings ("latin1"), one character for each byte of the file
 * system's name.
 */
import { type BigIntStats, realpathSync, statSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { checkLimits, checkName, refuseSpecial } from "../../git/names.js";
import { MODE, type Mode } from "../../git/objects.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { isTemporaryName } from "../../node/temporary.js";
import { bytesOf, stampOf } from "../base/file-contents.js";
import { Breath } from "../base/yielding.js";
import { SourceBlobs, TOP } from "./blobs.js";
import type { ExcludePatterns, ExcludeState } from "./exclude.js";
import { FolderHandle, type FolderId } from "./folder-handle.js";
import { FolderTree, type Listing, SkippedPaths, type SourceEntry, SourceFolder } from "./listing.js";
import { mergeFolders, noSuchPart, type SourcePart, WHOLE } from "./part.js";

/** How to list a directory. */
export interface DirectoryOptions {
  /**
   * Flatten entries that docteur 0.0.7 cannot represent: executables become plain files, symbolic links are
   * followed.
   */
  compat: boolean;
  /** Follow symbolic links, wherever they lead. */
  dereference?: boolean;
  /** Files of the host, absolute, that are not part of the source: the image itself. */
  outputs: readonly string[];
  /** Patterns of the entries to leave out silently, by path in the directory. */
  exclude: ExcludePatterns;
  /** The part of the directory that becomes the image's root: by default all of it. */
  part?: SourcePart | undefined;
  /** The entries to take, files and their directories, by path from the root; by default everything. */
  only?: ReadonlySet<string> | undefined;
  /** Leave out special files: FIFOs, sockets and devices. */
  skipSpecial: boolean;
  signal?: AbortSignal | undefined;
  /** Receives the number of files and symbolic links found so far. */
  onProgress?: ((done: number) => void) | undefined;
}

/**
 * The mode of a tree entry, by git's rule: a file is executable if its owner may execute it. For other kinds,
 * the kind's name.
 */
function modeOf(found: BigIntStats, compat: boolean): Mode | { special: string } {
  if (found.isDirectory()) return MODE.directory;
  if (found.isSymbolicLink()) return MODE.symlink;
  if (found.isFile()) return !compat && (found.mode & 0o100n) !== 0n ? MODE.executable : MODE.file;
  if (found.isFIFO()) return { special: "a FIFO" };
  if (found.isSocket()) return { special: "a socket" };
  if (found.isBlockDevice() || found.isCharacterDevice()) return { special: "a device" };
  return { special: "no file, directory or symbolic link" };
}

/** Progress is told for each of the first files, and then once for so many. */
const PROGRESS_STEP = 64;

/** The total number of times that followed links may lead to folders that were listed before. */
const AGAIN_MAX = 100_000;

/** Identifies a file or folder of the host. */
const inodeOf = ({ dev, ino }: FolderId): string => `${dev}:${ino}`;

/** A folder to list. */
interface Place {
  /** Of the host, absolute. */
  path: string;
  id: FolderId;
  /** The number of names between the root and it. */
  depth: number;
  exclude: ExcludeState;
  /** Its number among the folders of the blobs. */
  folder: number;
}

/** A subfolder: it is listed when its parent folder is closed. */
interface Subfolder {
  name: string;
  place: Place;
}

class DirectoryLister {
  readonly #options: DirectoryOptions;
  readonly #part: SourcePart;
  readonly #followsLinks: boolean;
  readonly #breath: Breath;
  readonly #outputs: Set<string>;
  readonly #blobs: SourceBlobs;
  /** Blobs of files with more than one name, by inode. */
  readonly #linked = new Map<string, number>();
  /** The present folder and those above it, by inode: a followed link must not lead to one of them. */
  readonly #above = new Set<string>();
  /** All folders so far, if links are followed, and the number of repeated ones. */
  readonly #listed = new Set<string>();
  #again = 0;
  readonly #skipped = new SkippedPaths();
  /** Bytes of the root's path and its slash. */
  readonly #rootLen: number;
  readonly #root: string;
  #fileCount = 0;
  /** Entries of folders above this depth are not in the image; their subfolders are only passed through. */
  #stripDepth = 0;
  #strippedCount = 0;
  #newest: bigint | undefined;

  constructor(root: string, options: DirectoryOptions) {
    this.#root = root;
    this.#rootLen = root.length + 1;
    this.#options = options;
    this.#part = options.part ?? WHOLE;
    this.#followsLinks = options.compat || options.dereference === true;
    this.#breath = new Breath(options.signal);
    this.#outputs = new Set(options.outputs.map((path) => Buffer.from(path).toString("latin1")));
    this.#blobs = new SourceBlobs(root);
  }

  async list(): Promise<Listing> {
    const path = this.#root;
    const id = this.#follow(bytesOf(path), path);
    const top = { path, id, depth: 0, exclude: this.#options.exclude.root, folder: TOP };
    const { subdir, strip } = this.#part;
    this.#stripDepth = subdir.length + strip;
    const root = await this.#listFolder(this.#enter(top, subdir));
    if (this.#fileCount > PROGRESS_STEP) this.#options.onProgress?.(this.#fileCount);
    const newest = this.#newest === undefined ? undefined : Number(this.#newest / 1_000_000_000n);
    return {
      tree: new FolderTree(root),
      blobs: this.#blobs,
      newest,
      skipped: this.#skipped,
      strippedCount: this.#strippedCount,
    };
  }

  /** The folder that becomes the root. A pattern that leaves it out, or one of its parents, leaves nothing. */
  #enter(top: Place, subdir: readonly string[]): Place {
    let place = top;
    for (const name of subdir) {
      const handle = new FolderHandle(place.path, place.id, this.#followsLinks);
      try {
        const entry = handle.names().includes(name) ? this.#entryOf(place, handle, name) : undefined;
        if (entry === undefined || !("place" in entry)) throw noSuchPart(shown(top.path), subdir);
        place = entry.place;
      } finally {
        handle.close();
      }
    }
    return place;
  }

  async #listFolder(place: Place): Promise<SourceFolder> {
    const { path, id } = place;
    const key = inodeOf(id);
    if (this.#followsLinks && this.#above.has(key))
      throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to a directory that it is in`, {
        path: shown(path),
        hint: "a symbolic link that is not followed is kept as it is",
      });
    this.#above.add(key);
    this.#countFolder(key, path);
    const { entries, subfolders } = await this.#entriesOf(place);
    for (const { name, place: below } of subfolders)
      entries.push({ name, mode: MODE.directory, folder: await this.#listFolder(below) });
    this.#above.delete(key);
    if (place.depth >= this.#stripDepth) return new SourceFolder(entries);
    return mergeFolders(entries.flatMap((entry) => ("folder" in entry ? [entry.folder] : [])));
  }

  /** Makes sure that links do not turn a few folders into endlessly many. */
  #countFolder(key: string, path: string): void {
    if (!this.#followsLinks) return;
    if (this.#listed.has(key)) this.#again++;
    this.#listed.add(key);
    if (this.#again <= AGAIN_MAX) return;
    throw new DocteurError(
      "BadSource",
      `symbolic links lead to the same directories more than ${AGAIN_MAX} times, now to ${shown(path)}`,
      { path: shown(path), hint: "a symbolic link that is not followed is kept as it is" },
    );
  }

  /** Lists the entries of a folder. Subfolders are listed later, so that only one folder is open at a time. */
  async #entriesOf(place: Place): Promise<{ entries: SourceEntry[]; subfolders: Subfolder[] }> {
    const entries: SourceEntry[] = [];
    const subfolders: Subfolder[] = [];
    const handle = new FolderHandle(place.path, place.id, this.#followsLinks);
    try {
      for (const name of handle.names()) {
        if (this.#breath.isDue()) await this.#breath.take();
        const entry = this.#entryOf(place, handle, name);
        if (entry === undefined) continue;
        if ("place" in entry) subfolders.push(entry);
        else entries.push(entry);
      }
      handle.settle();
    } finally {
      handle.close();
    }
    return { entries, subfolders };
  }

  /** @returns `undefined` for an entry that is left out */
  #entryOf(place: Place, handle: FolderHandle, name: string): SourceEntry | Subfolder | undefined {
    const { compat, exclude, only, skipSpecial } = this.#options;
    const path = `${place.path}/${name}`;
    if (only !== undefined && !only.has(path.slice(this.#rootLen))) return undefined;
    if (this.#outputs.has(path)) return undefined;
    // If a pattern leaves out the entry as any kind, it need not be accessible.
    if (!exclude.takesFoldersIn && exclude.step(place.exclude, name, false) === undefined) return undefined;
    const found = this.#followsLinks ? this.#follow(handle.at(name), path) : handle.inspect(name);
    if (this.#followsLinks && this.#leadsToOutput(path, found)) return undefined;
    const state = exclude.step(place.exclude, name, found.isDirectory());
    if (state === undefined) return undefined;
    const mode = modeOf(found, compat);
    if (name === ".git" || isTemporaryName(name) || (typeof mode === "object" && skipSpecial)) {
      this.#skipped.add(path, name === ".git" ? "git" : isTemporaryName(name) ? "temporary" : "special");
      return undefined;
    }
    if (mode !== MODE.directory && place.depth < this.#stripDepth) {
      if (place.depth >= this.#part.subdir.length) this.#strippedCount++;
      return undefined;
    }
    if (typeof mode === "object") refuseSpecial(path, mode.special);
    const depth = place.depth + 1;
    checkName(name, mode, path);
    checkLimits(path, path.length - this.#rootLen, depth);
    if (mode === MODE.directory) {
      const folder = this.#blobs.addFolder(place.folder, name);
      return { name, place: { path, id: found, depth, exclude: state, folder } };
    }
    this.#fileCount++;
    if (this.#fileCount < PROGRESS_STEP || this.#fileCount % PROGRESS_STEP === 0)
      this.#options.onProgress?.(this.#fileCount);
    if (this.#newest === undefined || found.mtimeNs > this.#newest) this.#newest = found.mtimeNs;
    const blob =
      mode === MODE.symlink
        ? this.#blobs.add(handle.readLink(name, found))
        : this.#blobOf(place.folder, name, found);
    return { name, mode, blob };
  }

  /** Inspects the target of a path. @param path for people */
  #follow(at: Buffer | string, path: string): BigIntStats {
    try {
      return statSync(at, { bigint: true });
    } catch (cause) {
      const hint = "a symbolic link that is not followed is kept as it is";
      const where = { path: shown(path), hint, cause };
      if (systemCode(cause) === "ELOOP")
        throw new DocteurError(
          "BadSource",
          `${shown(path)} is a symbolic link that leads back to itself`,
          where,
        );
      if (systemCode(cause) === "ENOENT")
        throw new DocteurError("BadSource", `${shown(path)} is a symbolic link to nothing`, where);
      throw ioError("read", shown(path), cause);
    }
  }

  /** Whether a path, with links followed, is that of an output. */
  #leadsToOutput(path: string, found: BigIntStats): boolean {
    return found.isFile() && this.#outputs.has(realpathSync.native(bytesOf(path), "latin1"));
  }

  /** A file's index in the listing. */
  #blobOf(folder: number, name: string, found: BigIntStats): number {
    const key = found.nlink > 1n ? inodeOf(found) : undefined;
    const known = key === undefined ? undefined : this.#linked.get(key);
    if (known !== undefined) return known;
    const index = this.#blobs.addFile(Number(found.size), folder, name, stampOf(found, this.#followsLinks));
    if (key !== undefined) this.#linked.set(key, index);
    return index;
  }
}

/**
 * Lists a directory. It reads names and targets of symbolic links, but no file's content.
 *
 * Entries named `.git` are left out (git trees may not hold them, and a nested clone or submodule keeps no
 * content there) and listed in `skipped`. The rest of a nested repository is taken as ordinary files.
 * Unfinished files of other runs are also left out and listed. Hard links to one file share a blob.
 *
 * @param path absolute, symbolic links resolved
 * @throws DocteurError `BadSource` for entries that no image can hold, `Io` for entries that cannot be read;
 *   the signal's reason
 */
export function listDirectory(path: string, options: DirectoryOptions): Promise<Listing> {
  return new DirectoryLister(Buffer.from(path).toString("latin1").replace(/\/$/, ""), options).list();
}
