/** A part of a commit's tree as a commit of its own. */
import { DocteurError } from "../../errors.js";
import type { CommitWords } from "../../git/objects.js";
import { completeMessage, identOf, type Person } from "../../git/person.js";
import { type GitResult, reasonOf, runGit } from "../../git-program/process.js";
import { listSome } from "../../git-program/revision.js";

/** Where a commit is asked for its tree. */
export interface TreeReader {
  /** Leads git to the repository: arguments before the subcommand. */
  prefix: readonly string[];
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  /** Runs git: `runGit`, or where reading fetches what is missing, `askOverTransport`. */
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

/** The tree that a path leads to. */
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

/** A part of a commit, and what its own commit says. */
export interface CommitPart extends CommitWords {
  /** As `parseSubdir` has it. */
  path: string;
}

/**
 * The header lines that a part's commit has of the original, a byte string: its people, with their dates.
 * @param author takes the place of both; names are UTF-8 then
 */
function keptLines(head: string, author: Person | undefined): string[] {
  const kept = head.split("\n").filter((line) => /^(author|committer|encoding) /.test(line));
  if (author === undefined) return kept;
  const ident = Buffer.from(identOf(author)).toString("latin1");
  return kept
    .filter((line) => !line.startsWith("encoding "))
    .map((line) => line.replace(/^([a-z]+) .*>/, (_, role: string) => `${role} ${ident}`));
}

/**
 * Writes a commit whose tree is a directory of another's: without parents, at the same time, and unless
 * `part` has it otherwise by the same people, with a message that says what it is.
 * @returns its id
 * @throws DocteurError `NoSuchRevision` where there is no such directory; `BadSource` where git cannot read the commit;
 *   the signal's reason
 */
export async function writeCommitOfSubdir(
  reader: TreeReader,
  commit: string,
  part: CommitPart,
): Promise<string> {
  const { prefix, env, signal } = reader;
  const {
    path,
    author,
    message = `Directory ${JSON.stringify(path).slice(1, -1)} of commit ${commit}`,
  } = part;
  const tree = await treeAt(reader, commit, path);
  // Names of people are bytes, of an encoding that a header may name.
  const original = await runGit([...prefix, "cat-file", "commit", commit], env, signal, {
    encoding: "latin1",
  });
  const [head = ""] = original.stdout.split("\n\n", 1);
  const header = Buffer.from(`tree ${tree}\n${keptLines(head, author).join("\n")}\n\n`, "latin1");
  const input = Buffer.concat([header, Buffer.from(completeMessage(message))]);
  const written = await runGit([...prefix, "hash-object", "-t", "commit", "-w", "--stdin"], env, signal, {
    input,
  });
  if (original.status === 0 && written.status === 0) return written.stdout;
  throw new DocteurError("BadSource", `git cannot make a commit of ${path} in the commit ${commit}`, {
    oid: commit,
    hint: reasonOf(original.stderr + written.stderr),
  });
}
