/** The objects that an image of a commit holds: columns, as there may be a million of them. */
import { ByteStrings, doubled } from "../../git/byte-strings.js";
import { KIND, type Kind } from "../../git/objects.js";
import { hexOid, OID_LEN } from "../../git/oid.js";

const ROWS_MIN = 256;

/** Ids in one chunk of a request. */
const BATCH = 1024;

/**
 * The objects of a commit, each once, in the order of their paths. A directory comes right before its
 * content: the commit, its tree, and so on.
 */
export class CommitObjects {
  /** The first path of each, no slash in front, a byte string ("latin1"); the root tree's is empty, the commit's "/". */
  readonly paths = new ByteStrings();
  #kinds = new Uint8Array(ROWS_MIN);
  #sizes = new Float64Array(ROWS_MIN);
  #oids = new Uint8Array(ROWS_MIN * OID_LEN);
  count = 0;

  /**
   * Adds an object, unless it is already there.
   * @param oid 20 bytes
   * @param size bytes of its content; 0 if `setSize` follows
   */
  add(kind: Kind, oid: Uint8Array, path: string, size: number): void {
    if (this.count === this.#sizes.length) {
      this.#kinds = doubled(this.#kinds);
      this.#sizes = doubled(this.#sizes);
      this.#oids = doubled(this.#oids);
    }
    const row = this.count++;
    this.#kinds[row] = KIND[kind];
    this.#sizes[row] = size;
    this.#oids.set(oid, row * OID_LEN);
    this.paths.add(path);
  }

  /** @param size bytes of the object's content */
  setSize(row: number, size: number): void {
    this.#sizes[row] = size;
  }

  /** Bytes of an object's content. */
  sizeOf(row: number): number {
    return this.#sizes[row]!;
  }

  /** 20 bytes. */
  oidOf(row: number): Uint8Array {
    return this.#oids.subarray(row * OID_LEN, (row + 1) * OID_LEN);
  }

  isKind(row: number, kind: Kind): boolean {
    return this.#kinds[row] === KIND[kind];
  }

  /** The rows of a kind, in their order. */
  rowsOf(kind: Kind): Uint32Array {
    const rows = new Uint32Array(this.count);
    let end = 0;
    for (let row = 0; row < this.count; row++) if (this.isKind(row, kind)) rows[end++] = row;
    return rows.slice(0, end);
  }

  /** Bytes of all contents. */
  get contentLen(): number {
    let sum = 0;
    for (let row = 0; row < this.count; row++) sum += this.#sizes[row]!;
    return sum;
  }

  /** The ids of some objects, a line each, as `git cat-file` reads them. */
  *requests(rows: Uint32Array): Generator<string> {
    for (let start = 0; start < rows.length; start += BATCH) {
      let lines = "";
      for (const row of rows.subarray(start, start + BATCH)) lines += `${hexOid(this.oidOf(row))}\n`;
      yield lines;
    }
  }
}
