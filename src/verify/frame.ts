/** An image's frame: its header, PACK and IDX. Also the state that the steps of an examination share. */
import { DocteurError, STATUS } from "../errors.js";
import type { CommitText } from "../git/commit.js";
import { OID, PACK_HEADER, PACK_START } from "../git/entry.js";
import { hexOid, type Sha1 } from "../git/oid.js";
import { type Idx, readIdx } from "../pack-table/idx.js";
import type { Rows } from "./entry-table.js";
import type { Ledger } from "./ledger.js";
import type { ImageReader } from "./reader.js";
import type { Findings } from "./report.js";
import { type TablesBudget, takeTables } from "./tables-budget.js";
import type { ImageFigures } from "./tally.js";

/** The smallest PACK: header, one entry of 9 bytes, trailer; and the smallest IDX. */
const PACK_MIN = 41;
const IDX_MIN = 8 + 1024 + 28 + 40;
const ENTRY_MIN = 9;
/** Bytes that tables take for an object at the most: the IDX twice, columns, indices, sets of ids. */
const TABLES_PER_OBJECT = 256;

/** The results of an examination besides its findings. */
export interface Examined {
  commit: string | undefined;
  tree: string | undefined;
  text: CommitText | undefined;
  /** The reader of the image, which counts the work. */
  reader: ImageReader | undefined;
  figures: ImageFigures;
}

/** The progress of a phase. A phase may come again if the image is damaged. */
export interface PhaseProgress {
  /** `fetch`: getting a remote image, in its bytes; `read`: finding the PACK's entries; `hash`: its checksum; `resolve`: inflating objects, applying deltas, hashing. */
  phase: "fetch" | "read" | "hash" | "resolve";
  /** Otherwise bytes of the PACK; in `resolve` parts of the work, of about equal size, that are done or begun. */
  done: number;
  total: number;
}

/** The state that the steps of one examination share. */
export interface Course {
  readonly reader: ImageReader;
  readonly findings: Findings;
  readonly ledger: Ledger;
  readonly out: Examined;
  /** The budget for the tables of all objects together. */
  readonly tables: TablesBudget;
  readonly onProgress: ((progress: PhaseProgress) => void) | undefined;
  /** Begins a hash of a PACK with a sound IDX, in place of one that looks for attacks on it. */
  readonly packSha1?: (() => Sha1) | undefined;
}

/** An image's frame. */
export interface Frame {
  commit: Uint8Array;
  idxStart: number;
  /** Objects that the PACK announces. */
  count: number;
}

/** From now on, bytes that are read of the PACK count as progress of this phase. */
export function beginPhase(
  { reader, onProgress }: Course,
  phase: "read" | "hash",
  { idxStart }: Pick<Frame, "idxStart">,
): void {
  reader.onChunk = (offset) => {
    if (offset < idxStart)
      onProgress?.({ phase, done: Math.max(0, offset - PACK_START), total: idxStart - PACK_START });
  };
}

/** Reads the frame. @throws DocteurError if the device does not hold an image, or its tables have no room */
export async function readFrame({ reader, ledger, tables }: Course): Promise<Frame> {
  const head = await reader.copy(0, PACK_START + PACK_HEADER);
  const view = new DataView(head.buffer);
  const version = view.getUint32(PACK_START + 4);
  if (view.getUint32(PACK_START) !== 0x5041434b || (version !== 2 && version !== 3))
    throw new DocteurError("BadPack", "not a docteur image: no valid PACK header");
  const idxStart = view.getBigUint64(OID, true);
  if (idxStart < BigInt(PACK_START + PACK_MIN))
    throw new DocteurError("BadHeader", "not a docteur image: the header does not lead to an index");
  if (idxStart > BigInt(reader.capacity - IDX_MIN))
    throw new DocteurError("Truncated", "the image ends too early");
  const count = view.getUint32(PACK_START + 8);
  const room = Number(idxStart) - PACK_START - PACK_HEADER - OID;
  if (count * ENTRY_MIN > room)
    throw new DocteurError("BadPack", "the PACK announces more objects than it has bytes for");
  takeTables(tables, count * TABLES_PER_OBJECT);
  ledger.judged("frame");
  ledger.owe("objects", count);
  return { commit: head.slice(0, OID), idxStart: Number(idxStart), count };
}

/** Reads the IDX; undefined if the image ends before it does. */
export async function readFrameIdx({ reader, out }: Course, frame: Frame): Promise<Idx | undefined> {
  const idx = await readIdx(reader, frame.idxStart, frame.count);
  if (idx !== undefined) out.figures.idxBytes = idx.bytes.length;
  return idx;
}

/** Reports objects that are part of a SHA-1 collision attack: their ids do not tell them from others. */
export function reportCollisions({ findings }: Course, rows: Rows): void {
  for (let row = rows.collisions.indexOf(1); row >= 0; row = rows.collisions.indexOf(1, row + 1)) {
    const oid = hexOid(rows.oids.subarray(row * OID));
    findings.addStatus(STATUS.Collision, { oid, offset: PACK_START + rows.offsets[row]! });
  }
}

/** Reports that the PACK's own hash does not tell it from another. @param end the start of its trailer */
export function reportPackCollision({ findings }: Course, end: number): void {
  const message = "the PACK is part of a SHA-1 collision attack";
  findings.add("error", "Collision", message, { offset: PACK_START + end });
}
