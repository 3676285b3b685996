/**
 * Work on the files of an image, each blob once however often it stands there: trees are read, the blobs in them are worked
 * on in the PACK's order by several threads, and then paths are told in the order of git's index.
 */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../abort.js";
import type { Path } from "../arguments.js";
import { pathOfUrl } from "../devices/node-files.js";
import { fileOf, type ImageSource } from "../devices/open.js";
import { DocteurError } from "../errors.js";
import { oidBytes } from "../git/oid.js";
import { type OpenOptions, optionsForThreads } from "../opening.js";
import { ImageBytes } from "../pack-table/image-bytes.js";
import type { Calls } from "../volume/calls.js";
import { partsOf, type Volume } from "../volume.js";
import { type BlobIds, IndexedIds, MetIds } from "./blob-ids.js";
import { runGroups, workOn } from "./blob-worker.js";
import type { Done, SharedJob } from "./job.js";
import { startTeam, type Team } from "./team.js";
import { type FoundFile, TreeTable } from "./tree-table.js";
import { type Result, type Worker, type WorkSpec, workerFor } from "./work.js";

/** How a sweep is made. */
export interface SweepOptions {
  /** Where the volume comes from: threads open a file again. */
  source: ImageSource;
  open: OpenOptions;
  work: WorkSpec;
  /** Tells by their names which files count. */
  isWanted?: ((name: Uint8Array) => boolean) | undefined;
  /** Threads, this one among them. */
  jobs?: number | undefined;
  signal?: AbortSignal | undefined;
}

const OID = 20;
const JOBS_MAX = 8;
/** A thread beside this one is worth its start, some 70 ms of processor time, for so many objects, or so many bytes of PACK. */
const OBJECTS_OF_THREAD = 1 << 15;
const BYTES_OF_THREAD = 8 << 20;
/** Blobs that are asked for at once if the image has to be waited for. */
const REMOTE_LANES = 8;
const GROUP_MAX = 256;
/** Groups for each thread: the last of them should not keep the others waiting. */
const GROUPS_OF_THREAD = 16;
/** KiB of lines that all results together may keep. */
const ROOM = 64 << 10;
/** Bytes of a large file that are read at once, and the longest line there. */
const PIECE = 4 << 20;
const LINE_MAX = 1 << 28;
const LINE_FEED = 10;

/** The roots of a sweep: a directory or a file. */
type Root = { path: Uint8Array; tree: number } | { path: Uint8Array; blob: number };

export class Sweep {
  readonly #volume: Volume;
  readonly #calls: Calls;
  readonly #signals: readonly AbortSignal[];
  readonly #worker: Worker;
  readonly #ids: BlobIds;
  readonly #trees: TreeTable;
  readonly #roots: Root[] = [];
  /** 1 for each blob that is worked on, by their numbers. */
  #wanted = new Uint8Array(1 << 12);
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #team: Team | undefined;
  readonly #threads: number;
  readonly #lanes: number;

  /** @param count objects of the image, as far as they are known */
  private constructor(volume: Volume, ids: BlobIds, count: number, options: SweepOptions) {
    const { source, open, work, isWanted, signal } = options;
    this.#volume = volume;
    this.#calls = partsOf(volume).calls;
    this.#signals = signal === undefined ? [] : [signal];
    this.#worker = workerFor(work);
    this.#ids = ids;
    this.#trees = new TreeTable(this.#calls, ids, isWanted, this.#signals);
    const file = fileOf(source);
    const worth = 1 + Math.floor(Math.max(count / OBJECTS_OF_THREAD, volume.imageSize / BYTES_OF_THREAD));
    const jobs = options.jobs ?? Math.min(availableParallelism(), JOBS_MAX, worth);
    if (file !== undefined && jobs > 1)
      this.#team = startTeam(jobs - 1, {
        image: typeof file === "string" ? file : pathOfUrl(file),
        options: optionsForThreads(open, volume.commit.oid),
        work,
        stop: this.#stop,
      });
    this.#threads = this.#team === undefined ? 1 : jobs;
    this.#lanes = file === undefined ? REMOTE_LANES : 1;
  }

  /**
   * Begins a sweep, and starts threads.
   * @param volume stays open
   * @throws DocteurError `InvalidArgument` for a wrong pattern; errors of the image
   */
  static async begin(volume: Volume, options: SweepOptions): Promise<Sweep> {
    if (options.open.mode === "analyze") return new Sweep(volume, new MetIds(), 0, options);
    const bytes = new ImageBytes(partsOf(volume).device);
    const idx = await bytes.idx(await bytes.frame());
    return new Sweep(volume, new IndexedIds(idx), idx.count, options);
  }

  /** Adds a file, or a directory with everything below it. @throws DocteurError as `Volume.stat` */
  async add(path: Path, follow = false): Promise<void> {
    const entry = await this.#volume.stat(path, { follow });
    const { pathBytes, kind, oid } = entry;
    const numberOf = (): number => this.#ids.numberOf(oidBytes(oid), 0);
    if (kind === "directory") {
      const number = numberOf();
      if (pathBytes.length === 1) await this.#readTrees(number);
      await this.#trees.add(number, (blob) => this.#want(blob));
      this.#roots.push({ path: pathBytes, tree: number });
    } else if (kind === "file" || kind === "executable") {
      const blob = numberOf();
      this.#want(blob);
      this.#roots.push({ path: pathBytes, blob });
    } else {
      const { path: text } = entry;
      const what = kind === "symlink" ? "a symbolic link" : "a submodule";
      throw new DocteurError("ValueExpected", `${text} is ${what}`, { path: text });
    }
  }

  #want(blob: number): void {
    if (blob >= this.#wanted.length) {
      const more = new Uint8Array(2 * (blob + 1));
      more.set(this.#wanted);
      this.#wanted = more;
    }
    this.#wanted[blob] = 1;
  }

  /** Reads the trees of the whole image at once. */
  async #readTrees(root: number): Promise<void> {
    const numbers = this.#ids.sorted(() => true);
    await this.#trees.readAhead(numbers.slice(numbers.indexOf(root)));
  }

  /**
   * Works on all blobs.
   * @param onResult told a blob's number and its result; `large` if the blob was not worked on, as it takes much memory. It
   *   returns whether to go on
   */
  async run(onResult: (blob: number, result: Done[1]) => boolean): Promise<void> {
    const numbers = this.#ids.sorted((number) => this.#wanted[number] === 1);
    const oids = new Uint8Array(new SharedArrayBuffer(numbers.length * OID));
    for (const [place, number] of numbers.entries()) oids.set(this.#ids.oid(number), place * OID);
    const groups = this.#threads * this.#lanes * GROUPS_OF_THREAD;
    const job: SharedJob = {
      oids,
      groupLen: Math.max(1, Math.min(GROUP_MAX, Math.ceil(numbers.length / groups))),
      next: new Int32Array(new SharedArrayBuffer(4)),
      room: new Int32Array(new SharedArrayBuffer(4)).fill(ROOM),
    };
    const onGroup = (done: Done[]): void => {
      for (const [place, result] of done)
        if (!onResult(numbers[place]!, result)) Atomics.store(this.#stop, 0, 1);
    };
    const ours = async (done: Done[]): Promise<void> => {
      throwIfAborted(this.#signals);
      onGroup(done);
      // The other threads' results are not to pile up.
      await setImmediate();
    };
    const own = runGroups(this.#calls, job, this.#worker, this.#stop, ours, this.#lanes, this.#signals);
    const all = [own, this.#team?.run(job, onGroup)];
    try {
      await Promise.all(all);
    } catch (error) {
      Atomics.store(this.#stop, 0, 1);
      await Promise.allSettled(all);
      throw error;
    }
  }

  /** The files, path by path. @param isShown tells which blobs count */
  async *files(isShown: (blob: number) => boolean): AsyncGenerator<FoundFile, void, undefined> {
    for (const root of this.#roots)
      if ("tree" in root) yield* this.#trees.files(root.tree, root.path, isShown);
      else if (isShown(root.blob)) yield { path: Buffer.from(root.path), blob: root.blob };
  }

  /**
   * Works on one file. A large one is read in pieces.
   * @returns results of what has been read so far, several for a large file: the last one counts, and lines of all
   */
  async *workOn({ path, blob }: FoundFile): AsyncGenerator<Result, void, undefined> {
    const result = await workOn(this.#calls, this.#ids.oid(blob), this.#worker, this.#signals);
    if (result !== "large") {
      yield result;
      return;
    }
    const task = this.#worker.begin();
    let held: Buffer[] = [];
    let heldLen = 0;
    for (let offset = 0; !task.isDone; ) {
      throwIfAborted(this.#signals);
      const piece = Buffer.from(await this.#volume.getPartial(path, offset, PIECE));
      offset += piece.length;
      const end = piece.length === 0 ? 0 : task.takesLines ? piece.lastIndexOf(LINE_FEED) + 1 : piece.length;
      if (end > 0 || piece.length === 0) {
        task.add(Buffer.concat([...held, piece.subarray(0, end)]));
        held = [];
        heldLen = 0;
        if (task.takesLines) yield task.finish();
      }
      if (piece.length === 0) break;
      held.push(piece.subarray(end));
      heldLen += piece.length - end;
      if (heldLen > LINE_MAX)
        throw new DocteurError("ObjectTooLarge", `a line of more than ${LINE_MAX} bytes`, {
          path: path.toString(),
        });
    }
    if (!task.takesLines) yield task.finish();
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#team?.close();
  }
}
