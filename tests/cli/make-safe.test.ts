/** Whatever goes wrong while an image is made: what was there stays, and the next time it works. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { open } from "../../src/index.js";
import { type MakeProgress, make } from "../../src/make/index.js";
import { PIECED_MIN } from "../../src/make/pack/jobs.js";
import { isTemporaryName } from "../../src/node/temporary.js";
import { verify } from "../../src/verify/index.js";
import { DATE } from "../support/checked-image.js";
import { type Files, familyTree, noise, writeFiles } from "../support/families.js";
import { commitAll, git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";

type Phase = MakeProgress["phase"];
const PHASES: readonly Phase[] = ["scan", "read", "compare", "pack"];

/** A source, a folder for an image in which there is an old one, and what the new one would be. */
interface Case {
  source: string;
  files: Files;
  out: string;
  image: string;
}

const SMALL = familyTree(41, 1 / 16);
const LARGE: Files = new Map([...SMALL, ["large/noise", noise(42, PIECED_MIN + 1)]]);

/** @param isLarge for workers: small trees are packed without */
function prepare(t: TestContext, isLarge: boolean): Case {
  const work = temporaryFolder(t);
  const files = isLarge ? LARGE : SMALL;
  const source = join(work, "source");
  const out = join(work, "out");
  writeFiles(source, files, 1);
  mkdirSync(out);
  const image = join(out, "image");
  writeFileSync(image, "old");
  return { source, files, out, image };
}

/** The old image is there, and nothing else. */
function assertOld({ out, image }: Case): void {
  assert.deepEqual(readdirSync(out), ["image"]);
  assert.equal(readFileSync(image, "utf8"), "old");
}

/** An image is made, and holds what is promised. */
async function assertMakes({ source, image, files }: Case): Promise<void> {
  const { commit } = await make(source, image, { date: DATE });
  assert.equal((await verify(image)).commit, commit);
  await assertHolds(image, files);
}

async function assertHolds(image: string, files: Files): Promise<void> {
  const volume = await open(image);
  for (const [path, content] of files) assert.ok(content.equals(await volume.get(`/${path}`)), path);
  await volume.close();
}

/** Runs `make-and-stop`. @returns the signal that it died of */
function stopped(
  { source, image }: Case,
  workers: number,
  phase: Phase,
  name: string,
): Promise<string | null> {
  const program = fileURLToPath(new URL("../support/make-and-stop.js", import.meta.url));
  const args = [program, source, image, JSON.stringify({ workers }), phase, name];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, (_, stdout, stderr) => {
      assert.equal(stdout + stderr.replace("make-and-stop: stopped by SIGINT\n", ""), "");
      resolve(child.signalCode);
    });
  });
}

for (const isLarge of [false, true]) {
  const how = isLarge ? "with workers" : "without workers";

  test(`signals in every phase, ${how}: SIGINT leaves nothing, SIGKILL a temporary file at most`, async (t) => {
    const place = prepare(t, isLarge);
    for (const phase of PHASES) {
      assert.equal(await stopped(place, 2, phase, "SIGINT"), "SIGINT", phase);
      assertOld(place);
      assert.equal(await stopped(place, 2, phase, "SIGKILL"), "SIGKILL", phase);
      const [left = "", ...more] = readdirSync(place.out).filter((name) => name !== "image");
      assert.ok(isTemporaryName(left) && left.endsWith(".tmp"), left);
      assert.deepEqual(more, []);
      if (process.platform !== "linux") rmSync(join(place.out, left));
      assert.equal(readFileSync(place.image, "utf8"), "old");
    }
    // Each run has removed what the one before it left, where the system tells that it is dead.
    await assertMakes(place);
    if (process.platform === "linux") assert.deepEqual(readdirSync(place.out), ["image"]);
  });

  test(`an abort in every phase, ${how}: its reason, and nothing left`, async (t) => {
    const place = prepare(t, isLarge);
    for (const phase of PHASES) {
      const controller = new AbortController();
      const reason = new Error(`stopped while ${phase}`);
      const onProgress = ({ phase: now }: MakeProgress): void => {
        if (now === phase) controller.abort(reason);
      };
      const { signal } = controller;
      await assert.rejects(make(place.source, place.image, { date: DATE, signal, onProgress }), reason);
      assertOld(place);
    }
  });
}

test("a worker that dies in any phase: an error, and nothing left", async (t) => {
  const place = prepare(t, true);
  for (const phase of ["read", "compare", "pack"] as const) {
    const threads: Worker[] = [];
    const onWorker = (thread: Worker): void => void threads.push(thread);
    process.on("worker", onWorker);
    let isStruck = false;
    const onProgress = ({ phase: now }: MakeProgress): void => {
      if (now !== phase || isStruck) return;
      isStruck = true;
      void threads[1]!.terminate();
    };
    await assert.rejects(make(place.source, place.image, { date: DATE, workers: 2, onProgress }), {
      name: "DocteurError",
      code: "Io",
      message: "a worker thread ended before its work was done",
      hint: /fewer workers/,
    });
    process.off("worker", onWorker);
    assert.equal(threads.length, 2);
    assertOld(place);
  }
  await assertMakes(place);
});

test("a disk that is full at any place of the image: an error, and nothing left", async (t) => {
  const place = prepare(t, true);
  const program = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
  await make(place.source, join(place.out, "whole"), { date: DATE });
  const { size } = statSync(join(place.out, "whole"));
  rmSync(join(place.out, "whole"));
  // In units of 512 bytes. Node ignores the signal that goes with it.
  const runLimited = (blocks: number): { status: number; stderr: string } => {
    const script = `ulimit -f ${blocks} && exec "$0" "$@"`;
    const args = ["-c", script, process.execPath, program, "make", "-d", DATE, place.source, place.image];
    try {
      execFileSync("sh", args, { stdio: "pipe", encoding: "utf8" });
      return { status: 0, stderr: "" };
    } catch (error) {
      return error as { status: number; stderr: string };
    }
  };
  for (const blocks of [0, 1000, Math.floor(size / 1024), size / 512 - 1]) {
    const { status, stderr } = runLimited(blocks);
    assert.equal(stderr, `docteur: cannot write ${place.image}: file too large\n`, `${blocks} blocks`);
    assert.equal(status, 8);
    assertOld(place);
  }
  assert.deepEqual(runLimited(size / 512), { status: 0, stderr: "" });
  await assertHolds(place.image, place.files);
});

test("a disk that is full while a commit's objects are spooled is not the repository's fault", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "-q", "source");
  writeFileSync(join(folder, "source", "noise"), noise(43, 1 << 20));
  commitAll(join(folder, "source"), "message");
  const program = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
  const image = join(folder, "image");
  const args = [program, "make", "--repack", join(folder, "source"), image];
  const script = 'ulimit -f 1000 && exec "$0" "$@"';
  const { status, stderr } = spawnSync("sh", ["-c", script, process.execPath, ...args], { encoding: "utf8" });
  assert.equal(stderr, `docteur: cannot write ${image}: file too large\n`);
  assert.equal(status, 8);
  assert.deepEqual(readdirSync(folder), ["source"]);
});

/** What may happen to a file. */
const MISHAPS: Record<string, (path: string, content: Buffer) => void> = {
  "it grows": (path, content) => writeFileSync(path, Buffer.concat([content, Buffer.from("more")])),
  "it shrinks": (path, content) => writeFileSync(path, content.subarray(1)),
  "it goes": (path) => rmSync(path),
  "it changes, and keeps its size": (path, content) => {
    const changed = Buffer.from(content);
    changed[content.length - 1]! ^= 1;
    writeFileSync(path, changed);
  },
  "it becomes a FIFO": (path) => {
    rmSync(path);
    execFileSync("mkfifo", [path]);
  },
  "it becomes a link to what it was": (path) => {
    renameSync(path, `${path}.was`);
    symlinkSync(`${path}.was`, path);
  },
  "it becomes a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};

for (const [mishap, happen] of Object.entries(MISHAPS)) {
  test(`a file that is not what it was: ${mishap}`, async (t) => {
    const victims = [
      { isLarge: false, path: "odd/noise1" },
      { isLarge: true, path: "logs/app.log.2" },
      { isLarge: true, path: "large/noise" },
    ];
    for (const { isLarge, path } of victims) {
      const place = prepare(t, isLarge);
      const victim = join(place.source, path);
      let hasHappened = false;
      const onProgress = ({ phase, done, total }: MakeProgress): void => {
        if (hasHappened || phase !== "read" || done !== total) return;
        hasHappened = true;
        happen(victim, place.files.get(path)!);
      };
      const made = make(place.source, place.image, { date: DATE, workers: 2, onProgress });
      await assert.rejects(made, (error: { code: string; path: string; message: string }) => {
        assert.deepEqual([error.code, error.path], ["Io", victim], error.message);
        assert.ok(error.message.includes(victim));
        return true;
      });
      assert.ok(hasHappened);
      assertOld(place);
    }
  });
}

test("a file in pieces that changes while it is packed is noticed", async (t) => {
  const place = prepare(t, true);
  // More pieces than are read ahead.
  const content = noise(43, 24 << 20);
  const victim = join(place.source, "large", "noise");
  writeFileSync(victim, content);
  let hasHappened = false;
  const onProgress = ({ phase }: MakeProgress): void => {
    if (hasHappened || phase !== "pack") return;
    hasHappened = true;
    MISHAPS["it changes, and keeps its size"]!(victim, content);
  };
  await assert.rejects(make(place.source, place.image, { date: DATE, workers: 2, onProgress }), {
    code: "Io",
    message: `${victim} changed while it was read`,
  });
  assert.ok(hasHappened);
  assertOld(place);
});
