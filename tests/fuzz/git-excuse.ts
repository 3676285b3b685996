/**
 * Why `verify` may pass a pack that `git index-pack --strict` refuses: for what single objects say, in the cases that
 * docs/VERIFY.md lists under "Compared with git", and for nothing else. `git fsck` judges the objects; which of them the
 * commit leads to is found here.
 */
import assert from "node:assert/strict";
import { execFileSync, type SpawnSyncOptions, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { examineTree } from "../../src/git/examine-tree.js";
import { TREE_DEFECTS, type TreeDefect } from "../../src/git/tree-defects.js";
import { ENTRY } from "../../src/git/tree-mode.js";
import type { Report } from "../../src/verify/index.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";

/** The exceptions, as docs/VERIFY.md has them. */
export type Excuse =
  | "a warning of git's, which --strict makes an error"
  | "what a commit or a tag says"
  | "what .gitmodules or .gitattributes holds"
  | "what the commit does not lead to";

const READ_ALL = ["cat-file", "--batch", "--batch-all-objects"];

/** A git object. */
interface Stored {
  kind: string;
  content: Buffer;
}

/** git has no size for a delta that comes to nothing, and so calls the object missing: a blob, as this tells. */
const EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/** What `git cat-file --batch` prints of all objects: a line with id, kind and size, the content, a line feed. */
function parseBatch(output: Buffer): Map<string, Stored> {
  const objects = new Map<string, Stored>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at);
    const [oid = "", kind = "", size] = output.toString("latin1", at, end).split(" ");
    at = end + 1;
    if (size === undefined) {
      if (oid === EMPTY_BLOB) objects.set(oid, { kind: "blob", content: Buffer.alloc(0) });
      continue;
    }
    objects.set(oid, { kind, content: output.subarray(at, at + Number(size)) });
    at += Number(size) + 1;
  }
  return objects;
}

/** The trees that a commit leads to. Everything else that it leads to must be there, and be what its entry says. */
function treesOf(objects: ReadonlyMap<string, Stored>, commit: string): Set<string> {
  const reached = new Set<string>();
  const root = /^tree ([0-9a-f]{40})\n/.exec(objects.get(commit)!.content.toString("latin1"))?.[1];
  assert.ok(root !== undefined, "the commit has no tree");
  const waiting = [root];
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    if (reached.has(oid)) continue;
    reached.add(oid);
    const tree = objects.get(oid);
    assert.equal(tree?.kind, "tree", `the tree ${oid}`);
    examineTree(tree!.content, {
      item: ({ kind, oidAt }) => {
        const id = tree!.content.toString("hex", oidAt, oidAt + 20);
        if (kind === ENTRY.tree) waiting.push(id);
        else if (kind !== ENTRY.submodule) assert.equal(objects.get(id)?.kind, "blob", `the blob ${id}`);
      },
    });
  }
  return reached;
}

/** Whether the header of a commit or a tag names an object that is not there: fsck says nothing of tags without a ref. */
function hasDanglingHeader(objects: ReadonlyMap<string, Stored>): boolean {
  for (const { kind, content } of objects.values()) {
    if (kind !== "commit" && kind !== "tag") continue;
    const [head = ""] = content.toString("latin1").split("\n\n", 1);
    for (const [, oid] of head.matchAll(/^(?:object|tree|parent) ([0-9a-f]{40})$/gm))
      if (!objects.has(oid!)) return true;
  }
  return false;
}

/** Excuses `verify`, or fails. */
export class Judge {
  readonly #repository: string;

  /** @param folder is made */
  constructor(folder: string) {
    this.#repository = folder;
    mkdirSync(folder);
    git(folder, "init", "-q", "--bare");
  }

  /** Runs something on a pack, alone in a repository. */
  #with<T>(pack: Uint8Array, idx: Uint8Array, run: (options: SpawnSyncOptions) => T): T {
    const path = join(this.#repository, "objects", "pack", "pack-a");
    writeFileSync(`${path}.pack`, pack);
    writeFileSync(`${path}.idx`, idx);
    try {
      return run({ cwd: this.#repository, env: GIT_ENVIRONMENT, maxBuffer: 1 << 28 });
    } finally {
      for (const name of ["pack", "idx"]) rmSync(`${path}.${name}`);
    }
  }

  /** Whether git reads every entry of a pack that it has indexed. (`cat-file` has the empty tree without looking.) */
  canRead(pack: Uint8Array, idx: Uint8Array): boolean {
    const { stderr } = this.#with(pack, idx, (options) => spawnSync("git", ["fsck", "--full"], options));
    return !/^error: (bad object header|cannot unpack|unknown object type)/m.test(String(stderr));
  }

  /**
   * @param pack `git index-pack` takes it, without --strict
   * @param report `verify` says that it is sound
   */
  excusesOf(pack: Uint8Array, idx: Uint8Array, commit: string, report: Report): Set<Excuse> {
    return this.#with(pack, idx, (options) => {
      const objects = parseBatch(execFileSync("git", READ_ALL, options) as Buffer);
      const trees = treesOf(objects, commit);
      const fsck = ["fsck", "--full", "--no-dangling", "--no-progress", commit];
      const { stdout, stderr } = spawnSync("git", fsck, options);
      const excuses = excusesFor(`${stdout}${stderr}`.split("\n"), trees, report);
      if (hasDanglingHeader(objects)) excuses.add("what a commit or a tag says");
      return excuses;
    });
  }
}

/** @param lines of `git fsck` */
function excusesFor(lines: readonly string[], trees: ReadonlySet<string>, report: Report): Set<Excuse> {
  const excuses = new Set<Excuse>();
  // fsck says nothing of objects that are lacking to trees that the commit does not lead to.
  if (report.findings.some(({ severity, code }) => severity === "warning" && code === "MissingObject"))
    excuses.add("what the commit does not lead to");
  for (const line of lines) {
    const [, kind, oid = "", defect] = /^(?:error|warning) in (\w+) ([0-9a-f]{40}): (\w+): /.exec(line) ?? [];
    if (line === "") continue;
    // The walk over the commit's objects has found all of them.
    else if (kind === undefined) excuses.add("what the commit does not lead to");
    else if (kind === "commit" || kind === "tag") excuses.add("what a commit or a tag says");
    else if (kind === "blob") excuses.add("what .gitmodules or .gitattributes holds");
    else {
      const isWarned = report.findings.some((found) => found.oid === oid && found.severity === "warning");
      assert.ok(isWarned, `verify says nothing of the tree: ${line}`);
      if (!trees.has(oid)) excuses.add("what the commit does not lead to");
      else {
        assert.equal(TREE_DEFECTS[defect as TreeDefect]?.severity, "warning", line);
        excuses.add("a warning of git's, which --strict makes an error");
      }
    }
  }
  return excuses;
}
