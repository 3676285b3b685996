/** Decodes layout sections by the letter of docs/FORMAT.md, without the code that is tested. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

/** A record of a leaf. */
export interface LayoutRecord {
  /** A byte string ("latin1"), no slash in front. */
  path: string;
  /** 1 directory, 2 file, 3 executable, 4 symbolic link, 5 submodule. */
  kind: number;
  /** Bytes of content; undefined for directories and submodules. */
  size: number | undefined;
  /** A submodule's id. */
  oid: string | undefined;
  /** From the PACK's start; -1 for a submodule. */
  offset: number;
  /** Bytes of the entry, or those before it that have its bases; undefined for a submodule, and each with the other. */
  length: number | undefined;
  reach: number | undefined;
  /** In the IDX; -1 for a submodule. */
  rank: number;
  extents: { offset: number; length: number }[];
  /** The number of the first seek record of its content or its base's, if it has any, and bytes of content in a segment. */
  seek: { first: number; segment: number } | undefined;
  /** The entry that these records are of. */
  seekIn?: { offset: number; length: number };
  /** Where these numbers are told: a leaf's number, and the bytes of its page from one place to another. */
  seekTold?: { leaf: number; from: number; to: number };
}

/** A section. */
export interface DecodedLayout {
  pageSize: number;
  firstPage: number;
  pages: number;
  leaves: number;
  bareSize: number;
  records: LayoutRecord[];
  /** All seek records: places from the starts of their entries, and sixteen checksums each. */
  seeks: { place: number; checksums: number[] }[];
}

/** Reads numbers from a page. */
class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    assert.ok(this.at < this.bytes.length);
    return this.bytes[this.at++]!;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  take(length: number): Buffer {
    assert.ok(this.at + length <= this.bytes.length);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** The path of a key: each name but the last has a NUL behind it, and the last one in front, too. */
function pathOf(key: Buffer): string {
  const last = key.lastIndexOf(0);
  const folders = key.toString("latin1", 0, last);
  assert.ok(folders === "" || folders.endsWith("\0"));
  return folders.replaceAll("\0", "/") + key.toString("latin1", last + 1);
}

/** A page's records, checksum and padding checked. */
function pageAt(image: Buffer, start: number, size: number, number: number, trailer: Buffer) {
  const page = image.subarray(start, start + size);
  const binding = Buffer.concat([trailer, Buffer.alloc(4)]);
  binding.writeUInt32LE(number, 20);
  assert.equal(page.readUInt32LE(0), crc32(Buffer.concat([binding, page.subarray(4)])), `page ${number}`);
  const used = page.readUInt16LE(4);
  assert.equal(page[7], 0);
  assert.ok(page.subarray(used).every((byte) => byte === 0));
  return { bytes: page.subarray(0, used), level: page[6]!, child: page.readUInt32LE(8) };
}

/** Reads the records of a leaf. @param number the leaf's @returns the keys, and the records */
function readLeaf(page: Buffer, number: number): { keys: Buffer[]; records: LayoutRecord[] } {
  const cursor = new Cursor(page, 12);
  const tails = new Map<number, Buffer>([[0, Buffer.alloc(0)]]);
  const keys: Buffer[] = [];
  const records: LayoutRecord[] = [];
  let before = 0;
  while (cursor.at < page.length) {
    const head = cursor.byte();
    const kind = head & 7;
    const slot = (head >> 3) & 7;
    if (kind === 0) {
      tails.set(slot, cursor.take(cursor.varint()));
      continue;
    }
    const shared = cursor.varint();
    const suffix = cursor.take(cursor.varint());
    const last = keys.at(-1) ?? Buffer.alloc(0);
    assert.ok(shared <= last.length);
    const key = Buffer.concat([last.subarray(0, shared), suffix, tails.get(slot)!]);
    keys.push(key);
    const record: LayoutRecord = {
      path: pathOf(key),
      kind,
      size: undefined,
      oid: undefined,
      offset: -1,
      length: undefined,
      reach: undefined,
      rank: -1,
      extents: [],
      seek: undefined,
    };
    records.push(record);
    if (kind === 5) {
      record.oid = cursor.take(20).toString("hex");
      continue;
    }
    before += cursor.zigzag();
    record.offset = before;
    record.rank = cursor.varint();
    if (kind !== 1) record.size = cursor.varint();
    const stored = cursor.varint();
    if (stored % 2 === 0) record.length = stored / 2;
    else record.reach = ((stored - 1) / 2) * 64;
    assert.ok(stored % 2 === 0 || (head & 0x40) === 0, "a reach beside extents");
    if ((head & 0x80) !== 0) {
      const from = cursor.at;
      const seek = cursor.varint();
      record.seek = { first: Math.floor(seek / 16), segment: 65_536 * ((seek % 16) + 1) };
      record.seekIn = { offset: before + cursor.zigzag(), length: cursor.varint() };
      record.seekTold = { leaf: number, from, to: cursor.at };
    }
    let from = before;
    if ((head & 0x40) !== 0)
      for (let count = cursor.varint(); count > 0; count--) {
        from += cursor.zigzag();
        record.extents.push({ offset: from, length: cursor.varint() });
      }
  }
  return { keys, records };
}

/** The separators of an inner page. */
function readInner(page: Buffer): Buffer[] {
  const cursor = new Cursor(page, 12);
  const keys: Buffer[] = [];
  while (cursor.at < page.length) {
    const shared = cursor.varint();
    keys.push(
      Buffer.concat([(keys.at(-1) ?? Buffer.alloc(0)).subarray(0, shared), cursor.take(cursor.varint())]),
    );
  }
  return keys;
}

/** Decodes the section of an image, and checks that its tree leads to every record. */
export function decodeLayout(bytes: Uint8Array): DecodedLayout {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const footer = image.subarray(-512);
  assert.equal(footer.toString("latin1", 0, 8), "docteurL");
  assert.equal(footer.readUInt32LE(8), 2);
  assert.equal(footer.readUInt32LE(508), crc32(footer.subarray(0, 508)));
  const pageSize = footer.readUInt32LE(12);
  const firstPage = Number(footer.readBigUInt64LE(16));
  const pages = footer.readUInt32LE(24);
  const leaves = footer.readUInt32LE(28);
  const paths = Number(footer.readBigUInt64LE(32));
  const trailer = footer.subarray(60, 80);
  assert.equal(footer.toString("hex", 40, 60), image.toString("hex", 0, 20));
  const seekPages = footer.readUInt32LE(80);
  assert.equal(footer.readUInt32LE(84), 0);
  assert.equal(Number(footer.readBigUInt64LE(104)), image.length);
  const packSize = Number(footer.readBigUInt64LE(112));
  assert.deepEqual(image.subarray(28 + packSize - 20, 28 + packSize), trailer);
  const bareSize = Number(footer.readBigUInt64LE(120));
  assert.ok(footer.subarray(128, 508).every((byte) => byte === 0));
  assert.equal(firstPage, image.length - 512 - pages * pageSize);
  assert.ok(image.subarray(bareSize, firstPage).every((byte) => byte === 0));
  const at = (number: number) => pageAt(image, firstPage + number * pageSize, pageSize, number, trailer);
  const keys: Buffer[][] = [];
  const records: LayoutRecord[] = [];
  for (let number = 0; number < leaves; number++) {
    const { bytes: page, level } = at(number);
    assert.equal(level, 0);
    const leaf = readLeaf(page, number);
    keys.push(leaf.keys);
    records.push(...leaf.records);
  }
  assert.equal(records.length, paths);
  const all = keys.flat();
  for (let index = 1; index < all.length; index++)
    assert.ok(Buffer.compare(all[index - 1]!, all[index]!) < 0, `${records[index]!.path}: out of order`);
  const seeks: DecodedLayout["seeks"] = [];
  for (let number = leaves; number < leaves + seekPages; number++) {
    const { bytes: page, level } = at(number);
    assert.equal(level, 255);
    for (let from = 12; from < page.length; from += 72)
      seeks.push({
        place: Number(page.readBigUInt64LE(from)),
        checksums: Array.from({ length: 16 }, (_, cell) => page.readUInt32LE(from + 8 + 4 * cell)),
      });
    if (number < leaves + seekPages - 1) assert.ok(page.length > pageSize - 72, "a page has room left");
  }
  checkTree(at, pages, leaves, seekPages, keys);
  return { pageSize, firstPage, pages, leaves, bareSize, records, seeks };
}

/** From the root down, separators must enclose the keys of the leaves under them, and every page comes once. */
function checkTree(
  at: (number: number) => ReturnType<typeof pageAt>,
  pages: number,
  leaves: number,
  seekPages: number,
  keys: Buffer[][],
): void {
  const seen: number[] = [];
  const visit = (number: number, level: number, low: Buffer, high: Buffer | undefined): void => {
    seen.push(number);
    const page = at(number);
    assert.equal(page.level, level);
    if (level === 0) {
      for (const key of keys[number]!) {
        assert.ok(Buffer.compare(key, low) >= 0);
        assert.ok(high === undefined || Buffer.compare(key, high) < 0);
      }
      return;
    }
    const separators = readInner(page.bytes);
    for (const [index, separator] of separators.entries())
      visit(page.child + index, level - 1, index === 0 ? low : separator, separators[index + 1] ?? high);
  };
  visit(pages - 1, at(pages - 1).level, Buffer.alloc(0), undefined);
  const isSeek = (number: number): boolean => number >= leaves && number < leaves + seekPages;
  assert.deepEqual(
    seen.sort((left, right) => left - right),
    Array.from({ length: pages }, (_, number) => number).filter((number) => !isSeek(number)),
  );
  assert.ok(leaves >= 1);
}
