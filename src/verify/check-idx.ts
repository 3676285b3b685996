/** Checks an image's IDX in itself, and against the PACK. */
import { OID, PACK_HEADER } from "../git/entry.js";
import { FANOUT, type Idx, LARGE_FLAG, OIDS, TRAILERS } from "../pack-table/idx.js";
import { sha1Of } from "./hash.js";
import type { ImageReader } from "./reader.js";
import type { Findings } from "./report.js";

/** Checks an IDX in itself. */
class IdxChecker {
  readonly #idx: Idx;
  readonly #findings: Findings;
  isSound = true;

  constructor(idx: Idx, findings: Findings) {
    this.#idx = idx;
    this.#findings = findings;
  }

  /** @param what the fault, made only if it is wanted: there may be as many faults as objects */
  fail(at: number, what: () => string, rank?: number): void {
    this.isSound = false;
    if (!this.#findings.takes("error")) {
      this.#findings.drop("error", "BadIdx");
      return;
    }
    const offset = this.#idx.start + at;
    this.#findings.add("error", "BadIdx", `the index (IDX) is damaged: ${what()} (at offset ${offset})`, {
      offset,
      ...(rank === undefined ? {} : { oid: this.#idx.oid(rank) }),
    });
  }

  head(): void {
    const { bytes, count } = this.#idx;
    const head = [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2];
    const wrong = head.findIndex((byte, at) => bytes[at] !== byte);
    if (wrong >= 0) this.fail(wrong, () => "its header is wrong");
    const view = new DataView(bytes.buffer, bytes.byteOffset, OIDS);
    for (let first = 0, rank = 0; first < 256; first++) {
      const value = view.getUint32(FANOUT + first * 4);
      while (rank < count && bytes[OIDS + rank * OID]! <= first) rank++;
      if (value === rank) continue;
      // One wrong entry says enough: if ids are wrong, all later entries are wrong, too.
      this.fail(FANOUT + first * 4, () => `its fanout entry ${first} is wrong`);
      return;
    }
  }

  order(): void {
    const { bytes, count } = this.#idx;
    for (let rank = 1; rank < count; rank++) {
      const at = OIDS + rank * OID;
      let byte = 0;
      while (byte < OID && bytes[at + byte] === bytes[at - OID + byte]) byte++;
      const order = byte === OID ? 0 : bytes[at - OID + byte]! - bytes[at + byte]!;
      if (order >= 0)
        this.fail(at, () => `its object id ${rank} is ${order === 0 ? "there twice" : "out of order"}`, rank);
    }
  }

  offsets(end: number): void {
    const idx = this.#idx;
    const { bytes, count } = idx;
    const at = OIDS + count * (OID + 4);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let large = 0;
    for (let rank = 0; rank < count; rank++) {
      const short = view.getUint32(at + rank * 4);
      const offset = idx.offset(rank);
      const isCanonical = short < LARGE_FLAG || (short - LARGE_FLAG === large++ && offset >= LARGE_FLAG);
      if (offset < PACK_HEADER || offset >= end || !isCanonical)
        this.fail(at + rank * 4, () => `its offset of object ${rank} is out of range`, rank);
    }
    const ranks = idx.byOffset();
    for (let index = 1; index < count; index++)
      if (idx.offset(ranks[index - 1]!) === idx.offset(ranks[index]!))
        this.fail(
          at + ranks[index]! * 4,
          () => `its offset of object ${ranks[index]} is another's`,
          ranks[index]!,
        );
  }

  trailer(): void {
    const { bytes } = this.#idx;
    const digest = sha1Of(bytes.subarray(0, -OID));
    const wrong = digest.findIndex((byte, at) => bytes[bytes.length - OID + at] !== byte);
    if (wrong >= 0) this.fail(bytes.length - OID + wrong, () => "its own checksum is wrong");
  }
}

/**
 * Checks an IDX in itself: header, fanout, order, offsets, its own checksum.
 * @param end the limit of offsets
 * @returns whether it is sound
 */
export function checkIdx(idx: Idx, end: number, findings: Findings): boolean {
  const checker = new IdxChecker(idx, findings);
  checker.head();
  checker.order();
  checker.offsets(end);
  checker.trailer();
  return checker.isSound;
}

/** The part of an IDX that an offset from its start lies in, and the rank that it is about. The fanout is one part. */
function partOf(offset: number, { count, bytes }: Idx): { name: string; start: number; rank?: number } {
  if (offset < FANOUT) return { name: "header", start: 0 };
  if (offset < OIDS) {
    const entry = (offset - FANOUT) >> 2;
    return { name: `fanout entry ${entry}`, start: FANOUT };
  }
  let start = OIDS;
  for (const [name, width] of [
    ["object id", OID],
    ["CRC-32 of object", 4],
    ["offset of object", 4],
  ] as const) {
    const rank = Math.floor((offset - start) / width);
    if (rank < count) return { name: `${name} ${rank}`, start: start + rank * width, rank };
    start += width * count;
  }
  if (offset < bytes.length - TRAILERS) {
    const row = (offset - start) >> 3;
    return { name: `large offset ${row}`, start: start + row * 8 };
  }
  return offset < bytes.length - OID
    ? { name: "copy of the PACK's checksum", start: bytes.length - TRAILERS }
    : { name: "own checksum", start: bytes.length - OID };
}

/**
 * Compares the image's IDX with the one that its PACK gives, byte for byte; every part that differs is a finding.
 * @param expected as it must be
 * @returns whether they are equal
 */
export async function compareIdx(reader: ImageReader, expected: Idx, findings: Findings): Promise<boolean> {
  const { start, bytes } = expected;
  let last = -1;
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, reader.restOfChunk(start + done));
    const ptr = await reader.fetch(start + done, length);
    const actual = reader.engine.bytes.subarray(ptr, ptr + length);
    for (let at = 0; at < length; at++) {
      if (actual[at] === bytes[done + at]) continue;
      const part = partOf(done + at, expected);
      if (part.start === last) continue;
      last = part.start;
      if (!findings.takes("error")) {
        findings.drop("error", "BadIdx");
        continue;
      }
      const offset = start + done + at;
      const message = `the index (IDX) is damaged: its ${part.name} is wrong (at offset ${offset})`;
      const place = part.rank === undefined ? { offset } : { offset, oid: expected.oid(part.rank) };
      findings.add("error", "BadIdx", message, place);
    }
    done += length;
  }
  return last < 0;
}
