/** Built files, and the programs among them that end at once, run as a user does. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// `node --test` on a terminal asks for colours, and programs would inherit that.
delete process.env.FORCE_COLOR;
delete process.env.NO_COLOR;

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

/**
 * The command that runs `docteur` or `solo5-wasm`: Node with the built script. Where DOCTEUR_TEST_PROGRAM names the
 * program in one file, that one runs, or `solo5-wasm` beside it.
 */
export function commandOf(program: "docteur" | "solo5-wasm"): [file: string, ...args: string[]] {
  const binary = process.env.DOCTEUR_TEST_PROGRAM;
  if (binary === undefined) return [process.execPath, "--no-warnings", distPath(`tools/${program}.js`)];
  return [program === "docteur" ? binary : join(dirname(binary), program)];
}

/** The command of a built file `dist/PROGRAM`. */
function nodeOf(program: string): [file: string, ...args: string[]] {
  const own = /^tools\/(docteur|solo5-wasm)\.js$/.exec(program);
  if (own !== null) return commandOf(own[1] as "docteur" | "solo5-wasm");
  return [process.execPath, "--no-warnings", distPath(program)];
}

/** Runs a program of Node's, `dist/PROGRAM`. */
export function runNode(program: string, args: readonly string[], cwd?: string): Transcript {
  const options = { encoding: "utf8", timeout: 60_000, cwd } as const;
  const [file, ...own] = nodeOf(program);
  const { status, stdout, stderr, error } = spawnSync(file, [...own, ...args], options);
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
