/**
 * Fuzzes what archives come to against GNU tar and bsdtar. An image's tree is
 * that of the folder to which GNU tar extracts the archive, or the archive is refused. Where the two programs differ, GNU
 * tar leads; their differences are counted.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DocteurError } from "../../src/errors.js";
import { make } from "../../src/make/index.js";
import { randomArchive } from "./tar-archives.js";
import { inputOf, type Target } from "./target.js";

/** The tree of what a program extracts; undefined if it fails. */
async function extracted(program: string, archive: string, work: string): Promise<string | undefined> {
  const folder = join(work, program);
  await mkdir(folder);
  const { status } = spawnSync(program, ["-xf", archive, "-C", folder], {
    stdio: "ignore",
    env: { PATH: process.env.PATH, LC_ALL: "C" },
    timeout: 10_000,
  });
  // Others than root can read nothing of some members, whose modes must stay what they are to their owner's execution.
  spawnSync("find", [folder, "-type", "d", "-exec", "chmod", "u+rwx", "{}", ";"], { stdio: "ignore" });
  spawnSync("chmod", ["-R", "u+r", folder], { stdio: "ignore" });
  if (status !== 0) return undefined;
  const { tree } = await make(folder, join(work, "directory.img"), { workers: 1, skipSpecial: true });
  return tree;
}

/** A case is one archive. */
export const tarExtract: Target = async () => async (fuzz) => {
  const { keep, count } = fuzz;
  const bytes = inputOf(fuzz, randomArchive);
  keep(bytes);
  const work = mkdtempSync(join(tmpdir(), "docteur-fuzz-"));
  try {
    const archive = join(work, "archive");
    writeFileSync(archive, bytes);
    let ours: string | undefined;
    let why = "";
    try {
      ours = (await make(archive, join(work, "archive.img"), { workers: 1, skipSpecial: true })).tree;
    } catch (error) {
      if (!(error instanceof DocteurError) || error.code !== "BadSource") throw error;
      why = error.message.replaceAll(archive, "archive");
    }
    const gnu = await extracted("tar", archive, work);
    const bsd = await extracted("bsdtar", archive, work);
    if (ours !== undefined && gnu !== undefined) assert.equal(ours, gnu, "GNU tar extracts another tree");
    if (gnu !== undefined && bsd !== undefined) count(gnu === bsd ? "programs agree" : "programs differ");
    if (ours === undefined) {
      if (gnu === undefined) return count("refused by both");
      assert.match(why, MAY_REFUSE, `refused: ${why}`);
      return count("refused, though GNU tar takes it");
    }
    count(gnu === undefined ? "taken, though GNU tar fails" : "as GNU tar has it");
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/**
 * What is refused though GNU tar has an answer: an empty file; damage that it passes over; entries that it would make
 * through links or leave out silently; and hard links that it does not make, though it ends with status 0.
 */
const MAY_REFUSE = new RegExp(
  [
    "is not an archive",
    "cut off",
    "belongs to nothing",
    "is no directory, but has entries",
    "with a zero byte in it",
    "sparse file",
    "list of long names",
    "hard link, .*to no file",
    "\\bno proper target",
    "a damaged extended header",
    "a field that is not a number",
    "as only a directory can be",
  ].join("|"),
);
