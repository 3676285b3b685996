/** The files of an image in a directory. */
import { lutimesSync } from "node:fs";
import { availableParallelism } from "node:os";
import { checkOptions } from "../arguments.js";
import { pathOfUrl } from "../devices/node-files.js";
import { fileOf, type ImageSource } from "../devices/open.js";
import { ioError } from "../node/io-error.js";
import { optionsForThreads } from "../opening.js";
import { Volume } from "../volume.js";
import { closeRoot, foldsCase, openRoot, Position, placeIn, type Root } from "./destination.js";
import { type Executor, localExecutor, threadExecutor } from "./executors.js";
import type { Counts, FolderJob, WorkerStart, WriteSettings } from "./job.js";
import type { NameRules } from "./names.js";
import { EXTRACT, type SelectOptions, volumeOf } from "./options.js";
import { type Item, plan } from "./plan.js";

/** What has been extracted so far. */
export interface ExtractProgress {
  /** Files and symbolic links, those that were there already among them. */
  done: number;
  /** Files and symbolic links that have been found in the image; `isComplete` once that is all. */
  found: number;
  isComplete: boolean;
  /** Bytes that were written. */
  bytes: number;
}

/** Options of `extract`. */
export interface ExtractOptions extends SelectOptions {
  /** Replace files and symbolic links that are there and differ. A directory is never replaced. */
  overwrite?: boolean | undefined;
  /** Threads that write; by default as many as the machine has processors, at most 8. */
  jobs?: number | undefined;
  onProgress?: ((progress: ExtractProgress) => void) | undefined;
}

/** What `extract` has done. */
export interface ExtractSummary {
  /** The image's commit. */
  commit: string;
  /** The destination, as it was given. */
  directory: string;
  /** Files and symbolic links in the destination that are of the image. */
  fileCount: number;
  /** Of these, those that were there already. */
  keptCount: number;
  /** Directories, the destination itself not counted. */
  directoryCount: number;
  /** Bytes that were written. */
  writtenBytes: number;
}

/** Files of a job. */
const JOB_FILES = 64;
/** Jobs that are left to this thread: others take longer to start. If a number of threads is asked for, they start earlier. */
const FEW_JOBS = 48;
const FEW_JOBS_OF_THREADS = 4;
const JOBS_MAX = 8;

/** One run: a plan becomes directories at once, and files in jobs. */
class Extraction {
  readonly counts: Counts = { written: 0, bytes: 0, kept: 0 };
  readonly folders: string[] = [];
  readonly #settings: WriteSettings;
  readonly #start: (isLarge: boolean) => Executor;
  readonly #fewJobs: number;
  readonly #onProgress: ((progress: ExtractProgress) => void) | undefined;
  readonly #position: Position;
  /** Directories that were made just now. */
  readonly #new = new Set<string>();
  readonly #active = new Set<Promise<void>>();
  readonly #waiting: FolderJob[][] = [];
  #executor: Executor | undefined;
  #job = new Map<string, FolderJob>();
  #jobFiles = 0;
  #found = 0;
  #isComplete = false;
  #failure: { error: unknown } | undefined;

  constructor(
    settings: WriteSettings,
    start: (isLarge: boolean) => Executor,
    fewJobs: number,
    onProgress: ((progress: ExtractProgress) => void) | undefined,
  ) {
    this.#settings = settings;
    this.#start = start;
    this.#fewJobs = fewJobs;
    this.#onProgress = onProgress;
    this.#position = new Position(settings.root);
  }

  /** Does all of it. The destination has no unfinished file afterwards, however it ends. */
  async run(items: AsyncIterable<Item>): Promise<void> {
    try {
      for await (const item of items) {
        if (item.kind === "directory") this.#makeFolder(item.path);
        else await this.#addFile(item);
        if (this.#failure !== undefined) break;
      }
      this.#isComplete = true;
      if (this.#jobFiles > 0) await this.#endJob();
      await this.#submit();
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#active);
    await this.#executor?.close();
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      this.#dateFolders();
    } finally {
      this.#position.close();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(this.#settings.stop, 0, 1);
  }

  #makeFolder(path: string): void {
    const { above, name } = splitPath(path);
    this.#position.enter(above);
    if (this.#position.make(name, path, this.#settings.overwrite)) this.#new.add(path);
    this.folders.push(path);
  }

  async #addFile(item: Item): Promise<void> {
    const { above: path } = splitPath(item.path);
    let job = this.#job.get(path);
    if (job === undefined) {
      job = { path, isNew: this.#new.has(path), items: [] };
      this.#job.set(path, job);
    }
    job.items.push(item);
    this.#found++;
    if (++this.#jobFiles === JOB_FILES) await this.#endJob();
  }

  async #endJob(): Promise<void> {
    this.#waiting.push([...this.#job.values()]);
    this.#job = new Map();
    this.#jobFiles = 0;
    if (this.#executor !== undefined || this.#waiting.length > this.#fewJobs) await this.#submit();
  }

  /** Hands out jobs that wait, as far as there is room. */
  async #submit(): Promise<void> {
    this.#executor ??= this.#start(this.#waiting.length > this.#fewJobs);
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      while (this.#active.size >= this.#executor.width) await Promise.race(this.#active);
      if (this.#failure !== undefined) return;
      const running: Promise<void> = this.#executor
        .run(job)
        .then((counts) => this.#count(counts))
        .catch((error: unknown) => this.#fail(error))
        .finally(() => this.#active.delete(running));
      this.#active.add(running);
    }
  }

  #count({ written, bytes, kept }: Counts): void {
    this.counts.written += written;
    this.counts.bytes += bytes;
    this.counts.kept += kept;
    this.#onProgress?.({
      done: this.counts.written + this.counts.kept,
      found: this.#found,
      isComplete: this.#isComplete,
      bytes: this.counts.bytes,
    });
  }

  /** Directories get their time last, as each new entry changes it. */
  #dateFolders(): void {
    const { root, seconds } = this.#settings;
    if (seconds === undefined) return;
    for (const path of this.folders) {
      const { above, name } = splitPath(path);
      try {
        this.#position.enter(above);
        lutimesSync(this.#position.at(name), seconds, seconds);
      } catch (cause) {
        throw ioError("set the time of", placeIn(root, path), cause);
      }
    }
  }
}

function splitPath(path: string): { above: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { above: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

/** What a thread needs to open the image by itself; undefined if it cannot. */
function imageForThreads(
  source: ImageSource | Volume,
  volume: Volume,
  { open = {} }: SelectOptions,
): Pick<WorkerStart, "image" | "options"> | undefined {
  const file = source instanceof Volume ? undefined : fileOf(source);
  if (file === undefined) return undefined;
  return {
    image: typeof file === "string" ? file : pathOfUrl(file),
    options: optionsForThreads(open, volume.commit.oid),
  };
}

function rulesOf(root: Root, portable: boolean): NameRules {
  return { folds: portable || foldsCase(root), windows: portable || process.platform === "win32" };
}

/**
 * Extracts files, executables, symbolic links and directories. A submodule becomes an empty directory. Files get the
 * modes 0644 and 0755, less the umask, and with symbolic links and directories the time of the commit.
 *
 * Nothing is written outside of `directory`, or through a symbolic link. Each file is written under a temporary name
 * and renamed. A file that is there and has the content is left as it is, so a run that was interrupted can be
 * repeated. One that differs is an error.
 *
 * @param source what `open` takes, or an open volume, which stays open. Of a file, several threads extract
 * @param directory made if it is not there
 * @throws DocteurError `NotFound` if a path or a pattern leads to nothing; `Io` if a file cannot be written, or
 *   another is there; `BadTree` for names such as `..` and `.git`; errors of the image. Files that were extracted
 *   before stay. The signal's reason
 * @example await extract("disk.img", "out", { paths: ["docs", "*.md"] });
 */
export async function extract(
  source: ImageSource | Volume,
  directory: string,
  options?: ExtractOptions,
): Promise<ExtractSummary> {
  const given = checkOptions("extract", options, EXTRACT);
  const { paths = [], stripComponents = 0, portable = false, overwrite = false, signal, onProgress } = given;
  signal?.throwIfAborted();
  const { volume, close } = await volumeOf(source, given);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const onAbort = (): void => void Atomics.store(stop, 0, 1);
  signal?.addEventListener("abort", onAbort);
  let root: Root | undefined;
  try {
    root = openRoot(directory);
    const time = volume.commit.date?.getTime();
    const settings: WriteSettings = {
      root,
      overwrite,
      seconds: time === undefined ? undefined : time / 1000,
      stop,
    };
    const image = imageForThreads(source, volume, given);
    const jobs = given.jobs ?? Math.min(availableParallelism(), JOBS_MAX);
    const few = given.jobs === undefined ? FEW_JOBS : FEW_JOBS_OF_THREADS;
    const start = (isLarge: boolean): Executor => {
      const threads =
        isLarge && image !== undefined && jobs > 1 ? threadExecutor(jobs, { ...image, settings }) : undefined;
      return threads ?? localExecutor(volume, settings, signal);
    };
    const extraction = new Extraction(settings, start, few, onProgress);
    await extraction.run(
      plan(volume, { paths, strip: stripComponents, rules: rulesOf(root, portable), signal }),
    );
    signal?.throwIfAborted();
    const { written, kept, bytes } = extraction.counts;
    return {
      commit: volume.commit.oid,
      directory,
      fileCount: written + kept,
      keptCount: kept,
      directoryCount: extraction.folders.length,
      writtenBytes: bytes,
    };
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (root !== undefined) closeRoot(root);
    await close();
  }
}
