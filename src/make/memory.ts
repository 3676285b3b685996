/**
 * Makes images of files in memory, in memory: `docteur make` for hosts without a file system, such as
 * browsers.
 */

import {
  type Checks,
  checkOptions,
  isBoolean,
  isFunction,
  isListOfPaths,
  isModule,
  isNumber,
  isSignal,
  isString,
  type Path,
} from "../arguments.js";
import { DocteurError } from "../errors.js";
import { OID_LEN, type Sha1 } from "../git/oid.js";
import { isPerson, type Person } from "../git/person.js";
import { MemorySink } from "../sink.js";
import type { WasmModule } from "../wasm/types.js";
import { type Contents, MemoryContent, type OpenContent } from "./base/content.js";
import { type Effort, isEffort } from "./base/effort.js";
import { type ListingSummary, makeFromListing } from "./from-listing.js";
import { checkBlockSize, checkDepth, checkSeek, checkWords, commitDate, DEPTH, SEEK_MIN } from "./options.js";
import { compilePacker } from "./pack/compile-packer.js";
import { createEngine, type Engine } from "./pack/engine.js";
import { LocalExecutor } from "./pack/local-executor.js";
import { JobRunner } from "./pack/runner.js";
import { listMemory, type MemoryFiles } from "./source/memory.js";

/** Progress of the work. */
export interface MemoryProgress {
  /** `read`: hashing contents; `compare`: looking for deltas; `pack`: compressing. */
  phase: "read" | "compare" | "pack";
  /** Pairs of objects in phase `compare`, else objects. */
  done: number;
  /** The value of `done` at the end of the phase. A phase may come more than once. */
  total: number;
}

/** How to make an image in memory. */
export interface MemoryOptions {
  /**
   * The commit's date: RFC 3339 with its offset from UTC, or a `Date`, in UTC. Default: 1970-01-01T00:00:00Z.
   */
  date?: string | Date | undefined;
  /** The commit's author and committer. Default: Dr. Greenthumb, as in docteur 0.0.7. */
  author?: Person | undefined;
  /** The commit's message. A line feed is added to its last line if it lacks one. Default: none. */
  message?: string | undefined;
  /** The image's block size in bytes: a power of two, 512 to 2^30. Default: 512. */
  blockSize?: number | undefined;
  /** The longest chain of deltas, 0 to 4095. Longer chains take less space, and more time to read. Default: 20. */
  depth?: number | undefined;
  /** How thoroughly to look for what makes the image small. Default: "default". */
  effort?: Effort | undefined;
  /** Whether the image gets a layout section, by which readers find paths faster. Default: true. */
  layout?: boolean | undefined;
  /** Paths whose files come first in the image, after their directories; a directory stands for all below it. */
  hot?: readonly Path[] | undefined;
  /**
   * Files of at least this many bytes that are stored whole get seek points: readers then begin in the middle of a file.
   * `Infinity`: none do. Default: 2^20.
   */
  seek?: number | undefined;
  /** Ends the work. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MemoryProgress) => void) | undefined;
  /**
   * This package's `packer.wasm` or `packer.simd.wasm`, compiled. Both give equal bytes; SIMD is faster.
   * Default: the one that the engine supports, loaded from the file beside this module, which a bundle may
   * lack.
   */
  module?: WasmModule | undefined;
}

/** An image, and a summary of its content. */
export interface MemoryImage extends ListingSummary {
  /** The whole image: `imageBytes` long. */
  image: Uint8Array<ArrayBuffer>;
}

const EPOCH = new Date(0);

const OPTIONS: Checks = {
  date: (value) => (typeof value === "string" || value instanceof Date ? undefined : "a string or a Date"),
  author: isPerson,
  message: isString,
  blockSize: isNumber,
  depth: isNumber,
  effort: isEffort,
  layout: isBoolean,
  hot: isListOfPaths,
  seek: isNumber,
  signal: isSignal,
  onProgress: isFunction,
  module: isModule,
};

/** Bytes of a SHA-1 state (`asm/checksum/sha1.ts`), and of a chunk to hash. */
const SHA1_LEN = 96;
const CHUNK_LEN = 64 << 10;

/** Makes SHA-1s with an engine: the browsers' own function takes only whole messages, and is asynchronous. */
class Sha1Maker {
  readonly engine: Engine;
  /** Room for `CHUNK_LEN` bytes, which all hashes share. */
  readonly chunk: number;

  /** @param engine not shared: an allocation for a hash must not move memory that is being hashed */
  constructor(engine: Engine) {
    this.engine = engine;
    this.chunk = this.allocate(CHUNK_LEN);
  }

  /** @throws DocteurError `OutOfMemory` */
  allocate(len: number): number {
    const ptr = this.engine.alloc(len);
    if (ptr === 0) throw new DocteurError("OutOfMemory", "there is no memory to hash content");
    return ptr;
  }
}

class EngineSha1 implements Sha1 {
  readonly #maker: Sha1Maker;
  readonly #state: number;

  constructor(maker: Sha1Maker) {
    this.#maker = maker;
    this.#state = maker.allocate(SHA1_LEN);
    maker.engine.sha1Init(this.#state);
  }

  update(bytes: Uint8Array): void {
    const { engine, chunk } = this.#maker;
    for (let at = 0; at < bytes.length; at += CHUNK_LEN) {
      const part = bytes.subarray(at, at + CHUNK_LEN);
      new Uint8Array(engine.memory.buffer).set(part, chunk);
      engine.sha1Update(this.#state, chunk, part.length);
    }
  }

  /** Ends the hash and frees its state. Unfinished hashes are freed with their engine. */
  digest(): Uint8Array {
    const { engine, chunk } = this.#maker;
    engine.sha1Final(this.#state, chunk);
    engine.free(this.#state);
    return new Uint8Array(engine.memory.buffer, chunk, OID_LEN).slice();
  }
}

/** Contents in memory, hashed in Wasm. */
function memoryContents(maker: Sha1Maker, signal: AbortSignal | undefined): Contents {
  return {
    open(content, size): OpenContent {
      // Jobs that were under way when the signal aborted end here.
      signal?.throwIfAborted();
      const bytes = content as Uint8Array;
      const file = new MemoryContent(bytes);
      // A buffer that was transferred to another thread is empty.
      if (bytes.length !== size) throw file.changed();
      return file;
    },
    sha1: () => new EngineSha1(maker),
  };
}

/**
 * Makes an image of files in memory, in memory. Equal files and options, in any order, give equal bytes in
 * every engine. `make` gives these bytes, too, for a directory that holds the files.
 *
 * The work is done on this thread, in pieces between which other events run. For much content, call it in a
 * worker.
 *
 * @param files by path; directories are implied by the files in them
 * @returns the image and a summary of its content
 * @throws DocteurError `InvalidArgument` for options; `BadSource` for paths that no image can hold, that
 *   occur twice or that lead through files; `Io` if the Wasm cannot be loaded, or content changed meanwhile;
 *   `OutOfMemory`. The signal's reason
 * @example
 * const { image, commit } = await makeImage({
 *   "index.html": "<p>Hello</p>",
 *   "img/logo.png": await file.arrayBuffer(),
 *   "bin/run": { content: "#!/bin/sh\n", executable: true },
 *   "latest": { link: "index.html" },
 * });
 * const volume = await open(image);
 */
export async function makeImage(files: MemoryFiles, options: MemoryOptions = {}): Promise<MemoryImage> {
  checkOptions("makeImage", options, OPTIONS);
  const {
    date = EPOCH,
    blockSize = 512,
    depth = DEPTH,
    effort,
    layout = true,
    seek = SEEK_MIN,
    hot,
    signal,
    onProgress,
    module,
  } = options;
  checkBlockSize(blockSize);
  checkDepth(depth);
  checkSeek(seek);
  checkWords(options);
  const moment = commitDate(date);
  signal?.throwIfAborted();
  const listing = listMemory(files);
  const packer = module ?? (await compilePacker());
  const contents = memoryContents(new Sha1Maker(createEngine(packer)), signal);
  const sink = new MemorySink();
  const made = await makeFromListing(
    listing,
    sink,
    new LocalExecutor(new JobRunner(createEngine(packer, effort), contents)),
    contents,
    {
      date: moment,
      author: options.author,
      message: options.message,
      blockSize,
      depth,
      effort,
      layout,
      hot,
      seekMin: seek,
      signal,
      onProgress: (phase, done, total) => onProgress?.({ phase, done, total }),
    },
  );
  return { ...made, image: sink.content };
}
