/** Makes an image again and again: whenever a directory changes, from the last image and what is known of its files. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { DocteurError } from "../errors.js";
import { isTemporaryName } from "../node/temporary.js";
import type { MakeOptions, MakeSummary } from "./options.js";
import { TreeWatcher } from "./tree-watcher.js";

/** Milliseconds without a change after which a make begins, and the most that changes can delay it. */
const QUIET = 100;
const DELAY_MAX = 2000;
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
