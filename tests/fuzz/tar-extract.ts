/**
 * Fuzzes what archives come to against GNU tar and bsdtar: members of every kind, with headers mutated. An image's tree is
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
import type { Random } from "../support/random.js";
import { fixChecksum, paxRecord, type TarMember, tarMember } from "../support/tar-writer.js";
import { mutate } from "./mutate.js";
import { inputOf, type Target } from "./target.js";

const NAMES = ["a", "b", "a/b", "./c", "d/", "d/e", "//f", "a/./g", "d/.", "h//", "d/e/", "./", "b/i", "j"];
const TYPES = [..."00000000\x00\x0055511222677LKxxgVDXZAN"];
const NUMBERS = [
  "\x000000000003",
  "    3\0",
  "\0  3 ",
  "3",
  "3 x",
  "00000000003",
  "\x80\0\0\0\0\0\0\0\0\0\0\x03",
];
const BAD_NUMBERS = [
  "",
  "            ",
  "-3",
  "+3",
  "3x",
  "8",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];
const KEYS = ["path", "path", "linkpath", "size", "mtime", "comment", "hdrcharset"];
const VALUES = ["a", "b/c", "d/", "e", "3", "512", "17.5", "", "0"];

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

function paxContent(random: Random): string {
  const records = Array.from({ length: 1 + random(2) }, () => {
    const record = paxRecord(pick(random, KEYS), pick(random, VALUES));
    return random(12) === 0 ? record.replace(" ", pick(random, ["  ", "\t", ""])) : record;
  });
  return records.join("") + (random(12) === 0 ? "\0\0" : "");
}

function randomMember(random: Random): Buffer {
  const type = pick(random, TYPES);
  const magic = pick(random, ["ustar\x0000", "ustar\x0000", "ustar  \0", ""]);
  let content = "x".repeat(pick(random, [0, 3, 3, 512, 600]));
  if ("xgX".includes(type)) content = paxContent(random);
  if ("LK".includes(type)) content = `${pick(random, NAMES)}${random(4) ? "\0" : ""}`;
  if ("125\x00346".includes(type) && random(2)) content = "";
  const member: TarMember = { name: pick(random, NAMES), type, link: pick(random, NAMES), magic, content };
  if (random(6) === 0) member.mode = 0o755;
  if (random(10) === 0) member.prefix = pick(random, NAMES);
  if (content.length === 3 && random(3) === 0) member.size = pick(random, NUMBERS).padEnd(12, "\0");
  if (random(30) === 0) member.size = pick(random, BAD_NUMBERS).padEnd(12, "\0");
  const bytes = tarMember(member);
  if (random(10) === 0) {
    // Mode, uid, gid, mtime.
    const [start, length] = pick(random, [
      [100, 8],
      [108, 8],
      [136, 12],
    ] as const);
    bytes.write(
      pick(random, random(4) ? NUMBERS : BAD_NUMBERS)
        .padEnd(length, "\0")
        .slice(0, length),
      start,
      "latin1",
    );
    fixChecksum(bytes);
  }
  if (random(25) === 0) {
    mutate(bytes.subarray(0, 512), random, 2).subarray(0, 512).copy(bytes);
    fixChecksum(bytes);
  }
  return bytes;
}

function randomArchive(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random(6) }, () => randomMember(random));
  return Buffer.concat([...parts, Buffer.alloc(random(8) ? 1024 : random(3) * 512)]);
}

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

/** What is refused though GNU tar has an answer: an empty file, and what it would do through links or leaves out silently. */
const MAY_REFUSE =
  /is not a tar archive|cut off|belongs to nothing|is no directory, but has entries|with a zero byte in it|sparse file|list of long names|hard link, .*to no file|\bno proper target|a damaged extended header|a field that is not a number/;
