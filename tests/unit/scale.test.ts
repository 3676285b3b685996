/** `npm run scale`: its site in both forms, what it prints with peers, the programs that it measures, and its picture. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { make } from "../../src/make/index.js";
import type { PeerFigures } from "../bench/scale/peers.js";
import { drawScale } from "../bench/scale/plot.js";
import { runMeasured, TooLong } from "../bench/scale/run.js";
import { siteImport, siteTar } from "../bench/scale/site.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import { runNode } from "../support/programs.js";
import { whyNoPrograms } from "../support/servers.js";
import { temporaryFolder } from "../support/temporary.js";

const SHAPE = { versions: 3, pages: 50, sections: 2 };
const NEVER = new AbortController().signal;

test("the archive of a site and its import into git have the same tree", async (t) => {
  const folder = temporaryFolder(t);
  const archive = join(folder, "site.tar");
  const names: string[] = [];
  writeFileSync(archive, Buffer.concat([...siteTar(SHAPE, (name) => names.push(name))]));
  const { tree, fileCount } = await make(archive, join(folder, "site.img"));
  git(folder, "init", "-q", "--bare", ".");
  const input = Buffer.concat([...siteImport(SHAPE)]);
  execFileSync("git", ["fast-import", "--quiet"], { cwd: folder, env: GIT_ENVIRONMENT, input });
  assert.equal(git(folder, "rev-parse", "main^{tree}"), tree);
  assert.equal(fileCount, 150);
  assert.equal(new Set(names).size, 150);
});

/** The figures that a peer has if its programs are there. */
const FIGURES = ["bytes", "makeSeconds", "makeProcessorSeconds", "openMs"] as const;

test("a run prints its figures, and those of the peers that are installed", (t) => {
  const { status, stdout, stderr } = runNode("tests/bench/scale/main.js", ["--paths", "30", "--peers"]);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const run = JSON.parse(stdout) as { files: number; imageBytes: number; peers: PeerFigures[] };
  assert.ok(run.files >= 30 && run.imageBytes > 0);
  assert.deepEqual(
    run.peers.map(({ name }) => name),
    ["squashfs (zstd)", "squashfs (zstd, 1 MiB)", "git"],
  );
  for (const figures of run.peers) {
    const { name, missing } = figures;
    const programs = name === "git" ? ["git", "mkfifo"] : ["sqfstar", "squashfuse_ll", "fusermount3"];
    const isUsable = name === "git" || existsSync("/dev/fuse");
    assert.equal(missing, whyNoPrograms(...programs) ?? (isUsable ? undefined : "/dev/fuse cannot be used"));
    if (missing !== undefined) {
      t.diagnostic(`${name}: ${missing}`);
      continue;
    }
    for (const field of FIGURES) assert.ok(figures[field]! >= 0, `${figures.name}: ${field}`);
    assert.ok(figures.lookupMicroseconds!.p50 <= figures.lookupMicroseconds!.p99, figures.name);
    assert.ok(figures.readMicroseconds!.p50 > 0, figures.name);
  }
});

test("a program is measured to its end, with those that it starts", async () => {
  const input = [Buffer.from("one "), Buffer.from("two")];
  const cost = await runMeasured(["sh", "-c", 'test "$(cat)" = "one two"; sleep 0.3'], {
    input,
    signal: NEVER,
  });
  assert.ok(cost.seconds >= 0.3);
  assert.ok(cost.processorSeconds < cost.seconds + 1);
  if (cost.memory !== null) assert.ok(cost.memory.peakBytes > 0);
});

test("a program that fails, or takes too long, is an error, and takes its children with it", async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(runMeasured(["false"], { signal: NEVER }), /false ended with status 1/);
  const command = ["sh", "-c", "sleep 60; touch late"];
  await assert.rejects(runMeasured(command, { cwd: folder, signal: NEVER, most: 0.1 }), TooLong);
  const reason = new Error("stop");
  await assert.rejects(runMeasured(command, { cwd: folder, signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(readdirSync(folder), []);
});

const FIGURES_URL = new URL("../../../docs/figures/scale.json", import.meta.url);

test("the picture in docs is that of the figures beside it", () => {
  const runs = JSON.parse(readFileSync(FIGURES_URL, "utf8")) as Parameters<typeof drawScale>[0];
  assert.equal(drawScale(runs), readFileSync(new URL("scale.svg", FIGURES_URL), "utf8"));
});

test("a picture names the peers that have figures, and no others", () => {
  const [run] = JSON.parse(readFileSync(FIGURES_URL, "utf8")) as Parameters<typeof drawScale>[0];
  const namesOf = (peers: PeerFigures[]): string[] =>
    [...drawScale([{ ...run!, peers }]).matchAll(/dy="4">([a-z][^<\s]*)/g)].map(([, name]) => name!);
  assert.deepEqual(namesOf([]), ["docteur"]);
  const missing = { name: "squashfs (zstd)", missing: "sqfstar: not installed" };
  assert.deepEqual(namesOf([missing, { name: "git", bytes: 1000 }]), ["docteur", "git"]);
});
