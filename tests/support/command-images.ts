/** Images for tests of commands: one that is damaged, and one with the repository that it was made of. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { docteur } from "./cli.js";
import { fixture } from "./fixtures.js";
import { git } from "./git.js";
import { temporaryFolder } from "./temporary.js";

/** A file with the tiny image, one byte of whose IDX is another. */
export function damagedImage(t: TestContext, name = "damaged.img"): string {
  const path = join(temporaryFolder(t), name);
  const bytes = fixture("tiny.img").slice();
  bytes[0x600 + 1032]! ^= 1;
  writeFileSync(path, bytes);
  return path;
}

/** A repository of two commits and an image of the second. */
export async function repositoryAndImage(t: TestContext): Promise<{ folder: string; image: string }> {
  const folder = join(temporaryFolder(t), "a@repository");
  mkdirSync(join(folder, "sub"), { recursive: true });
  writeFileSync(join(folder, "a"), "first\n");
  writeFileSync(join(folder, "sub", "b"), "b\n");
  git(folder, "init", "-q", "-b", "main");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "first");
  git(folder, "tag", "one");
  writeFileSync(join(folder, "a"), "second\n");
  git(folder, "commit", "-q", "-a", "-m", "second");
  const image = join(folder, "..", "disk.img");
  assert.equal((await docteur(["make", "-q", folder, image])).status, 0);
  return { folder, image };
}
