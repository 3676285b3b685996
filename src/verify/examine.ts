/** The course of verifying one image: frame, objects by the IDX or by the PACK alone, commit, trees. */
import { PACK_START } from "../git/entry.js";
import { proveByIndex } from "./by-index.js";
import { proveByPack } from "./by-pack.js";
import { checkCommit } from "./commit-check.js";
import type { Expected } from "./expected-commit.js";
import { type Course, readFrame, reportCollisions } from "./frame.js";
import { checkEnd, compareLayout } from "./layout.js";
import { typedError } from "./out-of-memory.js";
import { returnTo, takenTables } from "./tables-budget.js";
import type { Team } from "./team.js";

/**
 * Examines all of an image.
 * @param team threads to resolve objects with, if there are many
 * @throws DocteurError if there is no image, or no more of it can be examined
 */
export async function examineFully(
  course: Course,
  team: (packLen: number) => Team | undefined,
  expected: Expected | undefined,
): Promise<void> {
  const frame = await readFrame(course);
  const threads = team(frame.idxStart - PACK_START);
  try {
    const before = takenTables(course.tables);
    let proven = await proveByIndex(course, frame, threads);
    if (proven === undefined) {
      returnTo(course.tables, before);
      proven = await proveByPack(course, frame);
    }
    reportCollisions(course, proven.rows);
    // If the index is cut off, nothing follows it.
    const footer =
      course.out.figures.idxBytes === undefined ? undefined : await checkEnd(course, frame, proven.index);
    await checkCommit(course, frame, proven, expected);
    if (footer !== undefined && !course.findings.hasErrors)
      await compareLayout(course, frame, proven, footer);
  } finally {
    await threads?.close();
  }
}

/**
 * Does the work of an examination, and closes its account: the one place where an image can come out sound.
 * @param work may throw an error after which it cannot go on
 */
export async function conclude(
  { findings, ledger }: Pick<Course, "findings" | "ledger">,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const typed = typedError(error);
    if (typed === undefined) throw error;
    findings.addError(typed);
  }
  ledger.close(findings);
}
