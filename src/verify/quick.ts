/** The quick way: header, trailers, IDX and commit. No object but the commit is inflated. */

import { DocteurError, STATUS } from "../errors.js";
import { OID, PACK_START } from "../git/entry.js";
import { hexOid, oidBytes } from "../git/oid.js";
import type { Idx } from "../pack-table/idx.js";
import { inflateSingle } from "./chain.js";
import { checkIdx } from "./check-idx.js";
import { addLacking, readCommit } from "./commit-check.js";
import { compareBytes } from "./compare.js";
import type { Expected } from "./expected-commit.js";
import {
  beginPhase,
  type Course,
  type Frame,
  readFrame,
  readFrameIdx,
  reportCollisions,
  reportPackCollision,
} from "./frame.js";
import { checkEnd, checkPages } from "./layout.js";
import { findTrailer, hashPack } from "./scan.js";

/** Examines an image the quick way. */
export async function examineQuickly(course: Course, expected: Expected | undefined): Promise<void> {
  const { ledger, out, findings } = course;
  const frame = await readFrame(course);
  const idx = await readFrameIdx(course, frame);
  if (idx === undefined) throw new DocteurError("BadIdx", "the index (IDX) is damaged: it is cut off", {});
  const last = frame.idxStart - PACK_START - OID;
  const isSound = checkIdx(idx, last, findings);
  if (isSound) ledger.judged("index");
  const end = await checkPack(course, frame, idx);
  out.figures.objectCount = frame.count;
  const footer = await checkEnd(course, frame, idx);
  if (footer !== undefined) await checkPages(course, footer);
  if (isSound) await checkCommitAlone(course, frame, idx, end < 0 ? last : end, expected);
}

/** Checks the PACK's checksum. @returns the start of its trailer, from the PACK's start; -1 if there is none */
async function checkPack(course: Course, frame: Frame, idx: Idx): Promise<number> {
  const { reader, findings, ledger, out } = course;
  const end = await findTrailer(reader, frame.idxStart, idx.packTrailer);
  beginPhase(course, "hash", frame);
  const digest = end < 0 ? undefined : await hashPack(reader, end);
  if (digest?.isCollision) reportPackCollision(course, end);
  else if (digest !== undefined && compareBytes(digest.bytes, idx.packTrailer) === 0) ledger.judged("pack");
  if (digest === undefined || compareBytes(digest.bytes, idx.packTrailer) !== 0) {
    const message = "the PACK does not match its checksum, or not the index's copy of it";
    findings.add("error", "BadTrailer", message, { offset: PACK_START + Math.max(0, end) });
  }
  if (end >= 0) out.figures.packBytes = end + OID;
  return end;
}

/** The commit alone, by a sound IDX. */
async function checkCommitAlone(
  course: Course,
  frame: Frame,
  idx: Idx,
  end: number,
  expected: Expected | undefined,
): Promise<void> {
  const { reader, findings, ledger, out } = course;
  const oid = hexOid(frame.commit);
  out.commit = oid;
  const found = await inflateSingle(reader, idx, frame.commit, end);
  if (typeof found === "number") {
    findings.addStatus(found, { oid });
    return;
  }
  reportCollisions(course, found.rows);
  const tree = readCommit(course, found.content, found.type, found.offset);
  if (tree !== undefined && idx.rankOf(oidBytes(tree)) >= 0) ledger.judged("root");
  else if (tree !== undefined) findings.addStatus(STATUS.MissingObject, { oid: tree });
  for (const [id, path] of expected?.objects ?? [])
    if (idx.rankOf(oidBytes(id)) < 0) addLacking(findings, id, path);
}
