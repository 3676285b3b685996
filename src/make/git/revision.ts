/** Which commit of a git repository is meant, and where the repository keeps its objects. */
import { resolve } from "node:path";
import { DocteurError } from "../../errors.js";
import { type GitResult, reasonOf, runGit, sourceEnvironment } from "./process.js";

/** A commit that can be packed. */
export interface GitCommit {
  /** 40 hexadecimal digits. */
  commit: string;
  /** The folder of the repository's objects, absolute. */
  objects: string;
}

/** A repository, asked by `git -C`. */
class Repository {
  readonly #path: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal | undefined;

  constructor(path: string, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#env = sourceEnvironment(path);
    this.#signal = signal;
  }

  ask(...args: string[]): Promise<GitResult> {
    return runGit(["-C", this.#path, ...args], this.#env, this.#signal);
  }

  fail(message: string, hint: string): never {
    throw new DocteurError("BadSource", message, { path: this.#path, hint });
  }

  /** Makes sure that git reads this repository, and gives the folder of its objects. */
  async open(): Promise<string> {
    const format = await this.ask("rev-parse", "--show-object-format");
    if (format.status !== 0)
      this.fail(`git cannot use the repository ${this.#path}`, reasonOf(format.stderr));
    if (format.stdout === "sha256")
      this.fail(
        `${this.#path} names its objects by SHA-256`,
        "an image holds SHA-1 ids: only SHA-1 repositories will do",
      );
    const objects = await this.ask("rev-parse", "--git-path", "objects");
    if (objects.status !== 0)
      this.fail(`git cannot use the repository ${this.#path}`, reasonOf(objects.stderr));
    return resolve(this.#path, objects.stdout);
  }

  /** The commit of a revision. */
  async commitOf(ref: string | undefined): Promise<string> {
    const name = ref ?? "HEAD";
    const object = await this.#verify(name);
    if (object.status !== 0) return this.#explain(ref, object);
    const commit = await this.#verify(`${object.stdout}^{commit}`);
    if (commit.status === 0) return commit.stdout;
    const type = await this.ask("cat-file", "-t", object.stdout);
    if (type.status !== 0) this.fail(`git cannot read ${name} in ${this.#path}`, reasonOf(type.stderr));
    return this.fail(
      type.stdout === "tag"
        ? `the tag ${name} leads to no commit`
        : `${name} is a ${type.stdout}, not a commit`,
      "-b takes a branch, a tag, or a commit's id",
    );
  }

  #verify(name: string): Promise<GitResult> {
    return this.ask("rev-parse", "--verify", "--end-of-options", name);
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
    const some = `it has ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
    if (ref !== undefined && /ambiguous/.test(stderr))
      this.fail(`${ref} is ambiguous in ${this.#path}`, "give more of the commit's id, or a full ref");
    if (names.length === 0 && (await this.ask("for-each-ref", "--count=1")).stdout === "")
      this.fail(`the repository ${this.#path} has no commits`, "commit something first");
    if (ref === undefined)
      this.fail(
        `HEAD of ${this.#path} leads to no commit`,
        names.length > 0 ? `choose one with -b: ${some}` : "choose one with -b",
      );
    return this.fail(
      `no branch, tag or commit ${ref} in ${this.#path}`,
      names.length > 0 ? some : reasonOf(stderr),
    );
  }
}

/**
 * Finds the commit that a revision names. Names are read as `git rev-parse` reads them, tags before branches; an
 * annotated tag stands for its commit.
 * @param path the repository's root, absolute
 * @param ref a branch, tag, full ref, or (abbreviated) id; HEAD where it is undefined
 * @throws DocteurError `InvalidArgument`, `BadSource`, `Io`; the signal's reason
 */
export async function resolveCommit(
  path: string,
  ref: string | undefined,
  signal?: AbortSignal,
): Promise<GitCommit> {
  if (ref !== undefined && (ref === "" || ref.startsWith("-") || ref.includes("\0")))
    throw new DocteurError("InvalidArgument", `not a name of a revision: ${JSON.stringify(ref)}`, {
      hint: "-b takes a branch, a tag, or a commit's id",
    });
  const repository = new Repository(path, signal);
  const objects = await repository.open();
  return { commit: await repository.commitOf(ref), objects };
}
