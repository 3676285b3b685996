/** A part of a commit's tree as a commit of its own. */
import { DocteurError } from "../../errors.js";
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

/**
 * Reads the path of a directory inside a tree: slashes at its ends, double ones and `.` mean nothing.
 * @returns the path, or undefined for the root
 * @throws DocteurError `InvalidArgument`
 */
export function parseSubdir(text: string): string | undefined {
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..") || text.includes("\0"))
    throw new DocteurError("InvalidArgument", `not a directory of a commit: ${JSON.stringify(text)}`, {
      hint: "--subdir takes a path from the root of the repository, without ..",
    });
  return names.length === 0 ? undefined : names.join("/");
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

/**
 * Writes a commit whose tree is a directory of another's: without parents, by the same people at the same time, with a
 * message that says what it is.
 * @param path as `parseSubdir` has it
 * @returns its id
 * @throws DocteurError `NoSuchRevision` where there is no such directory; `BadSource` where git cannot read the commit;
 *   the signal's reason
 */
export async function writeCommitOfSubdir(reader: TreeReader, commit: string, path: string): Promise<string> {
  const { prefix, env, signal } = reader;
  const tree = await treeAt(reader, commit, path);
  // Names of people are bytes, of an encoding that a header may name.
  const original = await runGit([...prefix, "cat-file", "commit", commit], env, signal, {
    encoding: "latin1",
  });
  const [head = ""] = original.stdout.split("\n\n", 1);
  const kept = head.split("\n").filter((line) => /^(author|committer|encoding) /.test(line));
  const message = Buffer.from(`Directory ${JSON.stringify(path).slice(1, -1)} of commit ${commit}\n`);
  const header = Buffer.from(`tree ${tree}\n${kept.join("\n")}\n\n`, "latin1");
  const input = Buffer.concat([header, message]);
  const written = await runGit([...prefix, "hash-object", "-t", "commit", "-w", "--stdin"], env, signal, {
    input,
  });
  if (original.status === 0 && written.status === 0) return written.stdout;
  throw new DocteurError("BadSource", `git cannot make a commit of ${path} in the commit ${commit}`, {
    oid: commit,
    hint: reasonOf(original.stderr + written.stderr),
  });
}
