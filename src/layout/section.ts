/** Makes the layout section of an image from its objects: counts the paths, walks them, and writes pages and footer. */
import { DocteurError } from "../errors.js";
import { KIND, OID } from "../git/entry.js";
import { ENTRY } from "../git/tree-mode.js";
import { Extents } from "./extents.js";
import { type Folder, Folders, PART } from "./folder.js";
import { encodeFooter, FOOTER, SEGMENT } from "./format.js";
import { entryEnd, type LayoutObjects, type SeekPoints } from "./objects.js";
import { LayoutWriter, pageSizeFor, type SeekPlace } from "./writer.js";

/** The most paths of a section: trees that hold each other many times over can have any number. */
export const PATHS_MAX = 1 << 24;
/** The limits of readers (`asm/base/limits.ts`): directories in directories, and bytes of a path. */
const DEPTH_MAX = 512;
const PATH_MAX = 4096;
/** The most bytes of a section: for each path, or as a part of the image; whichever is more. */
const BYTES_PER_PATH = 16;
const PART_OF_IMAGE = 0.03;
/** The least block size. */
const SECTOR = 512;

/** The image around the section. */
export interface Frame {
  /** 20 bytes. */
  commit: Uint8Array;
  /** Rows of the commit and of its tree. */
  commitRow: number;
  rootRow: number;
  /** The PACK's checksum, 20 bytes. */
  trailer: Uint8Array;
  /** Bytes of the PACK. */
  packSize: number;
  idxStart: number;
  /** Bytes of the image without the section. */
  bareSize: number;
}

/** The counts of paths below a tree. */
export interface PathCounts {
  paths: number;
  /** Bytes of the longest, names and a slash between each two. */
  longest: number;
  /** The most names in one. */
  depth: number;
}

/** The largest block size that an image surely has: the largest power of two that divides its parts. */
export function blockOf(idxStart: number, bareSize: number): number {
  let block = SECTOR;
  while (block < bareSize && idxStart % (2 * block) === 0 && bareSize % (2 * block) === 0) block *= 2;
  return block;
}

/** Values for trees whose paths are not counted yet, or are being counted. */
const STATE = { unknown: -1, open: -2 } as const;

/** A tree on the way down. */
interface Level {
  row: number;
  folder: Folder;
  /** Its next entry, a position among the numbers. */
  next: number;
}

/** Counts the paths below trees, each of which is read once. */
class Counter {
  readonly #folders: Folders;
  /** By row: paths below a tree, or one of `STATE`; bytes of the longest, and the most names in one. */
  readonly #paths: Float64Array;
  readonly #longest: Uint32Array;
  readonly #depths: Uint32Array;

  constructor(folders: Folders, rowCount: number) {
    this.#folders = folders;
    this.#paths = new Float64Array(rowCount).fill(STATE.unknown);
    this.#longest = new Uint32Array(rowCount);
    this.#depths = new Uint32Array(rowCount);
  }

  async count(root: number): Promise<PathCounts> {
    const levels: Level[] = [];
    const enter = async (row: number): Promise<void> => {
      const folder = this.#folders.kept(row) ?? (await this.#folders.read(row));
      this.#paths[row] = STATE.open;
      levels.push({ row, folder, next: 0 });
    };
    await enter(root);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { entries } = level.folder;
      const at = level.next;
      level.next += PART.stride;
      if (at >= entries.length) {
        this.#sum(level);
        levels.pop();
        continue;
      }
      const row = entries[at + PART.row]!;
      if (entries[at + PART.kind] !== ENTRY.tree || this.#paths[row]! >= 0) continue;
      // A ring has no ids, unless nobody proves them.
      if (levels.length > DEPTH_MAX || this.#paths[row] === STATE.open) throw tooLong();
      await enter(row);
    }
    return { paths: this.#paths[root]!, longest: this.#longest[root]!, depth: this.#depths[root]! };
  }

  #sum({ row, folder: { entries, count } }: Level): void {
    let paths = count;
    let longest = 0;
    let depth = count === 0 ? 0 : 1;
    for (let at = 0; at < entries.length; at += PART.stride) {
      let length = entries[at + PART.end]! - entries[at]!;
      if (entries[at + PART.kind] === ENTRY.tree) {
        const child = entries[at + PART.row]!;
        paths += this.#paths[child]!;
        depth = Math.max(depth, this.#depths[child]! + 1);
        if (this.#depths[child]! > 0) length += 1 + this.#longest[child]!;
      }
      longest = Math.max(longest, length);
    }
    this.#paths[row] = paths;
    this.#longest[row] = longest;
    this.#depths[row] = depth;
  }
}

function tooLong(): DocteurError {
  return new DocteurError("TreeTooDeep", `a path is longer than ${PATH_MAX} bytes or ${DEPTH_MAX} names`);
}

/** Counts all paths of an image. @throws DocteurError for paths that a section cannot hold, and for damaged trees */
async function countAll(folders: Folders, rowCount: number, root: number): Promise<PathCounts> {
  const counts = await new Counter(folders, rowCount).count(root);
  if (counts.paths > PATHS_MAX)
    throw new DocteurError("TooManyObjects", `the image has more than ${PATHS_MAX} paths`);
  if (counts.longest > PATH_MAX || counts.depth > DEPTH_MAX) throw tooLong();
  return counts;
}

/** Hands the entries of all directories to a writer, in the order of their keys. */
class Walker {
  readonly #objects: LayoutObjects;
  readonly #folders: Folders;
  readonly #writer: LayoutWriter;
  readonly #extents: Extents;
  /** The seek records of each blob, by row; undefined if it has none. */
  readonly #seeks = new Map<number, SeekPlace | undefined>();
  /** The seek points of all blobs, and the number of their records. */
  readonly seekPoints: SeekPoints[] = [];
  #records = 0;

  constructor(objects: LayoutObjects, folders: Folders, writer: LayoutWriter) {
    this.#objects = objects;
    this.#folders = folders;
    this.#writer = writer;
    this.#extents = new Extents(objects);
  }

  async walk(root: number): Promise<void> {
    const levels: (Level & { prefix: Uint8Array })[] = [];
    const enter = async (row: number, prefix: Uint8Array): Promise<void> => {
      const folder = this.#folders.kept(row) ?? (await this.#folders.read(row));
      await this.#addAll(folder, prefix);
      levels.push({ row, folder, next: 0, prefix });
    };
    await enter(root, new Uint8Array(0));
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { bytes, entries } = level.folder;
      const at = level.next;
      level.next += PART.stride;
      if (at >= entries.length) levels.pop();
      else if (entries[at + PART.kind] === ENTRY.tree) {
        const name = bytes.subarray(entries[at]!, entries[at + PART.end]!);
        const prefix = new Uint8Array(level.prefix.length + name.length + 1);
        prefix.set(level.prefix);
        prefix.set(name, level.prefix.length);
        await enter(entries[at + PART.row]!, prefix);
      }
    }
  }

  /** Adds the entries of a directory. @param prefix the names above them, each with a NUL behind it */
  async #addAll({ bytes, entries }: Folder, prefix: Uint8Array): Promise<void> {
    const { ranks, offsets, sizes } = this.#objects;
    for (let at = 0; at < entries.length; at += PART.stride) {
      const end = entries[at + PART.end]!;
      const kind = entries[at + PART.kind]!;
      const row = entries[at + PART.row]!;
      const name = bytes.subarray(entries[at]!, end);
      if (row < 0) {
        const object = bytes.subarray(end + 1, end + 1 + OID);
        await this.#writer.add(prefix, { name, kind, size: 0, object });
        continue;
      }
      const offset = offsets[row]!;
      const length = entryEnd(this.#objects, row) - offset;
      const bases = this.#extents.of(row);
      const object = { offset, length, rank: ranks[row]!, bases, seek: await this.#seekOf(row) };
      await this.#writer.add(prefix, { name, kind, size: kind === ENTRY.tree ? 0 : sizes[row]!, object });
    }
  }

  /** The seek records of an object, or of its base. */
  async #seekOf(row: number): Promise<SeekPlace | undefined> {
    const { types, sizes, offsets } = this.#objects;
    if (types[row] !== KIND.blob) return undefined;
    const base = this.#extents.baseOf(row);
    if (base === undefined || sizes[base]! <= SEGMENT.min) return undefined;
    if (this.#seeks.has(base)) return this.#seeks.get(base);
    const points = await this.#objects.seekPoints(base);
    const offset = offsets[base]!;
    const length = entryEnd(this.#objects, base) - offset;
    const place = points && { first: this.#records, segment: points.segment, offset, length };
    this.#seeks.set(base, place);
    if (points === undefined) return undefined;
    this.seekPoints.push(points);
    this.#records += points.places.length;
    return place;
  }
}

/**
 * Writes a section: zeros, pages, and the footer, which ends the image.
 * @param append takes the bytes that follow the image, which may be changed as soon as it resolves
 * @param onCounted is told the counts of paths before the first page comes
 * @returns bytes of the section
 * @throws DocteurError `BadTree`, `MissingObject`, `WrongKind`, `TreeTooDeep`, `TooManyObjects`; those of reading trees
 */
export async function writeSection(
  objects: LayoutObjects,
  frame: Frame,
  append: (bytes: Uint8Array) => Promise<void>,
  onCounted?: (counts: PathCounts) => void,
): Promise<number> {
  const { bareSize, commit, trailer, packSize } = frame;
  const folders = new Folders(objects);
  const counts = await countAll(folders, objects.offsets.length, frame.rootRow);
  onCounted?.(counts);
  const pageSize = pageSizeFor(counts.paths, counts.longest);
  const block = blockOf(frame.idxStart, bareSize);
  const zerosFor = (pages: number): number => {
    const past = (bareSize + pages * pageSize + FOOTER) % block;
    return past === 0 ? 0 : block - past;
  };
  // Pages are as long as some blocks, or they wait until their number is known.
  let waiting: Uint8Array[] | undefined = block > pageSize ? [] : undefined;
  let written = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    await append(bytes);
    written += bytes.length;
  };
  if (waiting === undefined && zerosFor(0) > 0) await put(new Uint8Array(zerosFor(0)));
  const allowance = Math.max(BYTES_PER_PATH, (PART_OF_IMAGE * bareSize) / Math.max(1, counts.paths));
  const writer = new LayoutWriter(pageSize, trailer, allowance, async (page) => {
    if (waiting === undefined) await put(page);
    else waiting.push(page);
  });
  const walker = new Walker(objects, folders, writer);
  await walker.walk(frame.rootRow);
  const { pages, leaves, seekPages, paths } = await writer.finish(walker.seekPoints);
  if (waiting !== undefined) {
    await put(new Uint8Array(zerosFor(pages)));
    for (const page of waiting) await put(page);
    waiting = undefined;
  }
  const firstPage = bareSize + zerosFor(pages);
  await put(
    encodeFooter({
      pageSize,
      firstPage,
      pages,
      leaves,
      seekPages,
      paths,
      commit,
      trailer,
      commitOffset: objects.offsets[frame.commitRow]!,
      treeOffset: objects.offsets[frame.rootRow]!,
      imageSize: firstPage + pages * pageSize + FOOTER,
      packSize,
      bareSize,
    }),
  );
  return written;
}
