/** Built files, and the programs among them that end at once, run as a user does. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended and what it wrote. */
export interface Transcript {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The path of a built file: `dist/NAME`. */
export function distPath(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

/** The path of a built guest. */
export function guestPath(name: string): string {
  return distPath(`guest/${name}.wasm`);
}

/** Runs a program of Node's, `dist/PROGRAM`. */
export function runNode(program: string, args: readonly string[], cwd?: string): Transcript {
  const options = { encoding: "utf8", timeout: 60_000, cwd } as const;
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    ["--no-warnings", distPath(program), ...args],
    options,
  );
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
