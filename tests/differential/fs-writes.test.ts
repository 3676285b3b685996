/** Calls of `docteur/fs` that write, against Node's on a file system that is mounted read-only. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFs } from "../../src/fs/index.js";
import { make } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import type { AnyFs } from "../support/fs-calls.js";
import { createWritesTree, outcomesOfWrites } from "../support/fs-writes.js";
import { distPath } from "../support/programs.js";
import { temporaryFolder } from "../support/temporary.js";

/** Mounts a folder onto another one, read-only, in a namespace of its own, and runs a program. */
const MOUNT = 'mount --bind "$0" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';

/** How to get such a namespace; undefined where this process may not. */
const unshare = [["-m"], ["-rm"]].find(
  (flags) => spawnSync("unshare", [...flags, "sh", "-c", "mount -t tmpfs none /mnt"]).status === 0,
);
const skip = unshare === undefined ? "this process may not mount anything" : false;

/**
 * The newest versions of Node say some of this in other words, or do it in another way. And `cp` looks at source and
 * target at once: if both fail, either error may come first.
 */
function isComparable(key: string): boolean {
  return !/^sync (rm|cp)/.test(key) && !/ cp \S+\/x?$/.test(key);
}

test("every write ends as on a read-only mount", { skip }, async (t) => {
  const work = temporaryFolder(t);
  const root = join(work, "root");
  const mounted = join(work, "mounted");
  mkdirSync(root);
  mkdirSync(mounted);
  createWritesTree(root);
  const image = join(work, "disk.img");
  await make(root, image, { date: "1717740550" });
  const program = [process.execPath, distPath("tests/support/fs-writes.js"), mounted];
  const { stdout, stderr } = spawnSync(
    "unshare",
    [...unshare!, "sh", "-c", MOUNT, root, mounted, ...program],
    { encoding: "utf8" },
  );
  assert.equal(stderr, "");
  const expected = JSON.parse(stdout) as Record<string, string>;
  const volume = openSync(image);
  t.after(() => volume.close());
  const found = await outcomesOfWrites(createFs(volume) as unknown as AnyFs, "");
  const keys = Object.keys(expected).filter(isComparable);
  assert.ok(keys.length > 900, `${keys.length}`);
  const pick = (all: Record<string, string>): Record<string, string> =>
    Object.fromEntries(keys.map((key) => [key, all[key]!]));
  assert.deepEqual(pick(found), pick(expected));
});
