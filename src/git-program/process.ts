/** Runs the git program: never through a shell, and in an environment that names the repository. */
import { type ChildProcess, spawn } from "node:child_process";
import { devNull } from "node:os";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "../node/io-error.js";

/** How much of git's stderr is kept. */
export const STDERR_MAX = 1 << 16;

/** The result of a run of git. */
export interface GitResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Variables that would direct git to a repository other than the named one (`git rev-parse
 * --local-env-vars`).
 */
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

/** Whether git, ssh and their helpers may ask the user questions: only if a user can see and answer them. */
export function mayPrompt(): boolean {
  return isatty(0) && isatty(2);
}

/** The user's environment and settings, git's messages in English. No repository is named. */
function userEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C", GIT_NO_REPLACE_OBJECTS: "1" };
  for (const name of MISLEADING) delete env[name];
  if (!mayPrompt()) env.GIT_TERMINAL_PROMPT = "0";
  return env;
}

/** The environment for reading the source repository. git never fetches missing objects in it. */
export function sourceEnvironment(path: string): NodeJS.ProcessEnv {
  // If `path` is not a sound repository, an enclosing repository must not answer instead.
  const env = { ...userEnvironment(), GIT_CEILING_DIRECTORIES: dirname(path), GIT_NO_LAZY_FETCH: "1" };
  // git before 2.45 does not know that variable, so it may not use any protocol.
  return { ...env, GIT_ALLOW_PROTOCOL: "none" };
}

/** A setting of git's and its value. */
export type Setting = readonly [name: string, value: string];

/** Settings that the user's own may not override when git talks to other machines. */
const TRANSPORT_SETTINGS: readonly Setting[] = [
  ["protocol.ext.allow", "never"],
  ["protocol.fd.allow", "never"],
  ["core.hooksPath", devNull],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["fetch.writeCommitGraph", "false"],
  ["fetch.unpackLimit", "1"],
];

/** Adds settings to an environment. */
function withSettings(before: NodeJS.ProcessEnv, settings: readonly Setting[]): NodeJS.ProcessEnv {
  const env = { ...before };
  let count = Number.parseInt(env.GIT_CONFIG_COUNT ?? "", 10) || 0;
  for (const [name, value] of settings) {
    env[`GIT_CONFIG_KEY_${count}`] = name;
    env[`GIT_CONFIG_VALUE_${count}`] = value;
    count++;
  }
  env.GIT_CONFIG_COUNT = `${count}`;
  return env;
}

/**
 * The user's environment and settings, for runs of git that talk to other machines.
 * @param extra more settings; they go through the environment, which only the user (and root) can read
 */
export function transportEnvironment(extra: readonly Setting[]): NodeJS.ProcessEnv {
  const env = userEnvironment();
  // If the user has set this list, it overrides the settings.
  env.GIT_ALLOW_PROTOCOL = env.GIT_ALLOW_PROTOCOL?.split(":")
    .filter((name) => name !== "ext" && name !== "fd")
    .join(":");
  return withSettings(env, [...TRANSPORT_SETTINGS, ...extra]);
}

/** Settings of git's for servers that send nothing: less than a byte a second, for five minutes. */
const SPEED_SETTINGS: readonly Setting[] = [
  ["http.lowSpeedLimit", "1"],
  ["http.lowSpeedTime", "300"],
];

/**
 * Adds settings that end a connection to an HTTP server that sends nothing, unless the user has such
 * settings.
 * @param env the repository's, from `transportEnvironment`
 * @param prefix arguments that direct git to the repository
 */
export async function withSpeedLimit(
  env: NodeJS.ProcessEnv,
  prefix: readonly string[],
  signal: AbortSignal | undefined,
): Promise<NodeJS.ProcessEnv> {
  if (env.GIT_HTTP_LOW_SPEED_LIMIT !== undefined || env.GIT_HTTP_LOW_SPEED_TIME !== undefined) return env;
  const pattern = "^http\\.(.*\\.)?lowspeed(limit|time)$";
  const { status } = await runGit([...prefix, "config", "--get-regexp", pattern], env, signal);
  return status === 0 ? env : withSettings(env, SPEED_SETTINGS);
}

/** The environment of the scratch repository, without any user's settings. */
export function scratchEnvironment(repository: string): NodeJS.ProcessEnv {
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

/** Starts git; its output and messages come through pipes. */
export function startGit(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin: "ignore" | "pipe",
  signal: AbortSignal | undefined,
): ChildProcess {
  return spawn("git", args, { env, stdio: [stdin, "pipe", "pipe"], windowsHide: true, signal });
}

/** The text of a stream. Characters beyond `limit` are read and dropped. */
export async function gather(
  stream: Readable,
  limit: number,
  encoding: BufferEncoding = "utf8",
): Promise<string> {
  let text = "";
  stream.setEncoding(encoding);
  for await (const piece of stream) if (text.length < limit) text += piece as string;
  return text;
}

/** Waits until a git has ended and its pipes are closed. */
export function ended(git: ChildProcess): Promise<number | null> {
  return new Promise((resolvePromise, reject) => {
    let failure: Error | undefined;
    git.once("error", (error) => {
      failure = error;
      // A process that never started sends no end either.
      if (git.pid === undefined) reject(error);
    });
    git.once("close", (status) => (failure === undefined ? resolvePromise(status) : reject(failure)));
  }).catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT")
      throw new DocteurError("NoGit", "git is not installed, or not in the PATH", {
        hint: "a git source needs the git program; a plain directory needs none",
        cause,
      });
    // Node wraps the signal's reason in an error of its own.
    if (systemCode(cause) === "ABORT_ERR") throw (cause as Error).cause;
    throw systemCode(cause)?.startsWith("E") ? ioError("run", "git", cause) : cause;
  }) as Promise<number | null>;
}

/** Options of a run of git. */
export interface RunInput {
  /** The whole standard input. */
  input?: string | Buffer | undefined;
  /** The output's encoding: UTF-8, or "latin1" to keep its bytes. */
  encoding?: BufferEncoding;
}

/** Runs git to its end. @returns its output without the last line feed */
export async function runGit(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  { input, encoding = "utf8" }: RunInput = {},
): Promise<GitResult> {
  const git = startGit(args, env, input === undefined ? "ignore" : "pipe", signal);
  // If git does not read its input, it says why on stderr.
  git.stdin?.on("error", () => undefined).end(input);
  const [status, stdout, stderr] = await Promise.all([
    ended(git),
    gather(git.stdout!, STDERR_MAX, encoding),
    gather(git.stderr!, STDERR_MAX),
  ]);
  return { status, stdout: stdout.replace(/\n$/, ""), stderr };
}

/** The most characters of that line that a message shows: a server may have written it. */
const SAID_MAX = 1000;

/** The line in which git gives its reason, for a hint. */
export function reasonOf(stderr: string): string {
  const lines = stderr.split(/[\r\n]/).filter((line) => line.trim() !== "");
  const said = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines[0] ?? "git said nothing";
  const advice = lines.find((line) => line.includes("git config --global --add safe.directory"));
  const words = said.length > SAID_MAX ? `${said.slice(0, SAID_MAX)}...` : said;
  return advice === undefined ? `git says: ${words}` : `git says: ${words}: ${advice.trim()}`;
}
