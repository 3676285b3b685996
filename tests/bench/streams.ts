/** The zlib streams of an image's pack, found by its index (gitformat-pack). */

/** Entry types of a pack. */
export const TYPE = { COMMIT: 1, TREE: 2, BLOB: 3, TAG: 4, OFS_DELTA: 6, REF_DELTA: 7 } as const;

/** One entry of a pack. */
export interface PackEntry {
  /** 40 hexadecimal digits. */
  oid: string;
  /** One of `TYPE`. */
  type: number;
  /** Bytes that the stream inflates to. */
  size: number;
  /** The zlib stream, a view on the image. */
  stream: Buffer;
}

/** Offset of the pack in an image. */
const PACK_OFFSET = 28;

/** Offsets and ids, in the pack's order, and where its entries end. Offsets of 64 bits do not occur: images here are below 2 GiB. */
function readIdx(image: Buffer): { rows: { at: number; oid: string }[]; end: number } {
  const idx = Number(image.readBigUInt64LE(20));
  const count = image.readUInt32BE(idx + 8 + 255 * 4);
  const oids = idx + 1032;
  const offsets = oids + count * 24;
  const rows = Array.from({ length: count }, (_, row) => ({
    at: PACK_OFFSET + image.readUInt32BE(offsets + row * 4),
    oid: image.toString("hex", oids + row * 20, oids + row * 20 + 20),
  })).sort((a, b) => a.at - b.at);
  const trailer = image.subarray(offsets + count * 4, offsets + count * 4 + 20);
  return { rows, end: image.lastIndexOf(trailer, idx - 20) };
}

function readEntry(image: Buffer, oid: string, start: number, end: number): PackEntry {
  let at = start;
  let byte = image[at++]!;
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let unit = 16; byte & 0x80; unit *= 128) {
    byte = image[at++]!;
    size += (byte & 0x7f) * unit;
  }
  if (type === TYPE.REF_DELTA) at += 20;
  if (type === TYPE.OFS_DELTA) while (image[at++]! & 0x80);
  return { oid, type, size, stream: image.subarray(at, end) };
}

/** All entries of an image's pack, in its order. */
export function packEntries(image: Buffer): PackEntry[] {
  const { rows, end } = readIdx(image);
  return rows.map(({ at, oid }, row) => readEntry(image, oid, at, rows[row + 1]?.at ?? end));
}
