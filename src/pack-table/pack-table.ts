/** The entries of an image's PACK, a row each in the PACK's order, from their headers: nothing is inflated. */
import { DocteurError, STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, KIND, OID, PACK_HEADER, PACK_START, parseEntry } from "../git/entry.js";
import { MESSAGES, STATUS_NAMES } from "../messages.js";
import type { Idx } from "./idx.js";
import type { Frame, ImageBytes } from "./image-bytes.js";

/** The kinds of objects, by the number that the PACK has for each. */
export const OBJECT_KINDS = ["", "commit", "tree", "blob", "tag"] as const;
export type ObjectKind = Exclude<(typeof OBJECT_KINDS)[number], "">;

/** The value of `bases` for an entry that is not a delta. */
const NO_BASE = -1;

/** How an object is stored. */
export interface PackedObject {
  /** In the image, in bytes. */
  offset: number;
  /** Bytes in the PACK, with the entry's header. */
  packedBytes: number;
  /** Deltas between it and an object that is stored whole: 0 for such an object. */
  depth: number;
  /** The id of the object that it is a delta of; absent for an object that is stored whole. */
  base?: string;
}

/** @throws DocteurError for an entry or an index that is damaged */
function damaged(status: number, offset: number): DocteurError {
  const code = STATUS_NAMES.get(status) ?? "BadEntry";
  return new DocteurError(code, `${MESSAGES[code]} (at offset ${PACK_START + offset})`, {
    offset: PACK_START + offset,
    hint: "docteur verify says what else is wrong with the image",
  });
}

/** The most padding between the PACK and the IDX that is looked through. */
const PADDING_MAX = 1 << 20;

/**
 * The end of the PACK in the image, which padding follows: behind the checksum that the IDX repeats. The IDX's start, if it
 * is not found.
 */
export async function packEnd(bytes: ImageBytes, { idxStart }: Frame, idx: Idx): Promise<number> {
  const start = Math.max(PACK_START, idxStart - PADDING_MAX);
  const last = Buffer.from(await bytes.copy(start, idxStart - start));
  const found = last.lastIndexOf(idx.packTrailer);
  return found < 0 ? idxStart : start + found + OID;
}

/** The entries of a PACK. */
export class PackTable {
  readonly count: number;
  /** From the PACK's start. */
  readonly #offsets: Float64Array;
  /** The end of the last entry. */
  readonly #end: number;
  /** Kinds as they are stored: those of deltas are deltas. */
  readonly #kinds: Uint8Array;
  /** Rows of bases. */
  readonly #bases: Int32Array;
  /** Each row's rank in the IDX. */
  readonly #ranks: Uint32Array;
  readonly #idx: Idx;
  #depths: Uint32Array | undefined;
  #roots: Int32Array | undefined;

  /** @param end the end of the last entry */
  private constructor(idx: Idx, end: number) {
    this.count = idx.count;
    this.#idx = idx;
    this.#end = end;
    this.#ranks = idx.byOffset();
    this.#offsets = Float64Array.from(this.#ranks, (rank) => idx.offset(rank));
    this.#kinds = new Uint8Array(idx.count);
    this.#bases = new Int32Array(idx.count).fill(NO_BASE);
  }

  /**
   * Reads the headers of all entries.
   * @throws DocteurError `BadIdx` and others for a damaged image
   */
  static async read(bytes: ImageBytes, frame: Frame, idx: Idx): Promise<PackTable> {
    const end = (await packEnd(bytes, frame, idx)) - PACK_START - OID;
    const table = new PackTable(idx, end);
    const rowsOfRanks = new Int32Array(idx.count);
    for (const [row, rank] of table.#ranks.entries()) rowsOfRanks[rank] = row;
    const header = entryHeader();
    for (let row = 0; row < table.count; row++) {
      const offset = table.#offsets[row]!;
      if (offset < PACK_HEADER || offset >= end || offset === table.#offsets[row - 1])
        throw damaged(STATUS.BadIdx, Math.max(offset, 0));
      const piece = await bytes.at(PACK_START + offset, HEADER_MAX);
      const status = parseEntry(header, piece, 0, offset, end);
      if (status !== STATUS.Ok) throw damaged(status, offset);
      table.#kinds[row] = header.kind;
      if (header.kind === KIND.ofsDelta) table.#bases[row] = table.#rowAt(header.base);
      if (header.kind === KIND.refDelta) {
        const rank = idx.rankOf(piece.slice(header.baseOidAt, header.baseOidAt + OID));
        table.#bases[row] = rank < 0 ? -1 : rowsOfRanks[rank]!;
      }
      if (header.kind >= KIND.ofsDelta && table.#bases[row]! < 0) throw damaged(STATUS.BadBase, offset);
    }
    return table;
  }

  /** The row of the entry at an offset, or -1. */
  #rowAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return this.#offsets[low] === offset ? low : -1;
  }

  /** Finds the depth of each row, and the row that its chain ends at. @throws DocteurError `BadBase` for a chain without an end */
  #follow(): { depths: Uint32Array; roots: Int32Array } {
    if (this.#depths !== undefined) return { depths: this.#depths, roots: this.#roots! };
    const depths = new Uint32Array(this.count);
    const roots = new Int32Array(this.count).fill(-1);
    const chain: number[] = [];
    for (let row = 0; row < this.count; row++) {
      let at = row;
      while (roots[at] === -1 && this.#bases[at]! >= 0) {
        chain.push(at);
        if (chain.length > this.count) throw damaged(STATUS.BadBase, this.#offsets[row]!);
        at = this.#bases[at]!;
      }
      if (roots[at] === -1) roots[at] = at;
      for (let above = chain.pop(); above !== undefined; above = chain.pop()) {
        const base = this.#bases[above]!;
        roots[above] = roots[base]!;
        depths[above] = depths[base]! + 1;
      }
    }
    this.#depths = depths;
    this.#roots = roots;
    return { depths, roots };
  }

  /** The start of each entry, from the PACK's start. */
  get offsets(): Float64Array {
    return this.#offsets;
  }

  /** The end of the last entry, where the PACK's trailer begins. */
  get end(): number {
    return this.#end;
  }

  /** The row of each delta's base; negative for objects that are stored whole. */
  get bases(): Int32Array {
    return this.#bases;
  }

  /** Each row's rank in the IDX. */
  get ranks(): Uint32Array {
    return this.#ranks;
  }

  /** The number of each object's kind (`KIND`), those of deltas too. */
  types(): Uint8Array {
    return Uint8Array.from(this.#follow().roots, (root) => this.#kinds[root]!);
  }

  /** Bytes of a row's entry. */
  size(row: number): number {
    return (row + 1 < this.count ? this.#offsets[row + 1]! : this.#end) - this.#offsets[row]!;
  }

  depth(row: number): number {
    return this.#follow().depths[row]!;
  }

  /** The kind of a row's object. */
  kind(row: number): ObjectKind {
    return OBJECT_KINDS[this.#kinds[this.#follow().roots[row]!]!]! as ObjectKind;
  }

  isDelta(row: number): boolean {
    return this.#bases[row] !== NO_BASE;
  }

  /** How an object is stored. @param oid 20 bytes @returns undefined if it is not in the image */
  find(oid: Uint8Array): PackedObject | undefined {
    const rank = this.#idx.rankOf(oid);
    if (rank < 0) return undefined;
    const row = this.#rowAt(this.#idx.offset(rank));
    const base = this.#bases[row]!;
    return {
      offset: PACK_START + this.#offsets[row]!,
      packedBytes: this.size(row),
      depth: this.depth(row),
      ...(base < 0 ? {} : { base: this.#idx.oid(this.#ranks[base]!) }),
    };
  }
}
