/** Limits of fetching what a partial clone lacks. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { EXIT } from "../../tools/cli/exit.js";
import { docteur } from "../support/cli.js";
import { noise } from "../support/families.js";
import { commitAll, git } from "../support/git.js";
import { clientEnvironment, type HttpOptions, startHttpServer } from "../support/git-servers.js";
import { processesLeft } from "../support/processes.js";
import { temporaryFolder } from "../support/temporary.js";

/** A clone without trees, whose remote is a server. @returns runs `make` on it, with an image in `out` */
async function createPartialClone(t: TestContext, server: HttpOptions) {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "folder"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "folder", "noise"), noise(9, 1 << 20));
  commitAll(source, "message");
  git(work, "clone", "-q", "--bare", source, "site.git");
  git(join(work, "site.git"), "config", "uploadpack.allowFilter", "true");
  git(work, "clone", "-q", "--no-checkout", "--filter=tree:0", `file://${work}/site.git`, "clone");
  const { url, requests } = await startHttpServer(t, work, server);
  git(join(work, "clone"), "remote", "set-url", "origin", `${url}/site.git`);
  const out = join(work, "out");
  mkdirSync(out);
  const marker = `docteur-test-${process.pid}-partial`;
  const env = { ...clientEnvironment(work), DOCTEUR_TEST_MARKER: marker };
  const run = async (...args: string[]) => {
    const path = args.at(-1) === "source" ? source : join(work, "clone");
    const result = await docteur(["make", ...args.slice(0, -1), path, join(out, "image")], { env });
    if (result.status !== 0) assert.deepEqual(readdirSync(out), []);
    assert.deepEqual(await processesLeft(marker), []);
    return { ...result, stderr: result.stderr.replaceAll(work, "WORK") };
  };
  return { run, requests };
}

test("a remote that says nothing: --timeout ends reading trees, and fetching contents", async (t) => {
  const { run, requests } = await createPartialClone(t, { intercept: () => true });
  for (const args of [[], ["--subdir", "folder"]]) {
    const { status, stderr } = await run("--timeout", "2", ...args, "clone");
    const message = "docteur: the remote origin of WORK/clone did not send the commit within 2 s\n";
    assert.equal(stderr, `${message}hint: --timeout sets how long it may take\n`);
    assert.equal(status, 10);
  }
  // Nothing is fetched before there is a limit.
  assert.equal(requests.length, 2);
});

test("a remote that sends too much: --max-fetch ends it", async (t) => {
  const { run } = await createPartialClone(t, {});
  const { status, stderr } = await run("--max-fetch", "500000", "clone");
  const message = "docteur: the remote origin of WORK/clone sends more than 500000 bytes\n";
  assert.equal(stderr, `${message}hint: --max-fetch sets how many may be stored\n`);
  assert.equal(status, 8);
  assert.equal((await run("--max-fetch", "5000000", "--timeout", "100", "clone")).status, 0);
});

test("limits are refused where there is nothing to fetch", async (t) => {
  const { run } = await createPartialClone(t, {});
  const { status, stderr } = await run("--timeout", "2", "source");
  const hint = "hint: --timeout is for git repositories on other machines, and partial clones\n";
  assert.equal(stderr, `docteur: WORK/source is on this machine\n${hint}`);
  assert.equal(status, EXIT.usage);
});
