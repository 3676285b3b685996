/** Servers that are programs: started for one test, waited for, and ended with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { distPath } from "./programs.js";

/** Where the system keeps programs that the PATH of a user may lack, and where `.ci/run` builds some. */
const MORE_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", distPath("bin")];

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...MORE_FOLDERS]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

/** Those of some programs that are not installed, in a sentence, or undefined. */
export function whyNoPrograms(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(", ")}: not installed`;
}

/** Whatever ends a server when its time is over: a test, or the hooks of a file of tests. */
export interface Ending {
  after(end: () => void | Promise<void>): void;
}

/** Where a server listens: a port of the loopback, or a Unix domain socket. */
export type Place = number | string;

function answers(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof place === "number" ? connect(place, "127.0.0.1") : connect(place);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Waits until a server takes connections. @param isOver tells that it has ended */
export async function waitForServer(place: Place, isOver: () => string | undefined): Promise<void> {
  for (;;) {
    if (await answers(place)) return;
    const over = isOver();
    if (over !== undefined) throw new Error(`the server ended: ${over}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Starts a server in the foreground, and waits until it takes connections.
 * @param place where it will listen
 * @returns the process; it is killed when the test ends
 */
export async function startServer(
  t: Ending,
  place: Place,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess> {
  const child = spawn(findProgram(program)!, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4096);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await waitForServer(place, () =>
    child.exitCode === null && child.signalCode === null ? undefined : `${program}: ${said}`,
  );
  return child;
}
