/** Images in memory, of files in memory: what `docteur make` does where there is no file system, in browsers among others. */
import { DocteurError } from "../errors.js";
import { MemorySink } from "../sink.js";
import { compilePacker } from "../wasm.js";
import { byteString } from "./byte-string.js";
import { type Contents, MemoryContent, type Sha1 } from "./content.js";
import { type ListingSummary, makeFromListing } from "./from-listing.js";
import { MODE, type Mode, OID_LEN } from "./objects.js";
import { checkBlockSize, checkDepth, commitDate, DEPTH } from "./options.js";
import { createEngine, type Engine } from "./pack/engine.js";
import { LocalExecutor } from "./pack/local.js";
import type { PackerProgress } from "./pack/packer.js";
import { JobRunner } from "./pack/runner.js";
import type { Listing, SourceBlob, SourceEntry, SourceFolder } from "./source/folder.js";
import { checkLimits, checkName } from "./source/names.js";

/** A file: its content (strings as UTF-8), whether it can be executed; or a symbolic link. */
export type MemoryFile =
  | string
  | Uint8Array
  | { content: string | Uint8Array; executable?: boolean }
  | { link: string };

/** How to make an image in memory. */
export interface MemoryOptions {
  /** The commit's: RFC 3339 with its offset from UTC, or a `Date`, in UTC. Default: 1970-01-01T00:00:00Z. */
  date?: string | Date | undefined;
  /** The image's block size in bytes: a power of two, 512 to 2^30. Default: 512. */
  blockSize?: number | undefined;
  /** The longest chain of deltas, 0 to 4095. Default: 20. */
  depth?: number | undefined;
  /** Ends the work. */
  signal?: AbortSignal | undefined;
  onProgress?: PackerProgress | undefined;
  /** `packer.wasm` or `packer.simd.wasm` of this package, compiled, where it cannot be loaded from beside this module. */
  module?: WebAssembly.Module;
}

/** An image and what is in it. */
export interface MemoryImage extends ListingSummary {
  image: Uint8Array<ArrayBuffer>;
}

const EPOCH = new Date(0);

/** Bytes of a state of SHA-1 (`asm/checksum/sha1.ts`), and of what is hashed at a time. */
const SHA1_LEN = 96;
const CHUNK_LEN = 64 << 10;

const utf8 = new TextEncoder();

function refuse(path: string, why: string): never {
  throw new DocteurError("BadSource", `${JSON.stringify(path)} cannot be in an image: ${why}`, { path });
}

/** A folder in the making. */
type Names = Map<string, Names | Leaf>;

/** A file or link. */
interface Leaf {
  mode: Exclude<Mode, "40000">;
  content: Uint8Array;
}

/** The folder that a path lies in; folders on the way are made. */
function folderOf(root: Names, names: readonly string[], path: string): Names {
  let folder = root;
  for (const name of names) {
    const found = folder.get(name) ?? new Map();
    if (!(found instanceof Map)) refuse(path, "a file cannot be a directory, too");
    folder.set(name, found);
    folder = found;
  }
  return folder;
}

function leafOf(file: MemoryFile): Leaf {
  if (typeof file === "string") return { mode: MODE.file, content: utf8.encode(file) };
  if (file instanceof Uint8Array) return { mode: MODE.file, content: file };
  if ("link" in file) return { mode: MODE.symlink, content: utf8.encode(file.link) };
  const { content } = leafOf(file.content);
  return { mode: file.executable === true ? MODE.executable : MODE.file, content };
}

function place(root: Names, path: string, file: MemoryFile): void {
  const bytes = byteString(path).replace(/^\//, "");
  const names = bytes.split("/");
  const leaf = leafOf(file);
  checkLimits(bytes, bytes.length, names.length);
  for (const [at, name] of names.entries()) {
    if (name === "" || name === "." || name === ".." || name.includes("\0"))
      refuse(path, "its names are none that a file can have");
    checkName(name, at === names.length - 1 ? leaf.mode : MODE.directory, bytes);
  }
  const name = names.pop()!;
  const folder = folderOf(root, names, path);
  if (folder.has(name)) refuse(path, "it is there twice");
  folder.set(name, leaf);
}

function listFolder(names: Names, blobs: SourceBlob[]): SourceFolder {
  const entries: SourceEntry[] = [];
  for (const [name, found] of names) {
    if (found instanceof Map) {
      entries.push({ name, mode: MODE.directory, folder: listFolder(found, blobs) });
    } else {
      entries.push({ name, mode: found.mode, blob: blobs.length });
      blobs.push({ size: found.content.length, content: found.content });
    }
  }
  return { entries };
}

function listFiles(files: Iterable<readonly [string, MemoryFile]>): Listing {
  const root: Names = new Map();
  for (const [path, file] of files) place(root, path, file);
  const blobs: SourceBlob[] = [];
  return { root: listFolder(root, blobs), blobs, newest: undefined, skipped: [] };
}

/** SHA-1 in Wasm. */
class WasmSha1 implements Sha1 {
  readonly #engine: Engine;
  readonly #state: number;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#state = engine.alloc(SHA1_LEN + CHUNK_LEN);
    engine.sha1Init(this.#state);
  }

  update(bytes: Uint8Array): void {
    const chunk = this.#state + SHA1_LEN;
    for (let at = 0; at < bytes.length; at += CHUNK_LEN) {
      const part = bytes.subarray(at, at + CHUNK_LEN);
      new Uint8Array(this.#engine.memory.buffer).set(part, chunk);
      this.#engine.sha1Update(this.#state, chunk, part.length);
    }
  }

  digest(): Uint8Array {
    const to = this.#state + SHA1_LEN;
    this.#engine.sha1Final(this.#state, to);
    const digest = new Uint8Array(this.#engine.memory.buffer, to, OID_LEN).slice();
    this.#engine.free(this.#state);
    return digest;
  }
}

/**
 * Makes an image of files in memory. The same files and options give the same bytes as `make` gives for a directory that
 * holds them.
 * @param files by path from the root, `/` between names: an object, a `Map`, or pairs
 * @throws DocteurError `InvalidArgument` for options, `BadSource` for paths that no image can hold; the signal's reason
 * @example
 * const { image, commit } = await makeImage({ "index.html": "<p>Hello</p>", "img/logo.svg": svg });
 */
export async function makeImage(
  files: Record<string, MemoryFile> | Iterable<readonly [string, MemoryFile]>,
  options: MemoryOptions = {},
): Promise<MemoryImage> {
  const { date = EPOCH, blockSize = 512, depth = DEPTH, signal, onProgress, module } = options;
  checkBlockSize(blockSize);
  checkDepth(depth);
  signal?.throwIfAborted();
  const engine = createEngine(module ?? (await compilePacker()));
  const contents: Contents = {
    open: (content) => new MemoryContent(content as Uint8Array),
    sha1: () => new WasmSha1(engine),
  };
  const pairs = Symbol.iterator in files ? files : Object.entries(files);
  const sink = new MemorySink();
  const made = await makeFromListing(
    listFiles(pairs),
    sink,
    new LocalExecutor(new JobRunner(engine, contents)),
    contents,
    { date: commitDate(date), blockSize, depth, signal, onProgress },
  );
  return { ...made, image: sink.content };
}
