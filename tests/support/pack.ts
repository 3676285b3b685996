/** Images taken apart into the entries of their packs, and put together again around entries that may be anything. */
import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { buildIdx } from "../../src/git/build-idx.js";
import { crc32 } from "../../src/git/crc32.js";
import { applyBody, encodeSize, readHeader } from "./delta-encoder.js";
import { gitOid } from "./fixtures.js";

export const KIND = { commit: 1, tree: 2, blob: 3, tag: 4, ofsDelta: 6, refDelta: 7 } as const;
const KIND_NAMES = ["", "commit", "tree", "blob", "tag"] as const;

/** An entry of a pack. */
export interface PackEntry {
  /** One of `KIND`, or another number of three bits. */
  kind: number;
  /** The id that the IDX gives it. */
  oid: string;
  /** Inflated: the object, or the delta. */
  content: Buffer;
  /** The base's id, for deltas. */
  base?: string;
  /** What the header says of the content's length, where that is not true. */
  size?: number;
  /** The zlib stream, where it is not that of the content. */
  stream?: Buffer;
}

/** An image taken apart. */
export interface Parts {
  commit: string;
  entries: PackEntry[];
  /** Absolute offsets: behind the PACK's trailer, of the IDX, behind its own checksum. */
  packEnd: number;
  idxStart: number;
  idxEnd: number;
}

/** zlib's stream at the head of `bytes`, inflated, and its length. */
function inflateHead(bytes: Buffer): { content: Buffer; used: number } {
  const { buffer, engine } = inflateSync(bytes, { info: true } as never) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return { content: buffer, used: engine.bytesWritten };
}

/** Takes a sound image apart. */
export function parseImage(image: Buffer): Parts {
  const idxStart = Number(image.readBigUInt64LE(20));
  const count = image.readUInt32BE(idxStart + 8 + 255 * 4);
  const oids = new Map<number, string>();
  for (let row = 0; row < count; row++) {
    const oid = image.toString("hex", idxStart + 1032 + row * 20, idxStart + 1052 + row * 20);
    oids.set(image.readUInt32BE(idxStart + 1032 + count * 24 + row * 4), oid);
  }
  const entries: PackEntry[] = [];
  let end = 0;
  for (const offset of [...oids.keys()].sort((a, b) => a - b)) {
    let at = 28 + offset;
    const kind = (image[at]! >> 4) & 7;
    while (image[at++]! & 128) {}
    let base: string | undefined;
    if (kind === KIND.ofsDelta) {
      let distance = image[at]! & 127;
      while (image[at++]! & 128) distance = (distance + 1) * 128 + (image[at]! & 127);
      base = oids.get(offset - distance)!;
    } else if (kind === KIND.refDelta) {
      base = image.toString("hex", at, at + 20);
      at += 20;
    }
    const { content, used } = inflateHead(image.subarray(at));
    end = at + used;
    entries.push({ kind, oid: oids.get(offset)!, content, ...(base !== undefined && { base }) });
  }
  const commit = image.toString("hex", 0, 20);
  return { commit, entries, packEnd: end + 20, idxStart, idxEnd: idxStart + 1032 + count * 28 + 40 };
}

/** An entry's header without its base: four bits of the size with the kind, then seven bits a byte. */
function entryHeader(kind: number, size: number): Buffer {
  const first = (kind << 4) | (size % 16);
  const rest = Math.floor(size / 16);
  return rest === 0 ? Buffer.from([first]) : Buffer.from([first | 128, ...encodeSize(rest)]);
}

/** The offset encoding of ofs-delta. */
function encodeDistance(distance: number): Buffer {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--;
    bytes.unshift((rest % 128) | 128);
  }
  return Buffer.from(bytes);
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash("sha1").update(bytes).digest();
}

function pad(length: number): Buffer {
  return Buffer.alloc(512 - (length % 512));
}

/** A pack and its index, by the rules where the entries are. */
export function buildPack(entries: readonly PackEntry[]): { pack: Buffer; idx: Buffer } {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(entries.length, 8);
  const places = new Map<string, number>();
  const parts: Buffer[] = [head];
  const crcs = new Uint32Array(entries.length);
  const offsets = new Float64Array(entries.length);
  let offset = head.length;
  entries.forEach((entry, index) => {
    const { kind, content, oid, base = "00".repeat(20) } = entry;
    const from =
      kind === KIND.ofsDelta
        ? encodeDistance(offset - (places.get(base) ?? offset))
        : Buffer.from(kind === KIND.refDelta ? base : "", "hex");
    const stream = entry.stream ?? deflateSync(content, { level: index % 10 });
    const bytes = Buffer.concat([entryHeader(kind, entry.size ?? content.length), from, stream]);
    places.set(oid, offset);
    offsets[index] = offset;
    crcs[index] = crc32(bytes);
    parts.push(bytes);
    offset += bytes.length;
  });
  const body = Buffer.concat(parts);
  const trailer = sha1(body);
  const oids = Buffer.from(entries.map(({ oid }) => oid).join(""), "hex");
  const idx = Buffer.from(
    buildIdx({ count: entries.length, oids, crcs, offsets }, trailer, createHash("sha1")),
  );
  return { pack: Buffer.concat([body, trailer]), idx };
}

/** An image of these entries. */
export function buildImage(commit: string, entries: readonly PackEntry[]): Buffer {
  const { pack, idx } = buildPack(entries);
  const header = Buffer.alloc(28);
  header.write(commit, "hex");
  const padding = pad(28 + pack.length);
  header.writeBigUInt64LE(BigInt(28 + pack.length + padding.length), 20);
  return Buffer.concat([header, pack, padding, idx, pad(idx.length)]);
}

/** Makes the checksums of a changed image right again: the PACK's, and with it the IDX's. The image's parts lie where they lay. */
export function fixChecksums(image: Buffer, { packEnd, idxStart, idxEnd }: Parts): void {
  if (image.length < idxEnd) return;
  const trailer = sha1(image.subarray(28, packEnd - 20));
  trailer.copy(image, packEnd - 20);
  trailer.copy(image, idxEnd - 40);
  sha1(image.subarray(idxStart, idxEnd - 20)).copy(image, idxEnd - 20);
}

/** A whole object as an entry. */
export function objectEntry(kind: "commit" | "tree" | "blob", content: Buffer): PackEntry {
  return { kind: KIND[kind], oid: gitOid(kind, content), content };
}

/** Every object of a sound pack, resolved, by its id. */
export function resolveAll(entries: readonly PackEntry[]): Map<string, { kind: string; data: Buffer }> {
  const byOid = new Map(entries.map((entry) => [entry.oid, entry]));
  const resolved = new Map<string, { kind: string; data: Buffer }>();
  const resolve = (oid: string): { kind: string; data: Buffer } => {
    const known = resolved.get(oid);
    if (known !== undefined) return known;
    const { kind, content, base } = byOid.get(oid)!;
    let object = { kind: KIND_NAMES[kind]! as string, data: content };
    if (base !== undefined) {
      const below = resolve(base);
      const header = readHeader(content)!;
      const data = applyBody(content.subarray(header.body), below.data, Number(header.result))!;
      object = { kind: below.kind, data: Buffer.from(data) };
    }
    resolved.set(oid, object);
    return object;
  };
  for (const { oid } of entries) resolve(oid);
  return resolved;
}

/** An entry of a tree as git writes it. */
export function treeEntry(mode: string, name: Uint8Array | string, oid: string): Buffer {
  return Buffer.concat([
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.from([0]),
    Buffer.from(oid, "hex"),
  ]);
}

/** A commit of a tree. */
export function commitOf(tree: string): PackEntry {
  const who = "A U Thor <author@example.org> 1717740550 +0200";
  return objectEntry("commit", Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nmessage\n`));
}
