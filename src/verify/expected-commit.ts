/** A local repository's commit as ids, for comparison with an image. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DocteurError } from "../errors.js";
import {
  ended,
  gather,
  reasonOf,
  runGit,
  STDERR_MAX,
  sourceEnvironment,
  startGit,
} from "../git-program/process.js";
import { resolveCommit } from "../git-program/revision.js";

/** A commit's ids. */
export interface Expected {
  commit: string;
  tree: string;
  /** Every tree and blob below the root, without submodules: its id in 40 digits, and one path as a byte string. */
  objects: Map<string, string>;
}

function isFolder(path: string): boolean {
  return path !== "" && existsSync(path) && statSync(path).isDirectory();
}

/** Splits `REPO@REF` at an `@` behind the name of a folder. */
function split(against: string): { path: string; ref: string | undefined } {
  if (isFolder(against)) return { path: against, ref: undefined };
  for (let at = against.indexOf("@"); at >= 0; at = against.indexOf("@", at + 1))
    if (isFolder(against.slice(0, at))) return { path: against.slice(0, at), ref: against.slice(at + 1) };
  throw new DocteurError("NoRepository", `no repository at ${against}`, {
    path: against,
    hint: "--against takes a repository on this machine, and after an @ a branch, a tag or a commit's id",
  });
}

/**
 * Asks git for a commit's ids.
 * @param against `REPO` or `REPO@REF`: a repository's folder; by default its HEAD
 * @throws DocteurError `NoRepository`, and the errors of `resolveCommit`
 */
export async function expectedOf(against: string): Promise<Expected> {
  const { path: folder, ref } = split(against);
  const path = resolve(folder);
  const { commit } = await resolveCommit(path, ref);
  const env = sourceEnvironment(path);
  const args = ["-C", path, "ls-tree", "-r", "-t", "-z", "--full-tree", commit];
  const git = startGit(args, env, "ignore", undefined);
  const objects = new Map<string, string>();
  let rest = "";
  git.stdout!.setEncoding("latin1").on("data", (text: string) => {
    const lines = (rest + text).split("\0");
    rest = lines.pop()!;
    for (const line of lines) {
      const tab = line.indexOf("\t");
      const [, type, oid] = line.slice(0, tab).split(" ") as [string, string, string];
      if (type !== "commit" && !objects.has(oid)) objects.set(oid, `/${line.slice(tab + 1)}`);
    }
  });
  const [status, stderr] = await Promise.all([ended(git), gather(git.stderr!, STDERR_MAX)]);
  if (status !== 0)
    throw new DocteurError("BadSource", `git cannot list ${commit} of ${folder}`, { hint: reasonOf(stderr) });
  const tree = await runGit(["-C", path, "rev-parse", "--verify", `${commit}^{tree}`], env, undefined);
  if (tree.status !== 0)
    throw new DocteurError("BadSource", `git cannot read ${commit}`, { hint: reasonOf(tree.stderr) });
  return { commit, tree: tree.stdout, objects };
}
