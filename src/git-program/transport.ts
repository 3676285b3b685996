/** Runs of git that talk to other machines, and start programs that do: ssh, git-remote-https, credential helpers. */
import { type ChildProcess, spawn } from "node:child_process";
import { totalmem } from "node:os";
import type { Readable } from "node:stream";
import { DocteurError } from "../errors.js";
import { ownProgram } from "../node/own-files.js";
import { withOwnSignal } from "../node/own-signal.js";
import { ended, type GitResult, mayPrompt, STDERR_MAX } from "./process.js";
import { killTree, memoryOf } from "./process-tree.js";
import { type GitProgress, readMessages } from "./progress.js";

/** Milliseconds that programs may take to end after they were asked to. */
const GRACE_MS = 2000;

/**
 * Milliseconds that the pipes may stay open once git has ended. Programs that it leaves running on purpose (a
 * shared connection of ssh, a cache of credentials) may hold them.
 */
const LINGER_MS = 1000;

/** Milliseconds between two measurements of git's memory. */
const INTERVAL_MS = 200;

/**
 * Bytes of memory that git and its children may take, if the system tells: half of the machine's, at most 4
 * GiB. git keeps a server's list of refs in memory, however long it is.
 */
export function memoryMost(): number {
  // Asked when git runs: Deno asks its user for leave.
  return Math.min(2 ** 32, Math.floor(Math.min(process.constrainedMemory() || Infinity, totalmem()) / 2));
}

/** Options of a run. */
export interface TransportRun {
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  /** The whole standard input. */
  input?: string;
  /** Receives every line of the output. */
  onLine?: (line: string) => void;
  onProgress?: ((progress: GitProgress) => void) | undefined;
  /** `memoryMost()`, except in tests. */
  memoryMax?: number;
}

function readLines(stream: Readable, onLine: ((line: string) => void) | undefined): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine?.(line);
  });
  stream.once("end", () => {
    if (rest !== "") onLine?.(rest);
  });
  stream.on("error", () => undefined);
}

/** Ends git and its children when the signal aborts. @returns a function that stops listening */
function endWith(git: ChildProcess, isGroup: boolean, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals): void => {
    if (git.pid !== undefined) killTree(git.pid, isGroup, name);
  };
  const onAbort = (): void => {
    kill("SIGTERM");
    timer = setTimeout(() => kill("SIGKILL"), GRACE_MS);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return () => {
    signal?.removeEventListener("abort", onAbort);
    clearTimeout(timer);
    // A child that ignores SIGTERM outlives a git that obeys it.
    if (timer !== undefined && isGroup) kill("SIGKILL");
  };
}

/**
 * Starts a program that ends git and its children if this process is killed.
 * @returns a function that dismisses the program
 */
function guard(git: ChildProcess, isGroup: boolean): () => void {
  if (git.pid === undefined) return () => undefined;
  const program = ownProgram(new URL("./guard.js", import.meta.url));
  const env: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
  delete env.NODE_OPTIONS;
  const child = spawn(process.execPath, [...program, `${git.pid}`, isGroup ? "group" : "alone"], {
    env,
    stdio: ["pipe", "ignore", "ignore"],
    windowsHide: true,
    // It must not receive the terminal's signals.
    detached: true,
  });
  // If it cannot be started, the work goes on without it.
  child.on("error", () => undefined).unref();
  child.stdin.on("error", () => undefined);
  return () => {
    child.kill("SIGKILL");
    child.stdin.destroy();
  };
}

/** Aborts when git takes too much memory. @returns a function that ends the watch */
function watchMemory(git: ChildProcess, limit: number, abort: (reason: unknown) => void): () => void {
  const look = (): void => {
    if (git.pid === undefined || memoryOf(git.pid) <= limit) return;
    abort(
      new DocteurError("Io", `git takes more than ${limit} bytes of memory to fetch`, {
        hint: "a server that lists refs without end makes it do so; git clone it first, if it is to be trusted",
      }),
    );
  };
  const timer = setInterval(look, INTERVAL_MS);
  return () => clearInterval(timer);
}

async function run(
  { args, env, input, onLine, onProgress, memoryMax = memoryMost() }: TransportRun,
  signal: AbortSignal,
  abort: (reason: unknown) => void,
): Promise<{ status: number | null; stderr: string }> {
  const isGroup = process.platform !== "win32" && !mayPrompt();
  const stdin = input === undefined ? "ignore" : "pipe";
  const git = spawn("git", args, {
    env,
    stdio: [stdin, "pipe", "pipe"],
    windowsHide: true,
    detached: isGroup,
  });
  const ends = [endWith(git, isGroup, signal), guard(git, isGroup), watchMemory(git, memoryMax, abort)];
  let timer: NodeJS.Timeout | undefined;
  git.once("exit", () => {
    timer = setTimeout(() => {
      git.stdout!.destroy();
      git.stderr!.destroy();
    }, LINGER_MS);
  });
  git.stdin?.on("error", () => undefined).end(input);
  readLines(git.stdout!, onLine);
  try {
    const [status, stderr] = await Promise.all([ended(git), readMessages(git.stderr!, onProgress)]);
    signal.throwIfAborted();
    // git's children do not always notice that git has failed.
    if (status !== 0 && isGroup) killTree(git.pid!, isGroup, "SIGTERM");
    return { status, stderr };
  } finally {
    for (const end of ends) end();
    clearTimeout(timer);
  }
}

/**
 * Runs git to its end. If no user can be asked for a password, git leads its own session: it has no terminal
 * then, and all its children end with it. They also end if this process is killed.
 * @returns its exit status, and its text on stderr
 * @throws DocteurError `Io` if git cannot be started, or takes too much memory; the signal's reason
 */
export async function runTransport(
  options: TransportRun,
): Promise<{ status: number | null; stderr: string }> {
  options.signal?.throwIfAborted();
  return withOwnSignal(options.signal, (signal, abort) => run(options, signal, abort));
}

/** Like `runGit`, for runs that may talk to other machines. */
export async function askOverTransport(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<GitResult> {
  const lines: string[] = [];
  let length = 0;
  const onLine = (line: string): void => {
    length += line.length;
    if (length <= STDERR_MAX) lines.push(line);
  };
  const { status, stderr } = await runTransport({ args, env, signal, onLine });
  return { status, stdout: lines.join("\n"), stderr };
}
