/** `docteur serve` as a process, until a test ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { commandOf } from "./programs.js";
import type { Ending } from "./servers.js";

/** A server that runs. */
export interface Serving {
  /** The address that it printed, with a slash at its end. */
  address: string;
  child: ChildProcess;
  /** What it has printed on standard error so far. */
  said(): string;
  /** Waits until it has printed something. */
  says(pattern: RegExp): Promise<void>;
  /** Sends a signal, and waits for the end. @returns the exit status */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `docteur serve` on a free port. */
export async function startServing(t: Ending, args: readonly string[]): Promise<Serving> {
  const [file, ...own] = commandOf("docteur");
  const child = spawn(file, [...own, "serve", "--port", "0", ...args], { stdio: "pipe" });
  const closed = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const [line] = await Promise.race([
    once(child.stdout.setEncoding("utf8"), "data") as Promise<[string]>,
    closed.then(([status]) => {
      throw new Error(`docteur serve ended with status ${status}: ${stderr}`);
    }),
  ]);
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(stderr)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const [status] = await closed;
    return status as number | null;
  };
  return { address: line.trim(), child, said: () => stderr, says, end };
}

/** Sends bytes to a server, and gives what comes until the connection ends. */
export async function sendRaw(address: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(address).port), "127.0.0.1");
  socket.end(Buffer.from(text, "latin1"));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}
