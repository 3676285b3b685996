/**
 * Prepares git sources of every kind for packing. It finds the commit, or fetches it into a scratch
 * repository, turns a part of it into its own commit, and notices the content that an image of it will lack.
 */

import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import type { Person } from "../../git/person.js";
import type { RemoteAddress } from "../../git-program/address.js";
import { type FetchOptions, fetchCommit } from "../../git-program/fetch.js";
import { type FetchLimits, withinLimits } from "../../git-program/fetch-limits.js";
import { completeCommit, lazyEnvironment } from "../../git-program/partial.js";
import { runGit } from "../../git-program/process.js";
import { resolveCommit } from "../../git-program/revision.js";
import { askOverTransport } from "../../git-program/transport.js";
import { borrowObjects, createWorkspace, type Workspace } from "../../git-program/workspace.js";
import type { Gathered } from "../base/noticed.js";
import { type PartOptions, parseSubdir, takesPart } from "../source/part.js";
import { type ExaminedCommit, examineCommit } from "./examine.js";
import {
  type CommitPart,
  type PartCommit,
  type PartMaker,
  type TreeReader,
  writeCommitOfPart,
} from "./part.js";

/** The root of a git work tree, or a bare repository, on this machine. */
export interface LocalRepository {
  kind: "git";
  /** Absolute. */
  path: string;
}

/** A git repository on another machine. */
export interface RemoteRepository {
  kind: "remote";
  address: RemoteAddress;
}

/** A git repository. */
export type GitSource = LocalRepository | RemoteRepository;

/** The part of a git source to take. */
export interface GitSourceOptions extends PartOptions {
  /** A branch, tag, full ref or commit id. */
  ref?: string | undefined;
  /**
   * The people and the message of the part's commit: by default the commit's own people, and a message that
   * names the part.
   */
  author?: Person | undefined;
  message?: string | undefined;
  /** Whether submodules and LFS pointers are errors. */
  strict?: boolean | undefined;
  /** See `MakeOptions`. */
  timeout?: number | undefined;
  maxFetch?: number | undefined;
  signal?: AbortSignal | undefined;
  /** As `MakeOptions` has them. */
  onProgress?: ((progress: GitSourceProgress) => void) | undefined;
  onNotice?: ((text: string) => void) | undefined;
}

/** Progress: objects received from another machine, files found. */
export interface GitSourceProgress {
  phase: "fetch" | "scan";
  done: number;
  total: number | undefined;
}

/** A commit that is ready to be packed. */
export interface ReadyCommit extends ExaminedCommit {
  workspace: Workspace;
  /** The commit to pack. */
  commit: string;
  /** The commit of the source: `commit` itself, or the one that it is a part of. */
  sourceCommit: string;
  strippedCount: number;
}

function refuse({ count, first }: Gathered, noun: string, what: string): void {
  if (count === 0) return;
  const some = `${first.map(shown).join(", ")}${count > first.length ? ", …" : ""}`;
  throw new DocteurError("BadSource", `${count} ${noun}${count === 1 ? "" : "s"} would be ${what}: ${some}`, {
    hint: "without --strict this is a warning; an image of a plain directory can hold all of it",
  });
}

/** Refuses limits of fetching for repositories that are complete on this machine. */
function refuseLimits(path: string, { timeout, maxFetch }: FetchLimits): void {
  const flag = timeout !== undefined ? "--timeout" : maxFetch !== undefined ? "--max-fetch" : undefined;
  if (flag === undefined) return;
  throw new DocteurError("InvalidArgument", `${path} is on this machine`, {
    hint: `${flag} is for git repositories on other machines, and partial clones`,
  });
}

/** A commit to pack, and the commit of the source from which it was made; both may be equal. */
interface Obtained extends PartCommit {
  sourceCommit: string;
}

/** Makes the commit's objects available in the workspace. */
async function obtain(
  source: GitSource,
  part: CommitPart | undefined,
  options: FetchOptions & FetchLimits & { ref?: string | undefined },
  workspace: Workspace,
): Promise<Obtained> {
  const { ref, signal } = options;
  const { env } = workspace;
  const maker: PartMaker = { reader: { prefix: [], env, signal, run: runGit }, env };
  const partOf = async (from: PartMaker, sourceCommit: string): Promise<Obtained> => {
    const whole = { commit: sourceCommit, strippedCount: 0 };
    return {
      ...(part === undefined ? whole : await writeCommitOfPart(from, sourceCommit, part)),
      sourceCommit,
    };
  };
  if (source.kind === "remote") {
    const { address } = source;
    const sourceCommit = await withinLimits(options, address.host, workspace.repository, signal, (own) =>
      fetchCommit(address, ref, workspace, { ...options, signal: own }),
    );
    return partOf(maker, sourceCommit);
  }
  const { path } = source;
  const { commit: sourceCommit, objects, alternates, promisors } = await resolveCommit(path, ref, signal);
  await borrowObjects(workspace, objects, alternates);
  if (promisors.length === 0) {
    refuseLimits(path, options);
    return partOf(maker, sourceCommit);
  }
  const whose = `the remote ${promisors.join(", ")} of ${path}`;
  return withinLimits(options, whose, workspace.repository, signal, async (own) => {
    const lazy = await lazyEnvironment(path, workspace, own);
    const reader: TreeReader = { prefix: ["-C", path], env: lazy, signal: own, run: askOverTransport };
    const complete = (commit: string, what: "trees" | "all"): Promise<void> =>
      completeCommit(path, commit, what, promisors, workspace, { ...options, signal: own });
    const completeTrees = (commit: string): Promise<void> => complete(commit, "trees");
    const obtained = await partOf({ reader, env, completeTrees }, sourceCommit);
    await complete(obtained.commit, "all");
    return obtained;
  });
}

/**
 * Prepares a commit of a git source for packing.
 * @param scratch makes an empty folder, which the caller removes
 * @throws DocteurError `InvalidArgument` for options; errors of `fetchCommit` and `resolveCommit`;
 *   `NoSuchRevision` if there is no such directory; with `strict`, `BadSource` for content that the image
 *   would lack; the signal's reason
 */
export async function openGitSource(
  source: GitSource,
  options: GitSourceOptions,
  scratch: () => Promise<string>,
): Promise<ReadyCommit> {
  const { signal, onProgress, onNotice, ref, strict, timeout, maxFetch } = options;
  const { author, message } = options;
  const { exclude = [], stripComponents: strip = 0 } = options;
  const path = parseSubdir(options.subdir ?? "");
  const part = takesPart(options) ? { path, exclude, strip, author, message } : undefined;
  const workspace = await createWorkspace(await scratch());
  const fetchOptions = {
    ref,
    timeout,
    maxFetch,
    signal,
    onNotice,
    onProgress: (done: number, total: number | undefined) => onProgress?.({ phase: "fetch", done, total }),
  };
  const commits = await obtain(source, part, fetchOptions, workspace);
  const report = (done: number): void => onProgress?.({ phase: "scan", done, total: undefined });
  const { env } = workspace;
  const examined = await examineCommit({ env, commit: commits.commit, signal }, report);
  const { survey } = examined;
  if (strict) {
    refuse(survey.submodules, "submodule", "left out");
    refuse(survey.lfsPointers, "file", "only pointers of Git LFS");
  }
  return { workspace, ...commits, ...examined };
}
