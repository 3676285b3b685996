/** What every byte of a sound image is, by the letter of the format: found without the code that is tested. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { PACK_START } from "./crafted-image.js";

/** Kinds of regions, in the order of an image. */
export type RegionKind =
  | "commit id"
  | "IDX offset"
  | "PACK magic"
  | "PACK version"
  | "PACK count"
  | "entry header"
  | "entry base"
  | "entry stream"
  | "entry Adler-32"
  | "PACK trailer"
  | "first padding"
  | "IDX header"
  | "IDX fanout"
  | "IDX ids"
  | "IDX CRC-32s"
  | "IDX offsets"
  | "IDX copy of the trailer"
  | "IDX trailer"
  | "last padding";

/** An object's entry in the PACK; absolute offsets. */
export interface EntryPlace {
  oid: string;
  start: number;
  end: number;
}

/** A run of bytes of one kind. */
export interface Region {
  kind: RegionKind;
  start: number;
  end: number;
  /** In the PACK: the entry that it belongs to. */
  entry?: EntryPlace;
}

/** Lengths of an entry's header, and of what names its base. */
function headerLen(image: Buffer, start: number): { header: number; base: number } {
  let at = start;
  const kind = (image[at]! >> 4) & 7;
  while (image[at++]! >= 0x80);
  const header = at - start;
  if (kind === 7) return { header, base: 20 };
  if (kind === 6) while (image[at++]! >= 0x80);
  return { header, base: at - start - header };
}

/**
 * The regions of an image, one after another, without gaps.
 * @param bytes a sound image, whose offsets take 31 bits
 */
export function regionsOf(bytes: Uint8Array): Region[] {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const idx = Number(image.readBigUInt64LE(20));
  const count = image.readUInt32BE(PACK_START + 8);
  const ids = idx + 8 + 1024;
  const [crcs, offsets] = [ids + count * 20, ids + count * 24];
  const idxTrailers = offsets + count * 4;
  const packTrailer = image.lastIndexOf(image.subarray(idxTrailers, idxTrailers + 20), idx - 20);
  assert.ok(packTrailer > 0);
  const rows = Array.from({ length: count }, (_, row) => ({
    oid: image.toString("hex", ids + row * 20, ids + row * 20 + 20),
    start: PACK_START + image.readUInt32BE(offsets + row * 4),
  })).sort((a, b) => a.start - b.start);
  const regions: Region[] = [];
  const until = (kind: RegionKind, end: number, entry?: EntryPlace): void => {
    const start = regions.at(-1)?.end ?? 0;
    assert.ok(end >= start, kind);
    regions.push({ kind, start, end, ...(entry === undefined ? {} : { entry }) });
  };
  until("commit id", 20);
  until("IDX offset", PACK_START);
  until("PACK magic", PACK_START + 4);
  until("PACK version", PACK_START + 8);
  until("PACK count", PACK_START + 12);
  for (const [row, { oid, start }] of rows.entries()) {
    const end = rows[row + 1]?.start ?? packTrailer;
    const entry = { oid, start, end };
    const { header, base } = headerLen(image, start);
    // Its stream fills it to the end, or this fails.
    inflateSync(image.subarray(start + header + base, end));
    until("entry header", start + header, entry);
    until("entry base", start + header + base, entry);
    until("entry stream", end - 4, entry);
    until("entry Adler-32", end, entry);
  }
  until("PACK trailer", packTrailer + 20);
  until("first padding", idx);
  until("IDX header", idx + 8);
  until("IDX fanout", ids);
  until("IDX ids", crcs);
  until("IDX CRC-32s", offsets);
  until("IDX offsets", idxTrailers);
  until("IDX copy of the trailer", idxTrailers + 20);
  until("IDX trailer", idxTrailers + 40);
  until("last padding", image.length);
  return regions.filter(({ start, end }) => start < end);
}

/** Whether a region is padding. */
export function isPadding({ kind }: Region): boolean {
  return kind === "first padding" || kind === "last padding";
}
