/** Images that git has checked, whole. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MakeOptions, make } from "../../src/make/index.js";
import { git } from "./git.js";
import { repositoryOf, takeApart } from "./image.js";

/** The date of images whose source has none. */
export const DATE = "2024-06-07T08:09:10+02:00";

/**
 * Makes an image and lets git check everything in it: its frame by the letter, the pack by `index-pack --strict`, the IDX
 * by git's own, all objects by `fsck --strict`.
 * @param work a folder for the image and what the checks need; it may be used again
 * @returns also the repository that holds just the image's pack, its commit as `image`
 */
export async function makeAndCheck(source: string, work: string, options: MakeOptions = {}) {
  const image = join(work, "image");
  const summary = await make(source, image, { date: DATE, ...options });
  const bytes = readFileSync(image);
  const parts = takeApart(bytes);
  const { blockSize = 512 } = options;
  assert.equal(bytes.length, summary.imageBytes);
  assert.equal(bytes.length % blockSize, 0);
  assert.equal(parts.idxOffset % blockSize, 0);
  assert.equal(parts.pack.length, summary.packBytes);
  assert.equal(parts.idx.length, summary.idxBytes);
  for (const padding of parts.padding) {
    assert.ok(padding.length > 0 && padding.length <= blockSize);
    assert.ok(padding.every((byte) => byte === 0));
  }
  assert.equal(parts.commit, summary.commit);
  assert.equal(parts.pack.readUInt32BE(8), summary.objectCount);
  const pack = join(work, "pack");
  writeFileSync(pack, parts.pack);
  // The commit of a clone has parents that the pack lacks: as in a shallow clone.
  git(work, "init", "-q", "--bare", "strict.git");
  writeFileSync(join(work, "strict.git", "shallow"), `${parts.commit}\n`);
  execFileSync("git", ["index-pack", "--strict", "-o", join(work, "idx"), pack], {
    cwd: join(work, "strict.git"),
    stdio: "pipe",
  });
  assert.ok(readFileSync(join(work, "idx")).equals(parts.idx), "the index is not git's");
  rmSync(join(work, "check.git"), { recursive: true, force: true });
  const repository = repositoryOf(parts, join(work, "check.git"));
  assert.equal(git(repository, "fsck", "--full", "--strict"), "");
  assert.equal(git(repository, "rev-parse", "image^{tree}"), summary.tree);
  return { summary, repository, bytes, parts };
}
