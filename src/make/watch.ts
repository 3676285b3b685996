/** Makes an image again and again: whenever a directory changes, from the last image and what is known of its files. */
import {
  existsSync,
  type FSWatcher,
  lstatSync,
  readdirSync,
  realpathSync,
  watch as watchFolder,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "../node/io-error.js";
import { isTemporaryName } from "../node/temporary.js";
import type { MakeOptions, MakeSummary } from "./options.js";

/** Milliseconds without a change after which a make begins, and the most that changes can delay it. */
const QUIET = 100;
const DELAY_MAX = 2000;
/** Milliseconds between two looks whether another directory has taken the place of the watched one. */
const LOOK = 500;
/** Milliseconds after which a failed make is repeated if files were changing meanwhile. */
const RETRY = 500;

/** How to watch. */
export interface WatchOptions extends MakeOptions {
  /** Ends the watch, in good order: the promise of `watch` resolves. */
  signal: AbortSignal;
  /** Called after each make. @param duration milliseconds */
  onMade?: ((summary: MakeSummary, duration: number) => void) | undefined;
  /** Called if a make fails: the image stays as it was, and the next change makes it again. */
  onFailed?: ((error: DocteurError) => void) | undefined;
}

/** Whether the system itself watches everything below a directory. */
const IS_RECURSIVE = process.platform === "darwin" || process.platform === "win32";

/**
 * Watches everything below a directory. On Linux each directory is watched by itself: Node's own recursive watch takes a
 * watch of the system for each file, too, of which there are not many. The directory itself may go and come again, and
 * be a link that is changed.
 */
class TreeWatcher {
  readonly #root: string;
  readonly #ignored: (path: string) => boolean;
  readonly #onChange: () => void;
  /** By path, with the directory that the watch is of: another one may take its place. */
  readonly #watchers = new Map<string, { watcher: FSWatcher; id: string }>();
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
      const id = folderId(folder);
      if (id === undefined) continue;
      seen.add(folder);
      // Watched before it is read: nothing that comes meanwhile is missed.
      this.#watch(folder, id);
      if (IS_RECURSIVE) break;
      for (const name of foldersIn(folder)) {
        const path = join(folder, name);
        if (name !== ".git" && !this.#ignored(path)) waiting.push(path);
      }
    }
    for (const folder of [...this.#watchers.keys()]) if (!seen.has(folder)) this.#forget(folder);
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
      const watcher = watchFolder(folder, { recursive: IS_RECURSIVE }, (_, name) => {
        if (name === null || !this.#ignored(join(folder, name))) this.#onChange();
      });
      watcher.on("error", (cause) => {
        this.#forget(folder);
        // Windows tells so that a directory has gone.
        if (systemCode(cause) !== "EPERM") this.#failure ??= ioError("watch", folder, cause);
        this.#onChange();
      });
      this.#watchers.set(folder, { watcher, id });
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

/** Tells directories apart; undefined if there is none. */
function folderId(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() ? `${found.dev} ${found.ino}` : undefined;
}

/** The directory that a path leads to, also by links: its real path and what tells it from another; nothing if there is none. */
function realFolder(path: string): { path?: string; id?: string } {
  try {
    const real = realpathSync.native(path);
    const id = folderId(real);
    return id === undefined ? {} : { path: real, id: `${id} ${real}` };
  } catch {
    return {};
  }
}

/** The path of a file by which changes of it are told; its folder may be reached by links. */
function realFile(path: string): string {
  const absolute = resolve(path);
  try {
    return join(realpathSync.native(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

/** Tells whether something changed, and when it is quiet. */
class Changes {
  #last = 0;
  #first = 0;
  #wake: (() => void) | undefined;
  isPending = false;

  note(): void {
    this.#last = performance.now();
    if (!this.isPending) this.#first = this.#last;
    this.isPending = true;
    this.#wake?.();
  }

  /** Waits until something changed, and the changes end. @throws the signal's reason */
  async settled(signal: AbortSignal): Promise<void> {
    while (!this.isPending)
      await new Promise<void>((done, fail) => {
        const onAbort = (): void => fail(signal.reason);
        if (signal.aborted) return onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        this.#wake = () => {
          signal.removeEventListener("abort", onAbort);
          done();
        };
      });
    for (;;) {
      const now = performance.now();
      const left = Math.min(this.#last + QUIET, this.#first + DELAY_MAX) - now;
      if (left <= 0) break;
      await wait(left, undefined, { signal });
    }
    this.isPending = false;
  }
}

/**
 * Makes an image of a directory, and again after every change, until the signal aborts. A make that fails is told, and
 * the image stays as it was.
 * @param folder the directory to watch, absolute
 * @param target the image: its own changes, if it is inside the directory, are no change
 * @param makeOne makes the image. @param from the image to start from, which the last make wrote; undefined for the first
 * @throws DocteurError `Io` if the system cannot watch the directory
 */
export async function watchAndMake(
  folder: string,
  target: string,
  makeOne: (from: string | undefined) => Promise<MakeSummary>,
  { signal, onMade, onFailed }: Pick<WatchOptions, "signal" | "onMade" | "onFailed">,
): Promise<void> {
  const changes = new Changes();
  let output = realFile(target);
  const isIgnored = (path: string): boolean => path === output || isTemporaryName(basename(path));
  const watcher = new TreeWatcher(folder, isIgnored, () => changes.note());
  let from: string | undefined;
  try {
    while (!signal.aborted) {
      output = realFile(target);
      watcher.refresh();
      const start = performance.now();
      try {
        const summary = await makeOne(existsSync(target) ? from : undefined);
        from = target;
        onMade?.(summary, performance.now() - start);
      } catch (error) {
        if (signal.aborted) break;
        // No change of the files repairs wrong options.
        if (!(error instanceof DocteurError) || error.code === "InvalidArgument") throw error;
        onFailed?.(error);
        // If another program has damaged the last image, the image is made without it.
        if (from !== undefined && error.code !== "Io" && error.code !== "BadSource") {
          from = undefined;
          continue;
        }
        if (changes.isPending) await wait(RETRY, undefined, { signal });
      }
      await changes.settled(signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    watcher.close();
  }
}
