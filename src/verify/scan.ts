/**
 * The first pass: finds the PACK's entries, their kinds, bases and CRC-32s, and the PACK's own SHA-1. A sound IDX gives
 * the places of the entries, which the second pass proves. Without one, each entry is inflated to find its end.
 */

import { STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, KIND, OID, PACK_HEADER, PACK_START, parseEntry } from "../git/entry.js";
import { hexOid, type Sha1 } from "../git/oid.js";
import type { Idx } from "../pack-table/idx.js";
import { compareBytes } from "./compare.js";
import { BASE, createRows, endOf, type Rows, rowAt } from "./entry-table.js";
import { inflateAway } from "./inflate.js";
import type { ImageReader } from "./reader.js";
import type { Findings } from "./report.js";

/** The PACK's hash. */
export interface PackDigest {
  bytes: Uint8Array;
  /** The PACK is part of a SHA-1 collision attack. */
  isCollision: boolean;
}

/** Hashes the PACK as its chunks are read; one at a time. */
class PackHash {
  readonly #reader: ImageReader;
  readonly #sha1: Sha1 | undefined;
  #done = PACK_START;

  /** @param sha1 the host's, which does not look for attacks; by default the engine's, which does */
  constructor(reader: ImageReader, sha1: Sha1 | undefined) {
    this.#reader = reader;
    this.#sha1 = sha1;
    if (sha1 === undefined) reader.engine.wasm.packBegin();
  }

  /** Takes the bytes before `end`, an offset in the image: up to the chunk that it is in or, at last, all. */
  async upTo(end: number, isLast = false): Promise<void> {
    while (this.#done < end) {
      const length = this.#reader.restOfChunk(this.#done);
      if (length > end - this.#done && !isLast) return;
      const piece = Math.min(length, end - this.#done);
      const ptr = await this.#reader.fetch(this.#done, piece);
      const { wasm, bytes } = this.#reader.engine;
      if (this.#sha1 === undefined) wasm.packUpdate(ptr, piece);
      else this.#sha1.update(bytes.subarray(ptr, ptr + piece));
      this.#done += piece;
    }
  }

  /** Whether a whole chunk before `end` is still to be taken. */
  isBehind(end: number): boolean {
    return end - this.#done >= this.#reader.restOfChunk(this.#done);
  }

  digest(): PackDigest {
    if (this.#sha1 !== undefined) return { bytes: this.#sha1.digest(), isCollision: false };
    const { wasm, oid, bytes } = this.#reader.engine;
    const isCollision = wasm.packEnd(oid) !== 0;
    return { bytes: bytes.slice(oid, oid + OID), isCollision };
  }
}

/** SHA-1 of the PACK up to its trailer. @param end the trailer's offset from the PACK's start @param sha1 as of `PackHash` */
export async function hashPack(reader: ImageReader, end: number, sha1?: Sha1): Promise<PackDigest> {
  const hash = new PackHash(reader, sha1);
  await hash.upTo(PACK_START + end, true);
  return hash.digest();
}

/**
 * The start of the PACK's trailer, from the PACK's start. The trailer is the PACK's checksum, which the IDX holds too,
 * and only zeros stand between it and the IDX.
 * @param idxStart the start of the IDX in the image
 * @returns -1 if the trailer is not found there
 */
export async function findTrailer(
  reader: ImageReader,
  idxStart: number,
  trailer: Uint8Array,
): Promise<number> {
  let zeros = 0;
  while (zeros < OID && trailer[OID - 1 - zeros] === 0) zeros++;
  if (zeros === OID) return -1;
  const last = await reader.lastNonZero(PACK_START, idxStart);
  const start = last + 1 + zeros - OID;
  if (start < PACK_START + PACK_HEADER || start + OID > idxStart) return -1;
  return compareBytes(await reader.copy(start, OID), trailer) === 0 ? start - PACK_START : -1;
}

/** CRC-32 of the image's bytes. */
async function crcOf(reader: ImageReader, start: number, end: number): Promise<number> {
  let crc = 0;
  for (let at = start; at < end; ) {
    const length = Math.min(end - at, reader.pieceLen);
    const ptr = reader.at(at, length) || (await reader.fetch(at, length));
    crc = reader.engine.wasm.crc32(crc, ptr, length) >>> 0;
    at += length;
  }
  return crc;
}

/**
 * Scans the PACK by a sound IDX.
 * @param end the start of the trailer, from the PACK's start
 * @param hashes whether the PACK is hashed on the way, and its checksum proven
 * @param sha1 as of `PackHash`
 * @returns undefined if IDX and PACK do not match
 */
export async function scanByIndex(
  reader: ImageReader,
  idx: Idx,
  end: number,
  hashes: boolean,
  sha1?: Sha1,
): Promise<Rows | undefined> {
  const rows = createRows(idx.count);
  rows.end = end;
  const ranks = idx.byOffset();
  ranks.forEach((rank, row) => {
    rows.offsets[row] = idx.offset(rank);
  });
  if (rows.offsets[0] !== PACK_HEADER) return undefined;
  const rowOfRank = new Uint32Array(idx.count);
  ranks.forEach((rank, row) => {
    rowOfRank[rank] = row;
  });
  const hash = hashes ? new PackHash(reader, sha1) : undefined;
  const header = entryHeader();
  const { wasm } = reader.engine;
  for (let row = 0; row < rows.count; row++) {
    const offset = rows.offsets[row]!;
    const next = endOf(rows, row);
    const at = PACK_START + offset;
    const length = Math.min(Math.max(HEADER_MAX, Math.min(next - offset, reader.pieceLen)), end - offset);
    const ptr = reader.at(at, length) || (await reader.fetch(at, length));
    const { bytes } = reader.engine;
    if (parseEntry(header, bytes, ptr, offset, end) !== STATUS.Ok) return undefined;
    rows.kinds[row] = header.kind;
    rows.bases[row] = BASE.none;
    if (header.kind === KIND.ofsDelta) rows.bases[row] = rowAt(rows, header.base, row);
    else if (header.kind === KIND.refDelta) {
      const rank = idx.rankOf(bytes.subarray(header.baseOidAt, header.baseOidAt + OID));
      rows.bases[row] = rank < 0 ? BASE.none : rowOfRank[rank]!;
    }
    if (header.kind >= KIND.ofsDelta && rows.bases[row]! < 0) return undefined;
    const isShort = next - offset <= length;
    rows.crcs[row] = isShort ? wasm.crc32(0, ptr, next - offset) : await crcOf(reader, at, PACK_START + next);
    if (rows.crcs[row] !== idx.crc(ranks[row]!)) return undefined;
    if (hash?.isBehind(PACK_START + next)) await hash.upTo(PACK_START + next);
  }
  if (hash === undefined) return rows;
  await hash.upTo(PACK_START + end, true);
  return isSound(hash.digest(), idx) ? rows : undefined;
}

function isSound({ bytes, isCollision }: PackDigest, { packTrailer }: Idx): boolean {
  return !isCollision && compareBytes(bytes, packTrailer) === 0;
}

/** Whether the PACK has the checksum that the IDX holds, and is not part of an attack on it. */
export async function isPackSound(reader: ImageReader, idx: Idx, end: number, sha1?: Sha1): Promise<boolean> {
  return isSound(await hashPack(reader, end, sha1), idx);
}

/** The result of a scan without an IDX. */
export interface Scan {
  /** All entries that could be found. */
  rows: Rows;
  /** Rows of ref-deltas by the ids of their bases. */
  waiting: Map<string, number[]>;
  /** The start of the trailer, from the PACK's start; -1 if it could not be found. */
  end: number;
}

/** Possible starts of entries, in order, as far as the IDX can be believed. */
export function landmarks(idx: Idx | undefined, end: number): number[] {
  if (idx === undefined) return [];
  const offsets: number[] = [];
  for (let rank = 0; rank < idx.count; rank++) offsets.push(idx.offset(rank));
  return offsets.filter((offset) => offset >= PACK_HEADER && offset < end).sort((a, b) => a - b);
}

/**
 * Bytes that failing streams may take and give before their ends are no longer looked for: times the PACK's length, and
 * bytes in any case. From then on an entry ends where the next one may begin, so that no entry is inflated twice.
 */
const WASTE_MAX = 16;
const WASTE_FREE = 1 << 20;

/**
 * Scans the PACK entry by entry. Behind a damaged entry it goes on at the next start that the IDX gives.
 * @param count entries that the PACK announces
 * @param limit the trailer begins there at the latest, from the PACK's start
 * @param marks possible starts of entries
 */
export async function scanByInflating(
  reader: ImageReader,
  count: number,
  limit: number,
  marks: readonly number[],
  findings: Findings,
): Promise<Scan> {
  const rows = createRows(count);
  const waiting = new Map<string, number[]>();
  const header = entryHeader();
  const { wasm } = reader.engine;
  let offset = PACK_HEADER;
  let row = 0;
  let mark = 0;
  let isKnown = true;
  let wasted = 0;
  for (; row < count; row++) {
    while (mark < marks.length && marks[mark]! <= offset) mark++;
    rows.offsets[row] = offset;
    let status: number = STATUS.BadEntry;
    let length = -1;
    if (offset < limit) {
      const ptr = await reader.fetch(PACK_START + offset, Math.min(HEADER_MAX, limit - offset));
      const { bytes } = reader.engine;
      status = parseEntry(header, bytes, ptr, offset, limit);
      const oid = hexOid(bytes.subarray(header.baseOidAt));
      if (status === STATUS.Ok) {
        rows.kinds[row] = header.kind;
        rows.bases[row] = BASE.none;
        const data = offset + header.length;
        const { kind, base } = header;
        if (kind === KIND.ofsDelta) rows.bases[row] = rowAt(rows, base, row);
        if (kind === KIND.ofsDelta && rows.bases[row]! < 0) {
          status = STATUS.BadBase;
          rows.bases[row] = BASE.unknown;
        }
        if (kind === KIND.refDelta) {
          rows.bases[row] = BASE.unknown;
          const others = waiting.get(oid);
          if (others === undefined) waiting.set(oid, [row]);
          else others.push(row);
        }
        const isPatient = wasted <= WASTE_MAX * limit + WASTE_FREE;
        const end = isPatient ? limit : Math.max(data, marks[mark] ?? limit);
        const before = wasm.work();
        const inflated = await inflateAway(reader, data, end, header.size, 0);
        if (inflated === STATUS.Ok) length = header.length + wasm.inflateTaken();
        else {
          wasted += wasm.work() - before;
          if (status === STATUS.Ok) status = inflated;
        }
      }
    }
    if (status !== STATUS.Ok) {
      rows.states[row] = status;
      findings.addStatus(status, { offset: PACK_START + offset });
    }
    if (length >= 0) {
      rows.crcs[row] = await crcOf(reader, PACK_START + offset, PACK_START + offset + length);
      offset += length;
      continue;
    }
    if (mark === marks.length) {
      isKnown = false;
      row++;
      break;
    }
    offset = marks[mark]!;
  }
  rows.end = isKnown ? offset : limit;
  if (row < count)
    findings.add("warning", "Unchecked", `${count - row} of ${count} entries of the PACK could not be found`);
  return { rows: row < count ? firstRows(rows, row) : rows, waiting, end: isKnown ? offset : -1 };
}

/** The first rows of a table. */
function firstRows(rows: Rows, count: number): Rows {
  const first = createRows(count);
  first.end = rows.end;
  first.offsets.set(rows.offsets.subarray(0, count));
  first.kinds.set(rows.kinds.subarray(0, count));
  first.bases.set(rows.bases.subarray(0, count));
  first.crcs.set(rows.crcs.subarray(0, count));
  first.states.set(rows.states.subarray(0, count));
  return first;
}
