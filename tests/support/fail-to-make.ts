/** Runs `make` on a server that it cannot make an image from. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { docteur } from "./cli.js";
import { clientEnvironment, type HttpOptions, startHttpServer } from "./git-servers.js";
import { processesLeft } from "./processes.js";
import { temporaryFolder } from "./temporary.js";

/** What is expected of `make`: arguments, the exit status, the lines of the message, in which the server is HOST. */
export type Expected = [args: string[], status: number, message: RegExp, hint: RegExp];

/** How `make` reaches the server. */
export interface Reach {
  /** Added to its environment. @param url the server's @param work a folder */
  env?: (url: string, work: string) => Record<string, string>;
  /** The source; the server's repository `site.git` by default. */
  source?: string;
}

let runs = 0;

/** Expects `make` to fail in two lines of printable characters, and to leave no files and no processes. */
export async function failToMake(
  t: TestContext,
  server: HttpOptions,
  args: string[],
  status: number,
  message: RegExp,
  hint: RegExp,
  { env, source }: Reach = {},
): Promise<void> {
  const work = temporaryFolder(t);
  const out = join(work, "out");
  mkdirSync(out);
  const { url, place } = await startHttpServer(t, work, server);
  const marker = `docteur-test-${process.pid}-${runs++}`;
  const result = await docteur(["make", ...args, source ?? `${url}/site.git`, join(out, "image")], {
    env: { ...clientEnvironment(work), DOCTEUR_TEST_MARKER: marker, ...env?.(url, work) },
  });
  const [first = "", second = "", ...more] = result.stderr.replaceAll(place, "HOST").split("\n");
  assert.match(first, message);
  assert.match(second, hint);
  assert.deepEqual(more, [""], result.stderr);
  assert.doesNotMatch(result.stderr.replaceAll("\n", ""), /[\0-\x1f\x7f-\x9f]/);
  assert.equal(result.status, status, result.stderr);
  assert.deepEqual(readdirSync(out), []);
  assert.deepEqual(await processesLeft(marker), []);
}
