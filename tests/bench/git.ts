/** The git program: for making repositories, and as a peer that reads them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { DocteurError } from "../../src/errors.js";
import { GIT_ENVIRONMENT } from "../support/git.js";

/** Runs git, hands over its output piece by piece, and fails with what it said. */
async function stream(
  args: readonly string[],
  input: string | undefined,
  onData: (data: Buffer) => void,
  cwd?: string,
): Promise<void> {
  const child = spawn("git", args, { cwd, env: GIT_ENVIRONMENT, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdout.on("data", onData);
  // Whether git takes all of its input shows in its status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const [status] = (await once(child, "close").catch((cause: unknown) => {
    throw new DocteurError("Io", "cannot run git", { cause });
  })) as [number | null];
  if (status === 0) return;
  const command = args.find((arg) => !arg.startsWith("-"));
  throw new DocteurError("Io", `git ${command} failed: ${said.trim().split("\n").at(-1)}`);
}

/** Runs git to its end. @returns what it prints */
export async function runGit(
  args: readonly string[],
  { cwd, input }: { cwd?: string; input?: string } = {},
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await stream(args, input, (data) => pieces.push(data), cwd);
  return Buffer.concat(pieces);
}

/** Runs git and lets its output go by. @returns how many bytes it printed */
export async function countOutput(args: readonly string[], cwd: string, input?: string): Promise<number> {
  let count = 0;
  await stream(
    args,
    input,
    (data) => {
      count += data.length;
    },
    cwd,
  );
  return count;
}

/** The arguments that make git read objects as fast as it does. */
export const CAT_FILE = ["cat-file", "--batch", "--buffer"] as const;
