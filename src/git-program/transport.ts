/** Runs of git that talk to other machines, and start programs that do: ssh, git-remote-https, credential helpers. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { ended, mayPrompt } from "./process.js";
import { type GitProgress, readMessages } from "./progress.js";

/** How long programs that were asked to end may take, in milliseconds. */
const GRACE_MS = 2000;

/**
 * How long the pipes may stay open once git has ended, in milliseconds: what it leaves running on purpose (a shared
 * connection of ssh's, a cache of credentials) may hold them.
 */
const LINGER_MS = 1000;

/** What a run is given. */
export interface TransportRun {
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  /** All of standard input. */
  input?: string;
  /** Told every line of the output. */
  onLine?: (line: string) => void;
  onProgress?: ((progress: GitProgress) => void) | undefined;
}

function readLines(stream: Readable, onLine: ((line: string) => void) | undefined): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine?.(line);
  });
  stream.on("error", () => undefined);
}

/** Processes that a process has started, and those that they have started: where the system lists them (Linux). */
function descendantsOf(pid: number): number[] {
  let list: string;
  try {
    list = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  } catch {
    return [];
  }
  const children = list.split(" ").filter((text) => text !== "");
  return children.flatMap((child) => [...descendantsOf(Number(child)), Number(child)]);
}

/** Ends git, and what it has started, when the signal says so. @returns forgets about it */
function endWith(git: ChildProcess, isGroup: boolean, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals): void => {
    if (git.pid === undefined) return;
    const targets = isGroup ? [-git.pid] : [...descendantsOf(git.pid), git.pid];
    for (const target of targets) {
      try {
        process.kill(target, name);
      } catch {
        // It ended meanwhile.
      }
    }
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
  };
}

/**
 * Runs git to its end. Where nobody can be asked for a password, git leads a session of its own: it has no terminal
 * then, and all its children end with it.
 * @returns its exit status, and what it said on stderr
 * @throws DocteurError `Io` where git cannot be started; the signal's reason
 */
export async function runTransport(run: TransportRun): Promise<{ status: number | null; stderr: string }> {
  const { args, env, signal, input, onLine, onProgress } = run;
  signal?.throwIfAborted();
  const isGroup = process.platform !== "win32" && !mayPrompt();
  const stdin = input === undefined ? "ignore" : "pipe";
  const git = spawn("git", args, {
    env,
    stdio: [stdin, "pipe", "pipe"],
    windowsHide: true,
    detached: isGroup,
  });
  const forget = endWith(git, isGroup, signal);
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
    signal?.throwIfAborted();
    return { status, stderr };
  } finally {
    forget();
    clearTimeout(timer);
  }
}
