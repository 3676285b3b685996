/** Turns a part of a commit into its own commit. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { DocteurError } from "../../errors.js";
import { byteString } from "../../git/byte-string.js";
import { encodeEntryHeader } from "../../git/entry.js";
import { type CommitWords, KIND } from "../../git/objects.js";
import { completeMessage, identOf, type Person } from "../../git/person.js";
import { type GitResult, reasonOf, runGit } from "../../git-program/process.js";
import { listSome } from "../../git-program/revision.js";
import { ExcludePatterns, type ExcludeState } from "../source/exclude.js";
import { noSuchPart } from "../source/part.js";
import type { CatFileRun } from "./cat-file.js";
import { listCommit } from "./commit-trees.js";
import { trimTree } from "./trim.js";

/** The repository from which a commit's tree is read. */
export interface TreeReader {
  /** Arguments before the subcommand, which direct git to the repository. */
  prefix: readonly string[];
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  /** Runs git: `runGit`, or `askOverTransport` if reading fetches missing objects. */
  run: (
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    signal: AbortSignal | undefined,
  ) => Promise<GitResult>;
}

const WHAT = new Map([
  ["100644", "a file"],
  ["100755", "a file"],
  ["120000", "a symbolic link"],
  ["160000", "a submodule, which has a repository of its own"],
]);

/** The tree at a path. */
async function treeAt(
  { prefix, env, signal, run }: TreeReader,
  commit: string,
  path: string,
): Promise<string> {
  const list = async (...args: string[]): Promise<string[]> => {
    const found = await run(
      [...prefix, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", ...args],
      env,
      signal,
    );
    if (found.status === 0) return found.stdout.split("\0").slice(0, -1);
    throw new DocteurError("BadSource", `git cannot read the trees of ${commit}`, {
      oid: commit,
      hint: reasonOf(found.stderr),
    });
  };
  const [entry] = await list(commit, "--", path);
  const [mode, , oid] = entry?.split(/[ \t]/) ?? [];
  if (mode === "040000") return oid!;
  if (mode !== undefined)
    throw new DocteurError("NoSuchRevision", `${path} is ${WHAT.get(mode)} in the commit ${commit}`, {
      path,
      hint: "--subdir takes a directory",
    });
  const names = (await list(commit))
    .filter((line) => line.startsWith("040000"))
    .map((line) => line.slice(line.indexOf("\t") + 1));
  throw new DocteurError("NoSuchRevision", `there is no directory ${path} in the commit ${commit}`, {
    path,
    hint: names.length === 0 ? "it has no directories" : `its root has ${listSome(names, 8)}`,
  });
}

/** A part of a commit, and the people and message of its commit. */
export interface CommitPart extends CommitWords {
  /** A result of `parseSubdir`. */
  path: string | undefined;
  /** Patterns of the entries that are left out. */
  exclude: readonly string[];
  /** The number of leading names that are removed from every path. */
  strip: number;
}

/** A commit to pack. */
export interface PartCommit {
  /** Its id. */
  commit: string;
  /** Files and links whose whole path `CommitPart.strip` removes. */
  strippedCount: number;
}

/** Text as one line of a message. */
function asLine(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The message of a part's commit: it names the original commit, with a line for each kind of removal. */
function messageOf(commit: string, { path, exclude, strip }: CommitPart): string {
  const what = path === undefined ? "Part" : `Directory ${asLine(path)}`;
  const lines = exclude.map((pattern) => `Exclude: ${asLine(pattern)}`);
  if (strip > 0) lines.push(`Strip-components: ${strip}`);
  return [`${what} of commit ${commit}`, ...(lines.length > 0 ? ["", ...lines] : [])].join("\n");
}

/**
 * The header lines that a part's commit takes from the original, a byte string: the people and their dates.
 * @param author replaces both people; names are UTF-8 then
 */
function keptLines(head: string, author: Person | undefined): string[] {
  const kept = head.split("\n").filter((line) => /^(author|committer|encoding) /.test(line));
  if (author === undefined) return kept;
  const ident = Buffer.from(identOf(author)).toString("latin1");
  return kept
    .filter((line) => !line.startsWith("encoding "))
    .map((line) => line.replace(/^([a-z]+) .*>/, (_, role: string) => `${role} ${ident}`));
}

/** Writes a commit of a tree, modelled on another commit. @returns its id */
async function writeCommit(
  { prefix, env, signal }: TreeReader,
  original: string,
  tree: string,
  part: CommitPart,
): Promise<string> {
  // Names of people are bytes, in an encoding that a header may name.
  const read = await runGit([...prefix, "cat-file", "commit", original], env, signal, { encoding: "latin1" });
  const [head = ""] = read.stdout.split("\n\n", 1);
  const header = Buffer.from(`tree ${tree}\n${keptLines(head, part.author).join("\n")}\n\n`, "latin1");
  const message = completeMessage(part.message ?? messageOf(original, part));
  const input = Buffer.concat([header, Buffer.from(message)]);
  const written = await runGit([...prefix, "hash-object", "-t", "commit", "-w", "--stdin"], env, signal, {
    input,
  });
  if (read.status === 0 && written.status === 0) return written.stdout;
  const what = part.path ?? "a part";
  throw new DocteurError("BadSource", `git cannot make a commit of ${what} of the commit ${original}`, {
    oid: original,
    hint: reasonOf(read.stderr + written.stderr),
  });
}

/** A complete pack of trees (gitformat-pack). */
function packOf(trees: ReadonlyMap<string, Buffer>): Buffer {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0");
  header.writeUInt32BE(trees.size, 8);
  const parts: Uint8Array[] = [header];
  for (const content of trees.values())
    parts.push(encodeEntryHeader(KIND.tree, content.length), deflateSync(content, { level: 1 }));
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

/** Adds trees to the scratch repository. */
async function writeTrees(
  trees: ReadonlyMap<string, Buffer>,
  { env, commit, signal }: CatFileRun,
): Promise<void> {
  if (trees.size === 0) return;
  const written = await runGit(["index-pack", "--stdin"], env, signal, { input: packOf(trees) });
  if (written.status !== 0)
    throw new DocteurError("BadSource", `git cannot write trees of a part of the commit ${commit}`, {
      oid: commit,
      hint: reasonOf(written.stderr),
    });
}

/** The state of patterns at the root of a part. @throws DocteurError `NoSuchRevision` if they leave it out */
function stateAt(exclude: ExcludePatterns, commit: string, path: string | undefined): ExcludeState {
  const names = path === undefined ? [] : byteString(path).split("/");
  let state: ExcludeState | undefined = exclude.root;
  for (const name of names) {
    state = exclude.step(state, name, true);
    if (state === undefined) throw noSuchPart(`the commit ${commit}`, names);
  }
  return state;
}

/** The repositories with which a part of a commit is made. */
export interface PartMaker {
  reader: TreeReader;
  /** The scratch repository's environment. It has the trees of the commits for which `complete` was called. */
  env: NodeJS.ProcessEnv;
  /** Fetches the trees of a commit, if the source may lack them. */
  completeTrees?: (commit: string) => Promise<void>;
}

/**
 * Writes a commit of a part of another: of one directory, without the entries that patterns leave out,
 * without the leading names of paths. The new commit has no parents. It keeps the original's dates and,
 * unless `part` replaces them, its people. Its message names the original and the part. A commit from which
 * nothing is removed is packed unchanged, unless `part` replaces its people or message.
 * @throws DocteurError `NoSuchRevision` if there is no such directory; `BadSource` if git cannot read the
 *   commit, its trees are unsound, or several files get one name; the signal's reason
 */
export async function writeCommitOfPart(
  { reader, env, completeTrees }: PartMaker,
  commit: string,
  part: CommitPart,
): Promise<PartCommit> {
  const { path, exclude, strip, author, message } = part;
  const patterns = new ExcludePatterns(exclude);
  const state = stateAt(patterns, commit, path);
  const whole =
    path === undefined ? commit : await writeCommit(reader, commit, await treeAt(reader, commit, path), part);
  if (exclude.length === 0 && strip === 0) return { commit: whole, strippedCount: 0 };
  await completeTrees?.(whole);
  const run: CatFileRun = { env, commit: whole, signal: reader.signal };
  const { trees } = await listCommit(run);
  const { root, made, strippedCount } = trimTree(trees, { exclude: patterns, state, strip });
  const isUnchanged = root === trees.at(-1)!.oid && path === undefined;
  if (isUnchanged && author === undefined && message === undefined) return { commit, strippedCount };
  await writeTrees(made, run);
  return { commit: await writeCommit(reader, commit, root, part), strippedCount };
}
