/** Names that no image holds are those that git's own check finds fault with. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { checkName } from "../../src/git/names.js";
import { hashObject, type Kind, MODE, type Mode } from "../../src/git/objects.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { treeEntry } from "../support/pack.js";
import { type Random, seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

function isRefused(name: string, mode: Mode): boolean {
  try {
    checkName(name, mode, name);
    return false;
  } catch (error) {
    assert.equal((error as { code?: string }).code, "BadSource");
    return true;
  }
}

const BASES = [
  ".git",
  ".git",
  "git~1",
  ".gitmodules",
  "gitmod~1",
  "gitmod~4",
  "gitmod~5",
  "gi7eba~1",
  "gi7eb~10",
];
BASES.push(
  ".gitattributes",
  "gitatt~2",
  "gi7d29~9",
  "g~123456",
  "~1234567",
  "gi7d2~1",
  ".gitignore",
  "git~2",
);
const ENDS = [
  "",
  "",
  "",
  "",
  ".",
  " ",
  " . .",
  ":x",
  "::$INDEX",
  "\\x",
  "x",
  "\xff",
  "\xe2\x80\x8d",
  "\xef\xbf\xbf",
];
const STARTS = ["", "", "", "", "", "", "x", "x\\", ".", "\xef\xbb\xbf", "a:\\"];

function randomName(random: Random): string {
  const name = `${STARTS[random(STARTS.length)]}${BASES[random(BASES.length)]}${ENDS[random(ENDS.length)]}`;
  const at = random(name.length);
  switch (random(6)) {
    case 0:
      return name.toUpperCase().replace(/[^\x00-\x7f]/g, "");
    case 1:
      return `${name.slice(0, at)}\xe2\x80\x8c${name.slice(at)}`;
    case 2:
      return name.slice(0, at) + name.slice(at + 1);
    default:
      return name;
  }
}

test("random names around git's own", (t) => {
  const repository = temporaryFolder(t);
  git(repository, "init", "-q", "--bare");
  /** Writes a loose object, as git would not. @returns its id */
  const write = (kind: Kind, content: Uint8Array): Buffer => {
    const oid = Buffer.from(hashObject(createHash("sha1"), kind, content));
    const folder = join(repository, "objects", oid.toString("hex", 0, 1));
    mkdirSync(folder, { recursive: true });
    const object = Buffer.concat([Buffer.from(`${kind} ${content.length}\0`), content]);
    writeFileSync(join(folder, oid.toString("hex", 1)), deflateSync(object));
    return oid;
  };
  const random = seeded(21);
  const hex = (oid: Uint8Array): string => Buffer.from(oid).toString("hex");
  const cases: { name: string; mode: Mode; ids: string[] }[] = [];
  for (let round = 0; round < 1500; round++) {
    const name = randomName(random);
    const mode = ([MODE.file, MODE.directory, MODE.symlink, MODE.executable] as const)[random(4)]!;
    const blob = write("blob", Buffer.from(`# ${round}`));
    // Settings that are no files are told of by the id of what should be one: each directory is another.
    const entry = mode === MODE.directory ? write("tree", treeEntry(MODE.file, "x", hex(blob))) : blob;
    const tree = write("tree", treeEntry(mode, Buffer.from(name, "latin1"), hex(entry)));
    cases.push({ name, mode, ids: [tree.toString("hex"), entry.toString("hex")] });
  }
  const { stderr } = spawnSync("git", ["fsck", "--strict", "--no-dangling"], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    encoding: "utf8",
  });
  const faulty = new Set(Array.from(stderr.matchAll(/^error in \w+ ([0-9a-f]{40})/gm), ([, oid]) => oid));
  let refusedCount = 0;
  for (const { name, mode, ids } of cases) {
    const isFaulty = ids.some((id) => faulty.has(id));
    assert.equal(isRefused(name, mode), isFaulty, `${mode} ${JSON.stringify(name)}`);
    if (isFaulty) refusedCount++;
  }
  assert.ok(refusedCount > 200 && refusedCount < cases.length - 200, `${refusedCount} names are refused`);
});
