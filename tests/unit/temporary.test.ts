/** Temporary files that killed runs leave: the next run removes them, and no others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "../../src/node/replace-file.js";
import {
  claimPart,
  isTemporaryName,
  releasePart,
  removeAbandoned,
  temporaryPaths,
} from "../../src/node/temporary.js";
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

test("a download of a dead process, or an old one, is continued by one process; others stay", {
  skip: process.platform !== "linux" && "only Linux tells process ids of this machine from others",
}, async (t) => {
  const folder = temporaryFolder(t);
  const content = "0123456789abcdef";
  const partOf = (pid: number, owner?: string, digits = content): string =>
    nameOf(pid, owner).replace(/[0-9a-f]{16}\.tmp$/, `${digits}.part`);
  const write = (name: string): string => {
    writeFileSync(join(folder, name), "half an image");
    return name;
  };
  const dead = deadProcess();
  const stranger = "0123456789ab";
  const kept = [
    write(partOf(dead, undefined, "f".repeat(16))),
    write(partOf(1)),
    write(partOf(dead, stranger)),
  ].sort();
  const link = partOf(dead);
  symlinkSync("elsewhere", join(folder, link));
  const own = await claimPart(folder, content);
  assert.equal(basename(own), partOf(process.pid));
  assert.ok(!existsSync(own));
  rmSync(join(folder, link));
  releasePart(own);

  write(partOf(dead));
  // Temporary files go when a file is written; downloads do not.
  await removeAbandoned(folder);
  assert.equal(await claimPart(folder, content), own);
  assert.equal(readFileSync(own, "utf8"), "half an image");
  assert.deepEqual(readdirSync(folder).sort(), [...kept, basename(own)].sort());
  // Of the same content at a time, one process has one download.
  const second = await claimPart(folder, content);
  assert.notEqual(second, own);
  assert.ok(!existsSync(second));
  releasePart(second);
  releasePart(own);
  rmSync(own);

  const old = new Date(Date.now() - 3_600_000);
  utimesSync(join(folder, partOf(dead, stranger)), old, old);
  assert.equal(await claimPart(folder, content), own);
  assert.ok(existsSync(own) && !existsSync(join(folder, partOf(dead, stranger))));
  releasePart(own);
});

test("a folder that cannot be listed is no reason to fail", async (t) => {
  await removeAbandoned(join(temporaryFolder(t), "absent"));
});
