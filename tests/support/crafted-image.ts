/** Images written by hand, entry by entry, for tests that need a certain defect in a certain place. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { buildIdx } from "../../src/git/build-idx.js";
import { crc32 } from "../../src/git/crc32.js";
import { encodeHeader, paddingLen } from "../../src/make/image.js";
import { gitOid } from "./fixtures.js";

/** Kinds of entries, by the number that a pack gives them. */
export const KIND = { commit: 1, tree: 2, blob: 3, tag: 4, ofsDelta: 6, refDelta: 7 } as const;

/** Where the PACK begins in an image. */
export const PACK_START = 28;

/** An entry's header: kind and size, four bits and then seven at a time, little end first. */
export function entryHeader(kind: number, size: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(size);
  let byte = (kind << 4) | Number(rest & 15n);
  for (rest >>= 4n; rest > 0n; rest >>= 7n) {
    bytes.push(byte | 0x80);
    byte = Number(rest & 0x7fn);
  }
  return Buffer.from([...bytes, byte]);
}

/** The distance to an ofs-delta's base: seven bits a byte, the most significant first, each but the last one less. */
export function baseDistance(distance: number): Buffer {
  const bytes = [distance & 0x7f];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--;
    bytes.unshift((rest & 0x7f) | 0x80);
  }
  return Buffer.from(bytes);
}

/** A size at a delta's head: seven bits a byte, the least significant first. */
function deltaSize(size: number): Buffer {
  const bytes: number[] = [];
  let rest = size;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A delta: its two sizes, then instructions. */
export function delta(baseSize: number, resultSize: number, ...instructions: Uint8Array[]): Buffer {
  return Buffer.concat([deltaSize(baseSize), deltaSize(resultSize), ...instructions]);
}

/** An instruction that inserts up to 127 bytes. */
export function insert(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, "latin1")]);
}

/** An instruction that copies from the base; bytes of offset and length that are zero are left out. */
export function copy(offset: number, length: number): Buffer {
  const bytes = [0x80];
  for (let i = 0; i < 4; i++) {
    const byte = (offset >>> (8 * i)) & 0xff;
    if (byte === 0) continue;
    bytes[0]! |= 1 << i;
    bytes.push(byte);
  }
  for (let i = 0; i < 3; i++) {
    const byte = (length >>> (8 * i)) & 0xff;
    if (byte === 0) continue;
    bytes[0]! |= 16 << i;
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** A tree's entry as it is stored. */
export function treeEntry(mode: string, name: string, oid: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(oid, "hex")]);
}

/** An object in a crafted image. */
export interface Placed {
  /** Its id in the IDX. */
  oid: string;
  /** Where its entry begins, from the PACK's start. */
  offset: number;
}

/** What `CraftedImage.finish` makes other than it should be. */
export interface FinishOptions {
  /** The number of objects that the PACK's header announces. */
  count?: number;
  /** The PACK's version. */
  version?: number;
  /** Zero bytes between PACK and IDX, instead of what fills a block. */
  padding?: number;
  /** Changes the PACK before its trailer is computed. */
  editPack?: (pack: Buffer) => void;
  /** Changes the IDX; its own checksum is computed again afterwards. */
  editIdx?: (idx: Buffer) => Buffer | undefined;
  /** What the header gives as the IDX's offset. */
  idxOffset?: bigint;
}

/** A crafted image, and where its parts are: absolute offsets. */
export interface Crafted {
  bytes: Uint8Array;
  packEnd: number;
  idx: number;
  idxEnd: number;
}

/** A pack on its way into an image. What is added is written as it is told: nothing is checked. */
export class CraftedImage {
  readonly #parts: Buffer[] = [];
  readonly #entries: { oid: string; crc: number; offset: number }[] = [];
  #length = 12;
  #commit = "0".repeat(40);

  /** Where the next entry will begin, from the PACK's start. */
  get position(): number {
    return this.#length;
  }

  /** Adds an entry's bytes. @param oid the id under which the IDX lists it */
  raw(oid: string, ...parts: Uint8Array[]): Placed {
    const bytes = Buffer.concat(parts);
    const offset = this.#length;
    this.#parts.push(bytes);
    this.#entries.push({ oid, crc: crc32(bytes), offset });
    this.#length += bytes.length;
    return { oid, offset };
  }

  /** Adds a whole object. @param oid by default its own */
  object(
    kind: "commit" | "tree" | "blob" | "tag",
    content: Uint8Array | string,
    oid = gitOid(kind, Buffer.from(content as string)),
  ): Placed {
    const bytes = Buffer.from(content as string);
    return this.raw(oid, entryHeader(KIND[kind], bytes.length), deflateSync(bytes));
  }

  /** Adds an ofs-delta. @param base its base's offset from the PACK's start */
  ofsDelta(oid: string, base: number, instructions: Uint8Array): Placed {
    const distance = baseDistance(this.#length - base);
    return this.raw(oid, entryHeader(6, instructions.length), distance, deflateSync(instructions));
  }

  /** Adds a ref-delta. */
  refDelta(oid: string, base: string, instructions: Uint8Array): Placed {
    const id = Buffer.from(base, "hex");
    return this.raw(oid, entryHeader(7, instructions.length), id, deflateSync(instructions));
  }

  /** Adds a tree of entries that `treeEntry` made. */
  tree(...entries: Uint8Array[]): Placed {
    return this.object("tree", Buffer.concat(entries));
  }

  /** Adds a commit of that tree, and makes it the image's. */
  commit(tree: string): Placed {
    const who = "A U Thor <author@example.org> 1717740550 +0200";
    return this.head(this.object("commit", `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nmessage\n`));
  }

  /** Makes an object the image's commit. */
  head(placed: Placed): Placed {
    this.#commit = placed.oid;
    return placed;
  }

  finish({ count, version = 2, padding, editPack, editIdx, idxOffset }: FinishOptions = {}): Crafted {
    const header = Buffer.alloc(12);
    header.write("PACK");
    header.writeUInt32BE(version, 4);
    header.writeUInt32BE(count ?? this.#entries.length, 8);
    const pack = Buffer.concat([header, ...this.#parts]);
    editPack?.(pack);
    const trailer = createHash("sha1").update(pack).digest();
    const packEnd = PACK_START + pack.length + 20;
    const idxStart = packEnd + (padding ?? paddingLen(packEnd, 512));
    let idx: Buffer = Buffer.from(
      buildIdx(
        {
          count: this.#entries.length,
          oids: Buffer.concat(this.#entries.map(({ oid }) => Buffer.from(oid, "hex"))),
          crcs: Uint32Array.from(this.#entries, ({ crc }) => crc),
          offsets: Float64Array.from(this.#entries, ({ offset }) => offset),
        },
        trailer,
        createHash("sha1"),
      ),
    );
    if (editIdx) {
      idx = editIdx(idx) ?? idx;
      idx.set(createHash("sha1").update(idx.subarray(0, -20)).digest(), idx.length - 20);
    }
    const idxEnd = idxStart + idx.length;
    const bytes = new Uint8Array(idxEnd + paddingLen(idxEnd, 512));
    bytes.set(encodeHeader(Buffer.from(this.#commit, "hex"), 0));
    new DataView(bytes.buffer).setBigUint64(20, idxOffset ?? BigInt(idxStart), true);
    bytes.set(pack, PACK_START);
    bytes.set(trailer, packEnd - 20);
    bytes.set(idx, idxStart);
    return { bytes, packEnd, idx: idxStart, idxEnd };
  }
}

/** The file that `imageWith` adds beside what is wrong. */
export const OK_TEXT = "this file is fine\n";

/**
 * An image of a root with two files: `/f`, which `add` makes, and `/ok`, which is sound.
 * @param add adds what is needed and returns the object of `/f`
 */
export function imageWith(
  add: (image: CraftedImage) => Placed,
  options: FinishOptions = {},
): Crafted & { offset: number } {
  const image = new CraftedImage();
  const ok = image.object("blob", OK_TEXT);
  const placed = add(image);
  const tree = image.tree(treeEntry("100644", "f", placed.oid), treeEntry("100644", "ok", ok.oid));
  image.commit(tree.oid);
  return { ...image.finish(options), offset: PACK_START + placed.offset };
}
