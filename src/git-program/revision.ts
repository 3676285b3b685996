/** Resolves a revision of a repository on this machine to a commit, and finds the repository's objects. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DocteurError, type ErrorCode } from "../errors.js";
import { type GitResult, reasonOf, runGit, sourceEnvironment } from "./process.js";

/** A commit of a repository on this machine. */
export interface LocalCommit {
  /** 40 hexadecimal digits. */
  commit: string;
  /** The folder of the repository's objects, absolute. */
  objects: string;
  /**
   * Folders of objects that it borrows from other repositories, directly or through them, quoted as git
   * quotes paths.
   */
  alternates: string[];
  /** The remotes from which a partial clone's missing objects can be fetched; empty for other repositories. */
  promisors: string[];
}

/** Asks git about one repository. */
export type Ask = (...args: string[]) => Promise<GitResult>;

/** The values that `-b` takes, for hints. */
export const REVISION_HINT = "-b takes a branch, a tag, or a commit's id";

/** The first of many names: "a, b, …". */
export function listSome(names: readonly string[], limit: number): string {
  return `${names.slice(0, limit).join(", ")}${names.length > limit ? ", …" : ""}`;
}

/** Refuses text that git could read as an option, and `^REVISION`, which excludes commits. */
export function checkRevision(ref: string): void {
  if (ref !== "" && !/^[-^]|\0/.test(ref)) return;
  throw new DocteurError("InvalidArgument", `not a name of a revision: ${JSON.stringify(ref)}`, {
    hint: REVISION_HINT,
  });
}

/**
 * The commit itself, or the commit that a tag leads to.
 * @param object the object's id, or a full ref that names it
 * @param shown the user's name for it
 */
export async function peelToCommit(ask: Ask, object: string, shown: string): Promise<string> {
  const commit = await ask("rev-parse", "--verify", `${object}^{commit}`);
  if (commit.status === 0) return commit.stdout;
  const type = await ask("cat-file", "-t", object);
  const end = type.stdout === "tag" ? await ask("cat-file", "-t", `${object}^{}`) : type;
  // An object of type commit that does not resolve to a commit is damaged.
  if (end.status !== 0 || end.stdout === "commit") {
    const hint = reasonOf(end.status === 0 ? commit.stderr : end.stderr);
    throw new DocteurError("BadSource", `git cannot read ${shown}`, { hint });
  }
  const message =
    type.stdout === "tag"
      ? `the tag ${shown} leads to no commit`
      : `${shown} is a ${type.stdout}, not a commit`;
  throw new DocteurError("NoSuchRevision", message, { hint: REVISION_HINT });
}

/** A repository, read with `git -C`. */
class Repository {
  readonly #path: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal | undefined;

  constructor(path: string, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#env = sourceEnvironment(path);
    this.#signal = signal;
  }

  readonly ask: Ask = (...args) => runGit(["-C", this.#path, ...args], this.#env, this.#signal);

  #fail(code: ErrorCode, message: string, hint: string): never {
    throw new DocteurError(code, message, { path: this.#path, hint });
  }

  #cannotUse({ stderr }: GitResult): never {
    return this.#fail("BadSource", `git cannot use the repository ${this.#path}`, reasonOf(stderr));
  }

  /** Whether git has found this repository: git may climb to an enclosing one. */
  #isAt(gitFolder: string): boolean {
    const inside = join(this.#path, ".git");
    const found = statSync(inside, { throwIfNoEntry: false });
    // A file must lead to the repository; otherwise git reports an error.
    return (
      found?.isFile() || realpathSync(gitFolder) === realpathSync(found === undefined ? this.#path : inside)
    );
  }

  /** Makes sure that git reads this repository, and returns the folder of its objects. */
  async open(): Promise<string> {
    const where = await this.ask("rev-parse", "--show-object-format", "--absolute-git-dir");
    if (where.status !== 0) this.#cannotUse(where);
    const [format, gitFolder] = where.stdout.split(/\n(.*)/s) as [string, string];
    if (!this.#isAt(gitFolder)) this.#cannotUse({ ...where, stderr: "fatal: not a git repository" });
    if (format === "sha256")
      this.#fail(
        "Sha256Repository",
        `${this.#path} names its objects by SHA-256`,
        "an image holds SHA-1 ids: only SHA-1 repositories will do",
      );
    const objects = await this.ask("rev-parse", "--git-path", "objects");
    if (objects.status !== 0) this.#cannotUse(objects);
    return resolve(this.#path, objects.stdout);
  }

  /** All folders from which objects are borrowed. git follows at most five levels of alternates. */
  async alternates(objects: string): Promise<string[]> {
    if (!existsSync(join(objects, "info", "alternates"))) return [];
    const counts = await this.ask("count-objects", "-v");
    return Array.from(counts.stdout.matchAll(/^alternate: (.*)$/gm), ([, path]) => path!);
  }

  /** Names of the remotes that the settings mark as promisors (partial-clone.txt). */
  async promisors(): Promise<string[]> {
    const names: string[] = [];
    const pattern = "^(extensions\\.partialclone|remote\\..*\\.promisor)$";
    const { stdout } = await this.ask("config", "-z", "--get-regexp", pattern);
    for (const setting of stdout.split("\0")) {
      const [key, value = "true"] = setting.split("\n") as [string, string?];
      const name = /^remote\.(.*)\.promisor$/s.exec(key)?.[1];
      if (key === "extensions.partialclone") names.push(value);
      else if (name !== undefined && /^(true|yes|on|1)$/i.test(value)) names.push(name);
    }
    return [...new Set(names)];
  }

  /** The commit of a revision. */
  async commitOf(ref: string | undefined): Promise<string> {
    const name = ref ?? "HEAD";
    const object = await this.ask("rev-parse", "--verify", "--end-of-options", name);
    if (object.status !== 0) return this.#explain(ref, object);
    // git accepts a full id even if it does not have the object.
    if (/^[0-9a-f]{40}$/i.test(name)) {
      const found = await this.ask("cat-file", "-e", object.stdout);
      if (found.status !== 0) return this.#explain(ref, found);
    }
    return peelToCommit(this.ask, object.stdout, name);
  }

  async #explain(ref: string | undefined, { stderr }: GitResult): Promise<never> {
    const refs = await this.ask(
      "for-each-ref",
      "--count=9",
      "--format=%(refname:short)",
      "refs/heads",
      "refs/tags",
    );
    const names = refs.stdout === "" ? [] : refs.stdout.split("\n");
    const some = `it has ${listSome(names, 8)}`;
    if (ref !== undefined && /ambiguous/.test(stderr))
      this.#fail(
        "NoSuchRevision",
        `${ref} is ambiguous in ${this.#path}`,
        "give more of the commit's id, or a full ref",
      );
    if (names.length === 0 && (await this.ask("for-each-ref", "--count=1")).stdout === "")
      this.#fail("EmptyRepository", `the repository ${this.#path} has no commits`, "commit something first");
    if (ref === undefined)
      this.#fail(
        "NoSuchRevision",
        `HEAD of ${this.#path} leads to no commit`,
        names.length > 0 ? `choose one with -b: ${some}` : "choose one with -b",
      );
    return this.#fail(
      "NoSuchRevision",
      `no branch, tag or commit ${ref} in ${this.#path}`,
      names.length > 0 ? some : reasonOf(stderr),
    );
  }
}

/**
 * Finds the commit that a revision names. Names are read as `git rev-parse` reads them, tags before branches; an
 * annotated tag stands for its commit.
 * @param path the repository's root, absolute
 * @param ref a branch, tag, full ref, or (abbreviated) id; HEAD if undefined
 * @throws DocteurError `InvalidArgument`, `NoSuchRevision`, `EmptyRepository`, `Sha256Repository`;
 *   `BadSource` if git cannot use the repository; `NoGit`, `Io`; the signal's reason
 */
export async function resolveCommit(
  path: string,
  ref: string | undefined,
  signal?: AbortSignal,
): Promise<LocalCommit> {
  if (ref !== undefined) checkRevision(ref);
  const repository = new Repository(path, signal);
  const objects = await repository.open();
  const commit = await repository.commitOf(ref);
  const alternates = await repository.alternates(objects);
  return { commit, objects, alternates, promisors: await repository.promisors() };
}
