/** Proves objects by the PACK alone, as far as possible, and reports the errors of PACK and IDX. */

import { createSha1 } from "#sha1";
import { STATUS } from "../errors.js";
import { buildIdx } from "../git/build-idx.js";
import { KIND, OID, PACK_START } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { Idx } from "../pack-table/idx.js";
import { checkIdx, compareIdx } from "./check-idx.js";
import { compareBytes } from "./compare.js";
import { plantForest, type Rows, rowAt, STATE } from "./entry-table.js";
import { beginPhase, type Course, type Frame, readFrameIdx, reportPackCollision } from "./frame.js";
import { type Proven, readTrees, resolveAll, resolveForest } from "./proven.js";
import { Resolver } from "./resolve.js";
import { hashPack, landmarks, type Scan, scanByInflating } from "./scan.js";

/** Proves all objects that can be proven. */
export async function proveByPack(course: Course, frame: Frame): Promise<Proven> {
  const { idxStart, count } = frame;
  const { reader, findings, ledger } = course;
  const limit = idxStart - PACK_START - OID;
  const idx = await readFrameIdx(course, frame);
  beginPhase(course, "read", frame);
  const scan = await scanByInflating(reader, count, limit, landmarks(idx, limit), findings);
  const { rows } = scan;
  await resolveAll(course, rows, new Resolver(reader, rows, { waiting: scan.waiting }));
  reportObjects(course, scan);
  const trailer = await packTrailer(course, scan.end, idxStart, idx);
  const { index, isWhole } = buildIndex(course, rows, idxStart, trailer ?? new Uint8Array(OID));
  if (isWhole && rows.count === count && trailer !== undefined) {
    if (await compareIdx(reader, index, findings)) ledger.judged("index");
  } else await compareRows(course, rows, idx, limit);
  const rowOfRank = new Uint32Array(index.count);
  for (let rank = 0; rank < index.count; rank++) rowOfRank[rank] = rowAt(rows, index.offset(rank));
  const trees = await readAllTrees(course, rows, index);
  ledger.judged("objects", Math.min(index.count, countProven(rows)));
  return { rows, index, rowOfRank, ...trees };
}

/** Reads the trees in a second pass, now that all ids are known. */
async function readAllTrees(
  course: Course,
  rows: Rows,
  index: Idx,
): Promise<{ trees: Uint32Array[]; resolver: Resolver }> {
  const resolver = new Resolver(course.reader, rows, { readTrees: course.tables });
  const isTree = (row: number): boolean => rows.states[row] === STATE.ok && rows.types[row] === KIND.tree;
  const before = rows.states.slice();
  const trees = await readTrees(course, index.oids, resolver, () =>
    resolveForest(resolver, plantForest(rows, isTree)),
  );
  // Objects that were resolved before may lack memory now: the table of ids takes some.
  for (let row = 0; row < rows.count; row++)
    if (before[row] === STATE.ok && rows.states[row] !== STATE.ok)
      course.findings.addStatus(rows.states[row]!, { offset: PACK_START + rows.offsets[row]! });
  return { trees, resolver };
}

function countProven({ states, count }: Rows): number {
  let proven = 0;
  for (let row = 0; row < count; row++) if (states[row] === STATE.ok) proven++;
  return proven;
}

/** Reports the errors of objects: those of resolving them, and bases that never turned up. */
function reportObjects({ findings }: Course, { rows, waiting }: Scan): void {
  const missing = new Set([...waiting.values()].flat());
  const told = new Set(findings.list.map(({ offset }) => offset));
  let unchecked = 0;
  for (let row = 0; row < rows.count; row++) {
    const state = rows.states[row]!;
    const offset = PACK_START + rows.offsets[row]!;
    if (state === STATE.pending && missing.has(row)) findings.addStatus(STATUS.MissingBase, { offset });
    else if (state === STATE.pending) unchecked++;
    else if (state !== STATE.ok && !told.has(offset)) findings.addStatus(state, { offset });
  }
  if (unchecked === 0) return;
  const what = unchecked === 1 ? "1 delta" : `${unchecked} deltas`;
  findings.add("warning", "Unchecked", `${what} could not be checked: what they are made from is damaged`);
}

/** Checks the PACK's checksum. @returns undefined if it could not be found */
async function packTrailer(
  course: Course,
  end: number,
  idxStart: number,
  idx: Idx | undefined,
): Promise<Uint8Array | undefined> {
  if (end < 0) return undefined;
  const { reader, findings, ledger, out } = course;
  const offset = PACK_START + end;
  const trailer = await reader.copy(offset, OID);
  beginPhase(course, "hash", { idxStart });
  const { bytes: digest, isCollision } = await hashPack(reader, end);
  if (isCollision) reportPackCollision(course, end);
  const isRight = compareBytes(digest, trailer) === 0;
  if (!isRight) findings.addStatus(STATUS.BadTrailer, { offset });
  const found = await reader.firstNonZero(offset + OID, idxStart);
  if (found >= 0) {
    const message = `something stands between the PACK and the index (at offset ${found})`;
    findings.add("error", "BadPack", message, { offset: found });
  }
  if (isRight && !isCollision && found < 0) ledger.judged("pack");
  out.figures.packBytes = end + OID;
  // If the PACK's own copy is wrong, the IDX has the right checksum.
  return idx !== undefined && compareBytes(digest, idx.packTrailer) === 0 ? digest : trailer;
}

/** The IDX as it must be: made of the rows whose ids are known, with each id once. */
function buildIndex(
  { findings }: Course,
  rows: Rows,
  idxStart: number,
  trailer: Uint8Array,
): { index: Idx; isWhole: boolean } {
  const order = proven(rows);
  const oids = new Uint8Array(order.length * OID);
  const crcs = new Uint32Array(order.length);
  const offsets = new Float64Array(order.length);
  let count = 0;
  for (const row of order) {
    const id = rows.oids.subarray(row * OID, row * OID + OID);
    if (count > 0 && compareBytes(oids.subarray((count - 1) * OID, count * OID), id) === 0) {
      const oid = hexOid(id);
      findings.add("error", "BadPack", `the PACK holds an object twice: ${oid}`, { oid });
      continue;
    }
    oids.set(id, count * OID);
    crcs[count] = rows.crcs[row]!;
    offsets[count++] = rows.offsets[row]!;
  }
  const built = buildIdx({ count, oids, crcs, offsets }, trailer, createSha1());
  return { index: new Idx(idxStart, count, built), isWhole: count === rows.count };
}

/** The rows whose ids are known, in the order of their ids; rows with one id in the PACK's order. */
function proven({ states, oids, count }: Rows): Uint32Array {
  const order = new Uint32Array(count);
  let length = 0;
  for (let row = 0; row < count; row++) if (states[row] === STATE.ok) order[length++] = row;
  const idOf = (row: number): Uint8Array => oids.subarray(row * OID, row * OID + OID);
  return order
    .subarray(0, length)
    .sort((left, right) => compareBytes(idOf(left), idOf(right)) || left - right);
}

/** For a PACK that is not whole: compares the IDX with the objects that are there. */
async function compareRows(
  { findings }: Course,
  rows: Rows,
  idx: Idx | undefined,
  limit: number,
): Promise<void> {
  if (idx === undefined) {
    findings.add("error", "BadIdx", "the index (IDX) is damaged: it is cut off");
    return;
  }
  checkIdx(idx, limit, findings);
  for (let rank = 0; rank < idx.count; rank++) {
    const row = rowAt(rows, idx.offset(rank));
    if (row < 0 || rows.states[row] !== STATE.ok) continue;
    const offset = PACK_START + rows.offsets[row]!;
    const oid = hexOid(rows.oids.subarray(row * OID));
    if (oid !== idx.oid(rank)) findings.addStatus(STATUS.OidMismatch, { offset, oid: idx.oid(rank) });
    if (rows.crcs[row] !== idx.crc(rank)) findings.addStatus(STATUS.CrcMismatch, { offset, oid });
  }
}
