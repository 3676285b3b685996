/**
 * Fuzzes tree objects: a batch of hostile ones, each a folder of an image that is sound otherwise, hashes and all. An independent parser says what
 * each of them is; `git fsck` agrees on what is malformed, and `git cat-file` on where a path of a sound one leads.
 */
import assert from "node:assert/strict";
import { open, type Volume } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants, MODES } from "../support/core.js";
import { buildImage, commitOf, objectEntry, type PackEntry, treeEntry } from "../support/pack.js";
import type { Random } from "../support/random.js";
import { mutate } from "./mutate.js";
import { type Git, withRepository } from "./repository.js";
import { inputOf, type Target } from "./target.js";
import { attempt } from "./walk.js";

const BATCH = 40;
/** `asm/base/limits.ts`. */
const NAME_MAX = 4096;
const PATH_MAX = 4096;
const KINDS = new Map([
  [0o04, "directory"],
  [0o12, "symlink"],
]);
const MODES_OF: Record<string, number> = {
  directory: 0o040000,
  file: 0o100644,
  executable: 0o100755,
  symlink: 0o120000,
  submodule: 0o160000,
};
/** What fsck calls that which makes a tree malformed for us. Its other complaints, of modes or of `.git`, are no matter of reading. */
const FATAL = /(badTree|treeNotSorted|duplicateEntries|fullPathname|hasDot|hasDotdot|emptyName)\b/;

/** An entry, parsed; the name in "latin1". */
interface Parsed {
  kind: string;
  name: string;
  oid: string;
}

/**
 * Reads a tree.
 * @param lenient by git's rules alone: names are of any length
 * @returns undefined where it is malformed
 */
function parseTree(data: Buffer, lenient = false): Parsed[] | undefined {
  const entries: Parsed[] = [];
  const text = data.toString("latin1");
  for (let at = 0; at < data.length; ) {
    const match = /^([0-7]+) ([^\0/]+)\0([\s\S]{20})/.exec(text.slice(at));
    if (match === null) return undefined;
    const [whole, digits, name, oid] = match as unknown as [string, string, string, string];
    const mode = Number(BigInt(`0o${digits}`) & 0o177777n);
    const type = mode >> 12;
    const regular = mode & 0o100 ? "executable" : "file";
    const kind = type === 0o10 ? regular : (KINDS.get(type) ?? "submodule");
    if (name === "." || name === "..") return undefined;
    if (!lenient && name.length > NAME_MAX) return undefined;
    entries.push({ kind, name, oid: Buffer.from(oid, "latin1").toString("hex") });
    at += whole.length;
  }
  return entries;
}

/** Whether a tree could be read, its entries are in git's order, and no name is there twice. */
function isSoundTree(entries: readonly Parsed[] | undefined): entries is readonly Parsed[] {
  if (entries === undefined) return false;
  const keys = entries.map(({ kind, name }) => (kind === "directory" ? `${name}/` : name));
  if (new Set(entries.map(({ name }) => name)).size !== entries.length) return false;
  return keys.every((key, index) => index === 0 || keys[index - 1]! < key);
}

const NAMES = [
  "a",
  "a-b",
  "a.b",
  "a0",
  "a\0",
  "ab",
  "A",
  "~",
  "\xff",
  "\xc3\xa9",
  " ",
  "\n",
  "..a",
  "...",
  ".git",
  "con",
  "a ",
];
const ODD_NAMES = [
  "",
  ".",
  "..",
  "a/b",
  "/",
  "x".repeat(NAME_MAX - 5),
  "x".repeat(NAME_MAX),
  "x".repeat(NAME_MAX + 1),
];
const ODD_MODES = [
  "040000",
  "0100644",
  "00100644",
  "100664",
  "100000",
  "100777",
  "644",
  "",
  "8",
  "60000",
  "20000",
  "177777",
  "1160000",
  "1100644",
  "0000000000000000000100755",
  "7777777777777777777777740000",
];

function randomName(random: Random): string {
  if (random(60) === 0) return ODD_NAMES[random(ODD_NAMES.length)]!;
  return (
    NAMES[random(NAMES.length)]!.replace("\0", String(random(10))) +
    (random(3) ? "" : NAMES[random(7)]!.replace("\0", ""))
  );
}

/** A tree in git's order, unless its names are odd; then perhaps changed. */
function randomTree(random: Random, blobs: readonly string[], trees: readonly string[]): Buffer {
  const byKey = new Map<string, Buffer>();
  const names = new Set<string>();
  for (let left = random(10); left > 0; left--) {
    const name = randomName(random);
    // A file and a folder of one name stand apart in git's order.
    if (names.has(name) && random(4)) continue;
    names.add(name);
    const kind = random(5);
    let mode = ["40000", "100644", "100755", "120000", "160000"][kind]!;
    if (random(60) === 0) mode = ODD_MODES[random(ODD_MODES.length)]!;
    const oids = kind === 0 ? trees : blobs;
    const entry = treeEntry(mode, Buffer.from(name, "latin1"), oids[random(oids.length)]!);
    byKey.set(kind === 0 ? `${name}/` : name, entry);
  }
  const entries = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  if (entries.length > 1 && random(8) === 0) entries.push(entries.splice(random(entries.length), 1)[0]!);
  if (entries.length > 0 && random(12) === 0) entries.push(entries[random(entries.length)]!);
  const tree = Buffer.concat(entries);
  return random(3) ? tree : mutate(tree, random, 2);
}

/** The folder of the tree of that number. */
function folderOf(index: number): string {
  return `t${String(index).padStart(3, "0")}`;
}

async function checkTree(volume: Volume, folder: string, data: Buffer): Promise<"sound" | "malformed"> {
  const parsed = parseTree(data);
  const isSound = isSoundTree(parsed);
  const list = await attempt(() => volume.list(folder));
  assert.equal(
    list.code,
    isSound ? undefined : "BadTree",
    `list ${folder}: ${JSON.stringify(data.toString("latin1"))}`,
  );
  if (list.value === undefined || parsed === undefined) return "malformed";
  const expected = [...parsed].sort((a, b) => (a.name < b.name ? -1 : 1));
  const actual = list.value.map(({ kind, nameBytes, oid }) => ({
    kind,
    name: Buffer.from(nameBytes).toString("latin1"),
    oid,
  }));
  assert.deepEqual(actual, expected, folder);
  for (const { kind, name, oid } of expected) {
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
    const stat = await attempt(() => volume.stat(path));
    if (stat.value === undefined) {
      const code = path.length > PATH_MAX ? "PathTooLong" : "MissingObject";
      assert.equal(stat.code, code, `stat ${folder}/${name}`);
      continue;
    }
    assert.deepEqual([stat.value.kind, stat.value.mode, stat.value.oid], [kind, MODES_OF[kind], oid]);
  }
  return "sound";
}

/** What git says of the same trees. */
function askGit(git: Git, trees: readonly PackEntry[], known: ReadonlySet<string>): void {
  const complaints = new Set<string>();
  const fsck = git(["fsck", "--full", "--no-dangling", "--no-progress"]).toString("latin1");
  for (const line of fsck.split("\n"))
    if (FATAL.test(line)) complaints.add(/[0-9a-f]{40}/.exec(line)?.[0] ?? line);
  const paths: { query: string; oid: string }[] = [];
  for (const { oid, content } of trees) {
    const isSound = isSoundTree(parseTree(content, true));
    const text = JSON.stringify(content.toString("latin1"));
    assert.equal(complaints.has(oid), !isSound, `git's opinion of ${oid}: ${text}`);
    const parsed = parseTree(content);
    if (!isSoundTree(parsed)) continue;
    for (const entry of parsed)
      if (known.has(entry.oid) && !/[^ -~]/.test(entry.name))
        paths.push({ query: `${oid}:${entry.name}`, oid: entry.oid });
  }
  const answers = git(
    ["cat-file", "--batch-check=%(objectname)"],
    paths.map(({ query }) => `${query}\n`).join(""),
  );
  const expected = paths.map(({ oid }) => `${oid}\n`).join("");
  assert.equal(answers.toString("latin1"), expected, "git's answers to paths");
}

/** Whether a tree is sound, and all that it names is there. */
function isWhole(data: Buffer, blobs: readonly string[], leaf: string): boolean {
  const entries = parseTree(data);
  if (!isSoundTree(entries)) return false;
  return entries.every(
    ({ kind, oid }) => kind === "submodule" || (kind === "directory" ? oid === leaf : blobs.includes(oid)),
  );
}

/** A case is a batch of trees, in three modes on one of the four builds. */
export const tree: Target = async () => {
  const variants = await coreVariants();
  return async (fuzz) => {
    const { random, index, keep, count, given } = fuzz;
    const blobs = ["b", "c", "a"].map((text) => objectEntry("blob", Buffer.from(text)));
    const leaf = objectEntry("tree", treeEntry("100644", "leaf", blobs[0]!.oid));
    const oids = blobs.map(({ oid }) => oid);
    const nowhere = "fe".repeat(20);
    let contents = Array.from({ length: given === undefined ? BATCH : 1 }, () =>
      inputOf(fuzz, (random) =>
        randomTree(
          random,
          random(5) ? oids : [...oids, nowhere],
          random(5) ? [leaf.oid] : [leaf.oid, nowhere, oids[0]!],
        ),
      ),
    );
    // `fast` and `verify` refuse the whole image for one bad tree.
    if (given === undefined && random(2))
      contents = contents.filter((content) => isWhole(content, oids, leaf.oid));
    const isSound = contents.every((content) => isWhole(content, oids, leaf.oid));
    const folders = contents.map((content) => objectEntry("tree", content));
    const root = objectEntry(
      "tree",
      Buffer.concat(folders.map(({ oid }, at) => treeEntry("40000", folderOf(at), oid))),
    );
    const commit = commitOf(root.oid);
    const all = [commit, root, leaf, ...blobs, ...folders];
    const entries = [...new Map(all.map((entry) => [entry.oid, entry])).values()];
    const image = buildImage(commit.oid, entries);
    keep(image);
    const { module } = variants[index % variants.length]!;
    for (const mode of MODES) {
      const opened = await attempt(() => open(image, { module, mode, memoryLimit: 4 << 20 }));
      if (opened.value === undefined) {
        assert.equal(mode, "fast", opened.code);
        assert.ok(!isSound || opened.code === "PathTooLong", opened.code);
        count(`fast: ${opened.code}`);
        continue;
      }
      for (const [at, content] of contents.entries())
        count(await checkTree(opened.value, folderOf(at), content));
    }
    const verified = await attempt(() => assertSound(image));
    // Readers take names that git refuses; `verify` does not.
    const isClean = contents.every(
      (content) => !/\.git|git~|~[1-4]|\.g.*t/is.test(content.toString("latin1")),
    );
    if (isClean || !isSound) assert.equal(verified.code === undefined, isSound, `verify: ${verified.code}`);
    assert.ok([undefined, "BadTree", "MissingObject", "WrongKind"].includes(verified.code), verified.code);
    const known = new Set([...oids, leaf.oid]);
    withRepository(entries, (git) => askGit(git, folders, known));
  };
};
