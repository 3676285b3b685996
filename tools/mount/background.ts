/** Runs `docteur mount` in the background: the command ends once the image is mounted, and a process stays. */
import { spawn } from "node:child_process";
import { DocteurError, type ErrorCode } from "../../src/errors.js";
import { ownProgram } from "../../src/node/own-files.js";

/** What the process in the background says once. */
export type Report =
  | { directory: string; program: string }
  | { code: ErrorCode; message: string; hint: string | undefined };

/** The variable that tells a process that it is the one in the background. */
const VARIABLE = "DOCTEUR_MOUNT_BACKGROUND";

/** Whether this is the process in the background. */
export function isInBackground(): boolean {
  return process.env[VARIABLE] === "1" && process.send !== undefined;
}

/** Says how it went, to the command that waits for it. */
export function report(what: Report): void {
  process.send?.(what, undefined, undefined, () => process.disconnect?.());
}

/** Tells of an error, if somebody waits for it. */
export function reportFailure(error: unknown): void {
  const known = error instanceof DocteurError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  report({ code: known?.code ?? "Io", message, hint: known?.hint });
}

/**
 * Starts the process.
 * @param argv the arguments of `docteur`
 * @returns what it mounted
 * @throws DocteurError why it did not
 */
export async function startInBackground(
  argv: readonly string[],
): Promise<{ directory: string; program: string }> {
  const child = spawn(process.execPath, [...process.execArgv, ...ownProgram(), ...argv], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, [VARIABLE]: "1" },
  });
  const told = await new Promise<Report>((resolve) => {
    child.once("message", (message) => resolve(message as Report));
    child.once("error", (error) => resolve({ code: "Io", message: error.message, hint: undefined }));
    child.once("exit", (status, signal) => {
      const message = `the process in the background ended with ${signal ?? `status ${status}`}`;
      resolve({ code: "Io", message, hint: "docteur mount --foreground says why" });
    });
  });
  if (child.connected) child.disconnect();
  child.unref();
  if ("directory" in told) return told;
  throw new DocteurError(told.code, told.message, { hint: told.hint });
}
