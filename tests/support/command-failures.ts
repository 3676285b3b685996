/** What commands print and end with, for tests of the command line. */
import assert from "node:assert/strict";
import { docteur, type RunResult } from "./cli.js";
import { fixturePath } from "./fixtures.js";

export const more = (name: string): string => `hint: docteur ${name} --help says more`;

export const BLOCK_HINT = "hint: a block size (--bs) is a power of two, at least 512";

export const CUT_HINT = "hint: the image was cut short, or it is not a docteur image";

export const MODES_IMAGE = fixturePath("gitmodes.img");

/** Commands, each with the status that it ends with and the lines of its standard error. */
export async function expectFailures(
  cases: readonly [args: string[], status: number, ...lines: string[]][],
): Promise<void> {
  await Promise.all(
    cases.map(async ([args, status, ...lines]) => {
      const result = await docteur(args);
      const where = args.join(" ");
      assert.equal(result.stderr, lines.map((line) => `${line}\n`).join(""), where);
      assert.equal(result.stdout, "", where);
      assert.deepEqual([result.status, result.signal], [status, null], where);
    }),
  );
}

export function printed(stdout: string): RunResult {
  return { status: 0, signal: null, stdout, stderr: "" };
}

/** Runs a command that must print this and nothing else. */
export async function expectOutput(args: string[], stdout: string): Promise<void> {
  assert.deepEqual(await docteur(args), printed(stdout), args.join(" "));
}
