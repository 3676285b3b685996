/** Temporary files that killed runs leave: the next run removes them, and no others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "../../src/node/replace-file.js";
import { isTemporaryName, removeAbandoned, temporaryPaths } from "../../src/node/temporary.js";
import { temporaryFolder } from "../support/temporary.js";

/** An id that a process had, and none has any more. */
function deadProcess(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

/** A name as a process of this machine makes it, with another process, or another owner, in it. */
function nameOf(pid: number, owner?: string): string {
  const [, own, , random] = /^\.docteur-([0-9a-f]{12})-([0-9]+)-(.*)$/.exec(
    basename(temporaryPaths("/").file),
  )!;
  return `.docteur-${owner ?? own}-${pid}-${random}`;
}

test("names say which process made a file, and are known again", () => {
  const { file, folder } = temporaryPaths("/somewhere");
  assert.match(file, new RegExp(`^/somewhere/\\.docteur-[0-9a-f]{12}-${process.pid}-[0-9a-f]{16}\\.tmp$`));
  assert.equal(folder, file.replace(/tmp$/, "d"));
  assert.notEqual(temporaryPaths("/somewhere").file, file);
  for (const name of [basename(file), basename(folder), ".docteur-0123456789abcdef.tmp"])
    assert.ok(isTemporaryName(name), name);
  for (const name of ["docteur", ".docteur-x.tmp", `${basename(file)}x`, `x${basename(file)}`])
    assert.ok(!isTemporaryName(name), name);
});

test("what dead processes left goes; what others made stays", {
  skip: process.platform !== "linux" && "only Linux tells process ids of this machine from others",
}, async (t) => {
  const folder = temporaryFolder(t);
  const dead = deadProcess();
  const [abandoned, abandonedFolder] = [nameOf(dead), nameOf(dead).replace(/tmp$/, "d")];
  writeFileSync(join(folder, abandoned), "half an image");
  chmodSync(join(folder, abandoned), 0o664);
  mkdirSync(join(folder, abandonedFolder, "repository.git"), { recursive: true, mode: 0o700 });
  chmodSync(join(folder, abandonedFolder), 0o700);
  writeFileSync(join(folder, abandonedFolder, "repository.git", "HEAD"), "");
  const kept = [
    nameOf(process.pid),
    // A process of every system, which is another user's unless this user is root.
    nameOf(1),
    nameOf(dead, "0123456789ab"),
    ".docteur-0123456789abcdef.tmp",
    "image",
  ].sort();
  for (const name of kept) writeFileSync(join(folder, name), "");
  // Others may change what is in it while it is removed.
  const shared = nameOf(dead).replace(/tmp$/, "d");
  mkdirSync(join(folder, shared));
  chmodSync(join(folder, shared), 0o777);
  await removeAbandoned(folder);
  assert.deepEqual(readdirSync(folder).sort(), [...kept, shared].sort());

  writeFileSync(join(folder, abandoned), "");
  await replaceFile(join(folder, "image"), ({ sink }) => sink.append(Buffer.from("new")));
  assert.deepEqual(readdirSync(folder).sort(), [...kept, shared].sort());
});

test("a folder that cannot be listed is no reason to fail", async (t) => {
  await removeAbandoned(join(temporaryFolder(t), "absent"));
});
