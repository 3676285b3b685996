/** The work tree of a repository on this machine: the files that git sees in it. */
import { DocteurError } from "../errors.js";
import { ioError } from "../node/io-error.js";
import { ended, gather, reasonOf, STDERR_MAX, sourceEnvironment, startGit } from "./process.js";

/** Settings under which git only reads: it starts no file system monitor and writes no index. */
const LOOK_ONLY = ["--no-optional-locks", "-c", "core.fsmonitor=false", "--literal-pathspecs"];

/**
 * Runs git in a work tree, and reads a list that it prints, whose items end with NUL.
 * @param take receives every item, a byte string ("latin1")
 * @returns git's messages if it failed
 */
async function readList(
  path: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
  take: (item: string) => void,
): Promise<string | undefined> {
  const git = startGit(["-C", path, ...LOOK_ONLY, ...args], sourceEnvironment(path), "ignore", signal);
  let rest = "";
  const read = async (): Promise<void> => {
    git.stdout!.setEncoding("latin1");
    for await (const text of git.stdout! as AsyncIterable<string>) {
      const items = (rest + text).split("\0");
      rest = items.pop()!;
      items.forEach(take);
    }
  };
  const [end, stderr, output] = await Promise.allSettled([
    ended(git),
    gather(git.stderr!, STDERR_MAX),
    read(),
  ]);
  signal?.throwIfAborted();
  if (end.status === "rejected") throw end.reason;
  if (end.value !== 0) return stderr.status === "fulfilled" ? stderr.value : "";
  if (output.status === "rejected") throw ioError("run", "git", output.reason);
  return undefined;
}

/**
 * The files of a work tree that git tracks, or would track after `git add`: those of `git ls-files -co
 * --exclude-standard`.
 * @param path the work tree's root, absolute
 * @returns the paths of the files and of their directories, from the root, byte strings ("latin1")
 * @throws DocteurError `BadSource` if git cannot list them; `NoGit`, `Io`; the signal's reason
 */
export async function listWorkTree(path: string, signal: AbortSignal | undefined): Promise<Set<string>> {
  const paths = new Set<string>();
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const failure = await readList(path, args, signal, (item) => {
    // Nested repositories end with a slash.
    if (item.endsWith("/")) return;
    paths.add(item);
    for (let at = item.lastIndexOf("/"); at > 0; at = item.lastIndexOf("/", at - 1)) {
      const folder = item.slice(0, at);
      if (paths.has(folder)) break;
      paths.add(folder);
    }
  });
  if (failure === undefined) return paths;
  throw new DocteurError("BadSource", `git cannot list the files of the work tree ${path}`, {
    path,
    hint: reasonOf(failure),
  });
}

/** The differences between a work tree and HEAD. */
export interface WorkTreeChanges {
  /** Tracked files that are changed, added or gone. */
  changed: number;
  /** Files and whole directories that git neither tracks nor ignores. */
  untracked: number;
}

/**
 * Counts the files that are not committed.
 * @param path a repository's root, absolute
 * @param subdir counts only below this directory
 * @returns zeros also if there is no work tree, or git cannot tell
 * @throws DocteurError `NoGit`, `Io`; the signal's reason
 */
export async function countChanges(
  path: string,
  subdir: string | undefined,
  signal: AbortSignal | undefined,
): Promise<WorkTreeChanges> {
  const changes = { changed: 0, untracked: 0 };
  const args = ["status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=all"];
  args.push("--untracked-files=normal", "--", subdir ?? ".");
  const failure = await readList(path, args, signal, (item) => {
    if (item.startsWith("?? ")) changes.untracked++;
    else changes.changed++;
  });
  return failure === undefined ? changes : { changed: 0, untracked: 0 };
}
