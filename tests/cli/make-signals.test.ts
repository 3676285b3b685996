/** Signals that end `make` in any phase, of any kind of source: nothing is left but what was there. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { familyTree, writeFiles } from "../support/families.js";
import { commitAll, git } from "../support/git.js";
import { clientEnvironment, startHttpServer } from "../support/git-servers.js";
import { processesLeft } from "../support/processes.js";
import { temporaryFolder } from "../support/temporary.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const FILES = ["start", "scan", "read", "pack"] as const;
const REPACKED = ["start", "scan", "read", "compare", "pack"] as const;

/** A kind of source: where it is, the options, and the phases that are told of it. */
interface Kind {
  source: (places: { work: string; url: string }) => string;
  options?: object;
  phases: readonly string[];
  image?: "-";
}

const KINDS: Record<string, Kind> = {
  "a repository": { source: ({ work }) => join(work, "repository"), phases: ["start", "scan", "pack"] },
  "a repository, repacked": {
    source: ({ work }) => join(work, "repository"),
    options: { repack: true },
    phases: REPACKED,
  },
  "a part of a repository": {
    source: ({ work }) => join(work, "repository"),
    options: { subdir: "odd" },
    phases: ["start", "scan", "pack"],
  },
  "a work tree": {
    source: ({ work }) => join(work, "repository"),
    options: { worktree: true },
    phases: FILES,
  },
  "a repository by HTTP": {
    source: ({ url }) => `${url}/repository/.git`,
    phases: ["fetch", "scan", "pack"],
  },
  "a directory": { source: ({ work }) => join(work, "plain"), phases: FILES },
  "a directory, to standard output": {
    source: ({ work }) => join(work, "plain"),
    phases: FILES,
    image: "-",
  },
  "an archive": { source: ({ work }) => join(work, "plain.tar"), phases: FILES },
  "an archive in standard input": { source: () => "-", phases: FILES },
};

async function prepare(t: TestContext): Promise<{ work: string; url: string }> {
  const work = temporaryFolder(t);
  const files = familyTree(44, 1 / 32);
  for (const name of ["repository", "plain"]) writeFiles(join(work, name), files, 1);
  git(join(work, "repository"), "init", "-q", "-b", "main");
  commitAll(join(work, "repository"), "message");
  execFileSync("tar", ["-cf", join(work, "plain.tar"), "-C", join(work, "plain"), "."]);
  const { url } = await startHttpServer(t, work);
  return { work, url };
}

const PROGRAM = fileURLToPath(new URL("../support/make-and-stop.js", import.meta.url));
let runs = 0;

for (const [name, { source, options = {}, phases, image }] of Object.entries(KINDS))
  test(`signals while an image is made of ${name}`, async (t) => {
    const places = await prepare(t);
    const { work } = places;
    for (const [at, phase] of phases.entries()) {
      const out = join(work, `out-${phase}`);
      mkdirSync(out);
      writeFileSync(join(out, "image"), "old");
      const signal = SIGNALS[(at + runs) % SIGNALS.length]!;
      const marker = `docteur-test-${process.pid}-signals-${runs++}`;
      const env = { ...process.env, ...clientEnvironment(work), TMPDIR: out, DOCTEUR_TEST_MARKER: marker };
      const args = [
        PROGRAM,
        source(places),
        image ?? join(out, "image"),
        JSON.stringify(options),
        phase,
        signal,
      ];
      const input = openSync(join(work, "plain.tar"), "r");
      const child = spawn(process.execPath, args, { env, stdio: [input, "pipe", "pipe"] });
      closeSync(input);
      let stdout = 0;
      child.stdout!.on("data", (piece: Buffer) => {
        stdout += piece.length;
      });
      const said: string[] = [];
      child.stderr!.setEncoding("utf8").on("data", (text: string) => said.push(text));
      const [status, died] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      // A shell shows this as the status 128 and the signal's number.
      assert.deepEqual([status, died], [null, signal], `${phase}: ${said.join("")}`);
      assert.deepEqual(readdirSync(out), ["image"], phase);
      assert.equal(readFileSync(join(out, "image"), "utf8"), "old", phase);
      assert.equal(stdout, 0, phase);
      assert.deepEqual(await processesLeft(marker), [], phase);
    }
  });
