/** Watches a tree of directories for changes. */
import {
  type BigIntStats,
  type FSWatcher,
  lstatSync,
  readdirSync,
  realpathSync,
  watch as watchFolder,
} from "node:fs";
import { join } from "node:path";
import type { DocteurError } from "../errors.js";
import { ioError, systemCode } from "../node/io-error.js";
import { RACY } from "./known-files.js";

/** Milliseconds between two looks whether another directory has taken the place of the watched one. */
const LOOK = 500;

/** Whether the system itself watches everything below a directory. */
const IS_RECURSIVE = process.platform === "darwin" || process.platform === "win32";

/** A directory that is watched. */
interface Watched {
  watcher: FSWatcher;
  /** Another directory may take its place. */
  id: string;
  /** The names of the directories in it, and the times that it had when they were read. */
  folders: { version: string; names: readonly string[] } | undefined;
}

/**
 * Watches everything below a directory. On Linux each directory is watched by itself: Node's own recursive watch takes a
 * watch of the system for each file, too, of which there are not many. The directory itself may go and come again, and
 * be a link that is changed.
 */
export class TreeWatcher {
  readonly #root: string;
  readonly #ignored: (path: string) => boolean;
  readonly #onChange: () => void;
  /** By path. */
  readonly #watchers = new Map<string, Watched>();
  readonly #looks: NodeJS.Timeout;
  /** The directory that is watched, by its real path and its id; undefined if there is none. */
  #watched: string | undefined;
  #failure: DocteurError | undefined;

  /** @param ignored whether changes of a real path mean nothing */
  constructor(root: string, ignored: (path: string) => boolean, onChange: () => void) {
    this.#root = root;
    this.#ignored = ignored;
    this.#onChange = onChange;
    // It also keeps the process running while there is nothing to watch.
    this.#looks = setInterval(() => {
      const { id } = realFolder(root);
      if (id === this.#watched) return;
      this.#watched = id;
      onChange();
    }, LOOK);
  }

  /** Watches the directories that are there now, and no others. @throws DocteurError `Io` if the system cannot */
  refresh(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const seen = new Set<string>();
    const { path: root, id } = realFolder(this.#root);
    this.#watched = id;
    const waiting = root === undefined ? [] : [root];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const found = inspectFolder(folder);
      if (found === undefined) continue;
      seen.add(folder);
      // Watched before it is read: nothing that comes meanwhile is missed.
      this.#watch(folder, folderId(found));
      if (IS_RECURSIVE) break;
      for (const name of this.#foldersIn(folder, found)) {
        const path = join(folder, name);
        if (name !== ".git" && !this.#ignored(path)) waiting.push(path);
      }
    }
    for (const folder of [...this.#watchers.keys()]) if (!seen.has(folder)) this.#forget(folder);
  }

  /** The names of the directories in a directory: read only if names in it may have changed since the last time. */
  #foldersIn(folder: string, { mtimeNs, ctimeNs }: BigIntStats): readonly string[] {
    const watched = this.#watchers.get(folder);
    const version = `${mtimeNs} ${ctimeNs}`;
    if (watched?.folders?.version === version) return watched.folders.names;
    const isRacy = mtimeNs >= BigInt(Date.now() - RACY) * 1_000_000n;
    const names = foldersIn(folder);
    if (watched !== undefined) watched.folders = isRacy ? undefined : { version, names };
    return names;
  }

  close(): void {
    clearInterval(this.#looks);
    for (const folder of [...this.#watchers.keys()]) this.#forget(folder);
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }

  #watch(folder: string, id: string): void {
    if (this.#watchers.get(folder)?.id === id) return;
    this.#forget(folder);
    try {
      const watcher = watchFolder(folder, { recursive: IS_RECURSIVE }, (kind, name) => {
        if (kind === "rename") watched.folders = undefined;
        if (name === null || !this.#ignored(join(folder, name))) this.#onChange();
      });
      watcher.on("error", (cause) => {
        this.#forget(folder);
        // Windows tells so that a directory has gone.
        if (systemCode(cause) !== "EPERM") this.#failure ??= ioError("watch", folder, cause);
        this.#onChange();
      });
      const watched: Watched = { watcher, id, folders: undefined };
      this.#watchers.set(folder, watched);
    } catch (cause) {
      if (["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) return;
      const isFull = ["ENOSPC", "EMFILE"].includes(systemCode(cause) ?? "");
      const hint = isFull
        ? "sysctl fs.inotify.max_user_watches tells how many directories can be watched"
        : undefined;
      throw ioError("watch", folder, cause, hint);
    }
  }
}

/** The names of the directories in a directory: none if it has gone. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

/** Inspects a directory; undefined if there is none. */
function inspectFolder(path: string): BigIntStats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found?.isDirectory() ? found : undefined;
}

/** Tells directories apart. */
function folderId({ dev, ino }: BigIntStats): string {
  return `${dev} ${ino}`;
}

/** The directory that a path leads to, also by links: its real path and what tells it from another; nothing if there is none. */
function realFolder(path: string): { path?: string; id?: string } {
  try {
    const real = realpathSync.native(path);
    const found = inspectFolder(real);
    return found === undefined ? {} : { path: real, id: `${folderId(found)} ${real}` };
  } catch {
    return {};
  }
}
