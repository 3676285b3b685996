/** Runs the built command line tools as their users do. */
import { type ChildProcess, spawn } from "node:child_process";
import { commandOf } from "./programs.js";

/** What a run left. */
export interface RunResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Where and how to run. */
export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** What standard output is read as; UTF-8 by default. */
  encoding?: BufferEncoding;
  /** What standard input holds; nothing by default. */
  input?: Uint8Array;
  /** Keep the closing lines of `make` and `verify` on standard error. By default they are left out, as most tests are not about them. */
  closing?: boolean;
  /** Called once the process runs. */
  onStart?: (child: ChildProcess) => void;
}

/** The line that `make` or `verify` ends with. */
const CLOSING =
  /^.*: (?:commit [0-9a-f]{40}, \d+ files?, .* s|(?:sound|no damage found): .* checked.*|damaged: (?:at least )?\d+ errors)\n/gm;

/** Runs `docteur ARGS…` to its end. */
export function docteur(
  args: readonly string[],
  { cwd, env, encoding = "utf8", input, closing = false, onStart }: RunOptions = {},
): Promise<RunResult> {
  const [file, ...own] = commandOf("docteur");
  const child = spawn(file, [...own, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: "pipe",
  });
  // A program that fails does not read on.
  child.stdin.on("error", () => undefined).end(input);
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding(encoding).on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("spawn", () => onStart?.(child));
    child.once("error", reject);
    child.once("close", (status, signal) => {
      resolve({ status, signal, stdout, stderr: closing ? stderr : stderr.replace(CLOSING, "") });
    });
  });
}
