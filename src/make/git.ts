/**
 * A commit of a git repository, packed by the `git` program.
 *
 * The repository is asked two things, under its user's own settings: which commit, and where its objects are. The pack
 * is then made in a scratch repository that borrows those objects and has no settings at all, so that neither the
 * configuration, attributes, replace refs and packs of the one nor of the other change a byte, and nothing is ever
 * written into the source.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isatty } from "node:tty";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "../io-error.js";
import type { FileSink } from "../write-file.js";

/** How much of what git says on stderr is kept. */
const STDERR_MAX = 1 << 16;

/** git's defaults, said so that they stay; the highest deflate level, as an image is made once and read often. */
const PACK_OPTIONS = [
  "--delta-base-offset",
  "--no-reuse-object",
  "--threads=1",
  "--window=10",
  "--depth=50",
  "--compression=9",
  "--index-version=2",
];

/** What a run of git left. */
interface GitResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Variables that would lead git to another repository than the one named (`git rev-parse --local-env-vars`). */
const MISLEADING = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_NAMESPACE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
];

/** The environment in which the source repository is asked: its user's, git's messages in English. */
function sourceEnvironment(path: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C", GIT_NO_REPLACE_OBJECTS: "1" };
  for (const name of MISLEADING) delete env[name];
  // Where `path` is no sound repository, one that it lies in must not answer instead.
  env.GIT_CEILING_DIRECTORIES = dirname(path);
  if (!isatty(0)) env.GIT_TERMINAL_PROMPT = "0";
  return env;
}

/** The environment of the scratch repository: nobody's settings. */
function scratchEnvironment(repository: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env))
    if (!/^GIT_/i.test(name) || /^GIT_(EXEC_PATH$|TRACE)/i.test(name)) env[name] = value;
  return {
    ...env,
    LC_ALL: "C",
    HOME: repository,
    XDG_CONFIG_HOME: repository,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_DIR: repository,
  };
}

function startGit(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin: "ignore" | "pipe",
  signal: AbortSignal | undefined,
): ChildProcess {
  return spawn("git", args, { env, stdio: [stdin, "pipe", "pipe"], windowsHide: true, signal });
}

async function gather(stream: Readable, limit: number): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const piece of stream) if (text.length < limit) text += piece as string;
  return text;
}

/** Waits until a git has ended and its pipes are closed. */
function ended(git: ChildProcess): Promise<number | null> {
  return new Promise((resolvePromise, reject) => {
    let failure: Error | undefined;
    git.once("error", (error) => {
      failure = error;
      // Where there was nothing to start, there will be no end either.
      if (git.pid === undefined) reject(error);
    });
    git.once("close", (status) => (failure === undefined ? resolvePromise(status) : reject(failure)));
  }).catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT")
      throw new DocteurError("Io", "git is not installed, or not in the PATH", {
        hint: "a git source needs the git program; a plain directory needs none",
        cause,
      });
    throw systemCode(cause)?.startsWith("E") ? ioError("run", "git", cause) : cause;
  }) as Promise<number | null>;
}

async function runGit(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<GitResult> {
  const git = startGit(args, env, "ignore", signal);
  const [status, stdout, stderr] = await Promise.all([
    ended(git),
    gather(git.stdout!, STDERR_MAX),
    gather(git.stderr!, STDERR_MAX),
  ]);
  return { status, stdout: stdout.replace(/\n$/, ""), stderr };
}

/** The line in which git says why, for a hint. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const said = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines[0] ?? "git said nothing";
  const advice = lines.find((line) => line.includes("git config --global --add safe.directory"));
  return advice === undefined ? `git says: ${said}` : `git says: ${said}: ${advice.trim()}`;
}

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

/** A pack that git made, in files. */
export interface GitPack {
  packPath: string;
  idx: Uint8Array;
  objectCount: number;
  /** The commit's root tree, 40 hexadecimal digits. */
  tree: string;
  /** Files and symbolic links of the commit. */
  fileCount: number;
  submoduleCount: number;
}

/** Lays out a bare repository that borrows `objects` (gitrepository-layout). */
async function makeScratchRepository(folder: string, objects: string): Promise<string> {
  const repository = join(folder, "repository.git");
  await mkdir(join(repository, "objects", "info"), { recursive: true });
  await mkdir(join(repository, "refs"));
  await writeFile(join(repository, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(repository, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  // Quoted as in C: a path may begin with "#" or hold a line feed.
  const quoted = objects.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
  await writeFile(join(repository, "objects", "info", "alternates"), `"${quoted}"\n`);
  return repository;
}

/** Turns `ls-tree -z` into what pack-objects reads (an id and a path, which guides its search for deltas), and counts. */
class Listing {
  fileCount = 0;
  submoduleCount = 0;

  async *lines(stream: AsyncIterable<Buffer>, first: string): AsyncGenerator<Buffer> {
    yield Buffer.from(first);
    let rest = Buffer.alloc(0);
    for await (const piece of stream) {
      const bytes = Buffer.concat([rest, piece]);
      const lines: Buffer[] = [];
      let start = 0;
      for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
        const line = this.#line(bytes.subarray(start, end));
        if (line !== undefined) lines.push(line);
        start = end + 1;
      }
      rest = bytes.subarray(start);
      yield Buffer.concat(lines);
    }
  }

  /** `100644 blob OID<tab>PATH` */
  #line(entry: Buffer): Buffer | undefined {
    const type = entry.toString("latin1", 7, 11);
    if (type === "comm") {
      this.submoduleCount++;
      return undefined;
    }
    if (type === "blob") this.fileCount++;
    const line = Buffer.concat([entry.subarray(12), Buffer.of(0x0a)]);
    // A path ends at the line's end: pack-objects does not mind a blank instead of a line feed.
    for (let at = line.indexOf(0x0a); at < line.length - 1; at = line.indexOf(0x0a, at + 1)) line[at] = 0x20;
    line[40] = 0x20;
    return line;
  }
}

/** Lists the commit's objects into `pack-objects`. */
async function runPackObjects(
  env: NodeJS.ProcessEnv,
  { commit }: GitCommit,
  tree: string,
  base: string,
  onProgress: ((count: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const lister = startGit(["ls-tree", "-r", "-t", "-z", "--full-tree", commit], env, "ignore", signal);
  const packer = startGit(["pack-objects", "-q", ...PACK_OPTIONS, base], env, "pipe", signal);
  const listing = new Listing();
  const feed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const lines of listing.lines(pieces, `${commit}\n${tree} \n`)) {
      yield lines;
      onProgress?.(listing.fileCount);
    }
  };
  packer.stdout!.resume();
  const [fed, listed, packed, listerSaid, packerSaid] = await Promise.allSettled([
    pipeline(lister.stdout!, feed, packer.stdin!),
    ended(lister),
    ended(packer),
    gather(lister.stderr!, STDERR_MAX),
    gather(packer.stderr!, STDERR_MAX),
  ]);
  signal?.throwIfAborted();
  for (const [end, said] of [
    [listed, listerSaid],
    [packed, packerSaid],
  ] as const) {
    if (end.status === "rejected") throw end.reason;
    if (end.value === 0) continue;
    const hint = said.status === "fulfilled" ? reasonOf(said.value) : undefined;
    throw new DocteurError("BadSource", `git cannot pack the commit ${commit}`, { oid: commit, hint });
  }
  if (fed.status === "rejected") throw ioError("run", "git pack-objects", fed.reason);
  return listing;
}

/**
 * Packs a commit, its trees and its blobs, and nothing of its history.
 *
 * The same commit gives the same bytes however its repository stores it: nothing is reused of the source's packs, and
 * deltas are sought by one thread. (Another version of git may choose other deltas.)
 *
 * @param scratch an empty folder; the pack is left there
 * @param onProgress told how many files were listed so far
 * @throws DocteurError `BadSource` where git fails, `Io`; the signal's reason
 */
export async function packCommit(
  source: GitCommit,
  scratch: string,
  onProgress?: (count: number) => void,
  signal?: AbortSignal,
): Promise<GitPack> {
  const repository = await makeScratchRepository(scratch, source.objects);
  const env = scratchEnvironment(repository);
  const tree = await runGit(["rev-parse", "--verify", `${source.commit}^{tree}`], env, signal);
  if (tree.status !== 0)
    throw new DocteurError("BadSource", `git cannot read the commit ${source.commit}`, {
      oid: source.commit,
      hint: reasonOf(tree.stderr),
    });
  const listing = await runPackObjects(env, source, tree.stdout, join(scratch, "pack"), onProgress, signal);
  const packName = (await readdir(scratch)).find((name) => name.endsWith(".pack"));
  if (packName === undefined) throw new DocteurError("Io", "git pack-objects left no pack");
  const packPath = join(scratch, packName);
  const idx = await readFile(packPath.replace(/pack$/, "idx"));
  const { fileCount, submoduleCount } = listing;
  const objectCount = idx.readUInt32BE(8 + 255 * 4);
  return { packPath, idx, objectCount, tree: tree.stdout, fileCount, submoduleCount };
}

/**
 * Appends a pack file to an image.
 * @throws DocteurError `Io` where the pack is not what its trailer and its index say
 */
export async function copyPack({ packPath, idx }: GitPack, sink: FileSink): Promise<void> {
  const bodyLen = (await stat(packPath)).size - 20;
  const hash = createHash("sha1");
  const trailer: Buffer[] = [];
  let at = 0;
  for await (const piece of createReadStream(packPath, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const cut = Math.max(0, Math.min(piece.length, bodyLen - at));
    hash.update(piece.subarray(0, cut));
    trailer.push(piece.subarray(cut));
    at += piece.length;
    await sink.append(piece);
  }
  const digest = hash.digest();
  if (!digest.equals(Buffer.concat(trailer)) || !digest.equals(idx.subarray(-40, -20)))
    throw new DocteurError("Io", `${packPath} is damaged: git wrote something else`, {
      path: packPath,
      hint: "the disk, or the memory, of this machine may be failing",
    });
}
