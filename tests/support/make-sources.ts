/** Sources for tests of `docteur make`, and what it refuses. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { docteur, type RunOptions } from "./cli.js";
import { commitAll, git } from "./git.js";
import { temporaryFolder } from "./temporary.js";

export const DATE = "2024-06-07T08:09:10+02:00";

/** A plain directory of one file, and a repository of one commit. */
export function createSources(t: TestContext) {
  const work = temporaryFolder(t);
  const plain = join(work, "plain");
  const repository = join(work, "repository");
  for (const folder of [plain, repository]) {
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "content\n");
  }
  git(repository, "init", "-q", "-b", "main");
  const commit = commitAll(repository, "message");
  return { work, plain, repository, commit, image: join(work, "image") };
}

/** Runs `docteur make` and expects it to fail in these words. */
export async function expectFailure(
  args: string[],
  status: number,
  lines: string[],
  options: RunOptions = {},
): Promise<void> {
  const result = await docteur(["make", ...args], options);
  assert.equal(result.stderr, `${lines.join("\n")}\n`, args.join(" "));
  assert.equal(result.stdout, "");
  assert.equal(result.status, status, args.join(" "));
}
