/** Partial clones: the objects of a commit that such a repository lacks are fetched from its remotes. */

import { join } from "node:path";
import { DocteurError } from "../errors.js";
import type { FetchOptions } from "./fetch.js";
import { reasonOf, sourceEnvironment, transportEnvironment, withSpeedLimit } from "./process.js";
import type { GitProgress } from "./progress.js";
import { runTransport } from "./transport.js";
import type { Workspace } from "./workspace.js";

/**
 * The environment in which git reads the source under the user's settings. git fetches missing objects, as in
 * any partial clone, but stores them in the scratch repository.
 */
export async function lazyEnvironment(
  path: string,
  { repository }: Workspace,
  signal: AbortSignal | undefined,
): Promise<NodeJS.ProcessEnv> {
  const { GIT_CEILING_DIRECTORIES } = sourceEnvironment(path);
  const env = {
    ...transportEnvironment([["fetch.negotiationAlgorithm", "noop"]]),
    GIT_CEILING_DIRECTORIES,
    GIT_OBJECT_DIRECTORY: join(repository, "objects"),
  };
  return withSpeedLimit(env, ["-C", path], signal);
}

/**
 * Fetches the objects of a commit that a partial clone lacks.
 *
 * They come in one or two rounds, missing trees before their entries. git itself would fetch them one by one
 * when they are read.
 *
 * @param path the clone's root
 * @param what only trees, or blobs too
 * @param workspace borrows the clone's objects, and receives the missing ones
 * @throws DocteurError `BadSource` if they cannot be fetched; the signal's reason
 */
export async function completeCommit(
  path: string,
  commit: string,
  what: "trees" | "all",
  promisors: readonly string[],
  workspace: Workspace,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  const env = await lazyEnvironment(path, workspace, signal);
  const inSource = ["-C", path];
  const filter = what === "trees" ? ["--filter=blob:none"] : [];
  const asked = new Set<string>();
  let reason = "";
  while (true) {
    const missing: string[] = [];
    const onLine = (line: string): void => {
      if (line.startsWith("?")) missing.push(line.slice(1));
    };
    const list = [
      "rev-list",
      "--objects",
      "--no-object-names",
      "--missing=print",
      "--no-walk",
      ...filter,
      commit,
    ];
    const { status, stderr } = await runTransport({ args: [...inSource, ...list], env, signal, onLine });
    if (status !== 0)
      throw new DocteurError("BadSource", `git cannot read the commit ${commit} in ${path}`, {
        path,
        oid: commit,
        hint: reasonOf(stderr),
      });
    if (missing.length === 0) return;
    const [first] = missing;
    if (asked.has(first!))
      throw new DocteurError(
        "BadSource",
        `${path} is a partial clone, and what it lacks of the commit ${commit} cannot be fetched`,
        { path, oid: first, hint: reason },
      );
    for (const id of missing) asked.add(id);
    const report = ({ title, done, total }: GitProgress): void => {
      if (title === "Receiving objects") onProgress?.(done, total);
    };
    for (const remote of promisors) {
      const fetch = ["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"];
      fetch.push("--no-recurse-submodules", "--filter=blob:none", "--stdin", "--", remote);
      const input = `${missing.join("\n")}\n`;
      const args = [...inSource, ...fetch];
      const fetched = await runTransport({ args, env, signal, input, onProgress: report });
      if (fetched.status === 0) break;
      reason = reasonOf(fetched.stderr);
    }
  }
}
