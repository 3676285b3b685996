/** Proves all objects by the IDX, in one pass. If anything is wrong, `by-pack.ts` looks at the PACK more closely. */
import { OID, PACK_START } from "../git/entry.js";
import type { Idx } from "../pack-table/idx.js";
import { checkIdx } from "./check-idx.js";
import { type Rows, STATE } from "./entry-table.js";
import { beginPhase, type Course, type Frame, readFrameIdx } from "./frame.js";
import { type Proven, readTrees, resolveAll } from "./proven.js";
import { Findings } from "./report.js";
import { Resolver } from "./resolve.js";
import { findTrailer, isPackSound, scanByIndex } from "./scan.js";
import type { Team } from "./team.js";

/**
 * Proves all objects.
 * @param team threads beside this one, if there is work for them
 * @returns undefined if anything is wrong with PACK or IDX, which a closer look will tell
 */
export async function proveByIndex(
  course: Course,
  frame: Frame,
  team: Team | undefined,
): Promise<Proven | undefined> {
  const { reader, ledger, out } = course;
  if (frame.count === 0) return undefined;
  const idx = await readFrameIdx(course, frame);
  if (idx === undefined || !checkIdx(idx, frame.idxStart - PACK_START - OID, Findings.none()))
    return undefined;
  const end = await findTrailer(reader, frame.idxStart, idx.packTrailer);
  if (end < 0) return undefined;
  beginPhase(course, "read", frame);
  // Threads resolve objects while this one hashes the PACK; one alone hashes what it has just read.
  const rows = await scanByIndex(reader, idx, end, team === undefined, course.packSha1?.());
  if (rows === undefined) return undefined;
  const resolver = new Resolver(reader, rows, { readTrees: course.tables });
  let isPackProven = team === undefined;
  const first = async (): Promise<void> => {
    beginPhase(course, "hash", frame);
    isPackProven = await isPackSound(reader, idx, end, course.packSha1?.());
  };
  const trees = await readTrees(course, idx.oids, resolver, () =>
    resolveAll(course, rows, resolver, { team, oids: idx.oids, first }),
  );
  const same = countSame(rows, idx);
  if (!isPackProven || same !== frame.count) return undefined;
  ledger.judged("pack");
  ledger.judged("index");
  ledger.judged("objects", same);
  out.figures.packBytes = end + OID;
  return { rows, index: idx, rowOfRank: rowsByRank(idx), trees, resolver };
}

function rowsByRank(idx: Idx): Uint32Array {
  const rowOfRank = new Uint32Array(idx.count);
  idx.byOffset().forEach((rank, row) => {
    rowOfRank[rank] = row;
  });
  return rowOfRank;
}

/** The number of objects that were resolved and have the id that the IDX gives them. */
function countSame({ count, states, oids: found }: Rows, idx: Idx): number {
  const ranks = idx.byOffset();
  const { oids } = idx;
  let same = 0;
  for (let row = 0; row < count; row++) {
    if (states[row] !== STATE.ok) continue;
    const at = ranks[row]! * OID;
    let index = 0;
    while (index < OID && found[row * OID + index] === oids[at + index]) index++;
    if (index === OID) same++;
  }
  return same;
}
