/**
 * The figures of an image: counts and sizes by kind, how objects are stored, and the largest files and directories. Each
 * tree is read once, however often it stands in the image.
 */

import { DocteurError } from "../errors.js";
import type { ObjectKind, PackTable } from "../pack-table/pack-table.js";
import type { Entry, EntryKind } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import { largestFirst } from "./largest.js";

/** Counts of paths below a directory. Beyond 2^53 they are rounded. */
export type Totals = Record<EntryKind, number> & {
  /** Bytes of all files, path by path. */
  bytes: number;
  /** Bytes of the largest file. */
  largest: number;
};

/** Objects of one kind. */
export interface KindFigures {
  count: number;
  /** Those that are stored as deltas. */
  deltaCount: number;
  /** Bytes in the PACK. */
  packedBytes: number;
}

/** A path, and its bytes. */
export interface Sized {
  path: Uint8Array;
  size: number;
}

const NO_TOTALS: Totals = {
  directory: 0,
  file: 0,
  executable: 0,
  symlink: 0,
  submodule: 0,
  bytes: 0,
  largest: 0,
};

/** Reads the trees of an image. */
export class Survey {
  readonly #volume: Volume;
  /** By the ids of trees; undefined while one is being read. */
  readonly #totals = new Map<string, Totals | undefined>();

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  /** Counts what is below a directory. @param path one of its paths */
  async totals(oid: string, path: Uint8Array): Promise<Totals> {
    const known = this.#totals.get(oid);
    if (known !== undefined) return known;
    if (this.#totals.has(oid))
      throw new DocteurError("BadTree", `a directory is within itself: ${oid}`, { oid });
    this.#totals.set(oid, undefined);
    const totals = { ...NO_TOTALS };
    for await (const entry of this.#entries(path)) {
      totals[entry.kind]++;
      if (entry.kind === "directory") {
        const below = await this.totals(entry.oid, entry.pathBytes);
        for (const name of Object.keys(totals) as (keyof Totals)[])
          if (name !== "largest") totals[name] += below[name];
        totals.largest = Math.max(totals.largest, below.largest);
      } else if (isFile(entry)) {
        totals.bytes += entry.size!;
        totals.largest = Math.max(totals.largest, entry.size!);
      }
    }
    this.#totals.set(oid, totals);
    return totals;
  }

  #entries(path: Uint8Array): AsyncIterable<Entry> {
    return this.#volume.entries(path, { sizes: true });
  }

  /** The largest files. Only directories that can hold one are looked into. @param count the most files */
  async largestFiles(root: string, count: number): Promise<Sized[]> {
    const { largest } = await this.totals(root, ROOT);
    return largestFirst({ path: ROOT, size: largest, tree: root }, count, async (node) => {
      if (node.tree === undefined) return "told";
      const parts = [];
      for await (const entry of this.#entries(node.path))
        if (entry.kind === "directory") {
          const { largest: size } = await this.totals(entry.oid, entry.pathBytes);
          if (size > 0) parts.push({ path: entry.pathBytes, size, tree: entry.oid });
        } else if (isFile(entry)) parts.push({ path: entry.pathBytes, size: entry.size! });
      return parts;
    });
  }

  /** The largest directories below the root, each with everything below it. @param count the most directories */
  async largestDirectories(root: string, count: number): Promise<Sized[]> {
    const { bytes } = await this.totals(root, ROOT);
    const found = await largestFirst({ path: ROOT, size: bytes, tree: root }, count + 1, async (node) => {
      const parts = [];
      for await (const entry of this.#entries(node.path))
        if (entry.kind === "directory") {
          const { bytes: size } = await this.totals(entry.oid, entry.pathBytes);
          parts.push({ path: entry.pathBytes, size, tree: entry.oid });
        }
      return { parts };
    });
    return found.slice(1);
  }
}

const ROOT = Uint8Array.of(0x2f);

function isFile({ kind }: Entry): boolean {
  return kind === "file" || kind === "executable";
}

/** Objects by kind, and how many there are of each depth. */
export function figuresOf(table: PackTable): { kinds: Record<ObjectKind, KindFigures>; depths: number[] } {
  const none = (): KindFigures => ({ count: 0, deltaCount: 0, packedBytes: 0 });
  const kinds: Record<ObjectKind, KindFigures> = { commit: none(), tree: none(), blob: none(), tag: none() };
  const depths: number[] = [];
  for (let row = 0; row < table.count; row++) {
    const figures = kinds[table.kind(row)];
    const depth = table.depth(row);
    figures.count++;
    figures.packedBytes += table.size(row);
    if (depth > 0) figures.deltaCount++;
    while (depths.length <= depth) depths.push(0);
    depths[depth]!++;
  }
  return { kinds, depths };
}
