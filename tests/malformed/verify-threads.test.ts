/**
 * `verify` with two threads never calls an unsound image sound: whatever memory the second thread is refused, wherever it
 * ends, and whatever it answers. The first thread waits, so that the second one does all the work.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { compileVerifier } from "../../src/verify/compile-verifier.js";
import { verify } from "../../src/verify/index.js";
import type { Resolver } from "../../src/verify/resolve.js";
import { createBudget, takeTables } from "../../src/verify/tables-budget.js";
import type { ThreadTask } from "../../src/verify/team.js";
import { WorkerTeam } from "../../src/verify/threads.js";
import { CraftedImage, copy, delta, insert, OK_TEXT, treeEntry } from "../support/crafted-image.js";
import type { Fault, FaultData } from "../support/faulty-thread.js";
import { gitOid } from "../support/fixtures.js";
import { temporaryFolder } from "../support/temporary.js";
import { flawedDirectories, soundImage } from "../support/unsound-images.js";

/** So much of a PACK is worth two threads. */
const BALLAST = 2_200_000;
const FLAWS = ["hasDotgit", "a missing file"] as const;
const module = await compileVerifier();
const flawed = flawedDirectories({ ballast: BALLAST });

let fault: Fault | undefined;
let gate = new Int32Array(new SharedArrayBuffer(8));
let isAsked = false;
const workers: Worker[] = [];

/** A thread with the fault of the hour, where there is one. */
class FaultyWorker extends Worker {
  constructor(url: URL, options: WorkerOptions) {
    if (fault === undefined) super(url, options);
    else {
      const data: FaultData = { fault, gate };
      super(new URL("../support/faulty-thread.js", import.meta.url), {
        workerData: { ...(options.workerData as object), ...data },
      });
    }
    workers.push(this);
  }

  override postMessage(task: ThreadTask): void {
    isAsked = fault !== undefined;
    if (fault === "its answer cannot be read") {
      isAsked = false;
      setImmediate(() => this.emit("messageerror", new Error("as the test wants it")));
    } else super.postMessage(task);
  }
}

const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof Worker };
threads.Worker = FaultyWorker as typeof Worker;
syncBuiltinESMExports();

const add = Atomics.add.bind(Atomics);
Atomics.add = ((array: Int32Array, index: number, value: number): number => {
  if (isAsked) assert.notEqual(Atomics.wait(gate, 0, 0, 60_000), "timed-out");
  return add(array, index, value);
}) as typeof Atomics.add;

/** The status with a fault in the second thread, and how many calls of it could have been refused. */
async function statusWith(path: string, wanted: Fault): Promise<{ status: string; calls: number }> {
  fault = wanted;
  gate = new Int32Array(new SharedArrayBuffer(8));
  try {
    const { status } = await verify(path, { module, jobs: 2 });
    assert.ok(isAsked || wanted === "its answer cannot be read", "a second thread was asked");
    return { status, calls: Atomics.load(gate, 1) };
  } finally {
    fault = undefined;
    isAsked = false;
  }
}

function written(t: TestContext, bytes: Uint8Array): string {
  const path = join(temporaryFolder(t), "disk.img");
  writeFileSync(path, bytes);
  return path;
}

test("without any fault", async (t) => {
  for (const flaw of FLAWS)
    assert.equal((await statusWith(written(t, flawed.get(flaw)!), "nothing")).status, "damaged", flaw);
  const sound = written(t, soundImage({ ballast: BALLAST }));
  assert.equal((await statusWith(sound, "nothing")).status, "sound");
});

for (const memory of ["wasm", "tables"] as const)
  for (const mode of ["once", "always"] as const)
    test(`${memory} refused ${mode} in the second thread, at every call: never sound`, async (t) => {
      const seen = new Set<string>();
      for (const flaw of FLAWS) {
        const path = written(t, flawed.get(flaw)!);
        for (let at = 0; ; at++) {
          const { status, calls } = await statusWith(path, { memory, at, mode });
          assert.notEqual(status, "sound", `${flaw}: ${memory} refused ${mode} at call ${at}`);
          seen.add(status);
          if (calls <= at) break;
        }
      }
      assert.deepEqual(seen, new Set(["unknown", "damaged"]));
    });

for (const way of [
  "it ends at its start",
  "it throws at its start",
  "it ends when it is asked",
  "it ends between two groups",
  "it ends before it answers",
  "its answer has no trees",
  "its answer cannot be read",
] as const)
  test(`a sound image is not sound where, of the second thread, ${way}`, async (t) => {
    const path = written(t, soundImage({ ballast: BALLAST }));
    const { status } = await statusWith(path, way);
    assert.equal(status, way === "its answer has no trees" ? "unknown" : "unreadable");
  });

test("a thread that ended before it was asked is an error, not a wait without end", async () => {
  fault = "it ends at its start";
  gate = new Int32Array(new SharedArrayBuffer(8));
  const team = new WorkerTeam(1, { module, path: "", blockSize: 512, memoryLimit: 1 << 20 });
  await once(workers.at(-1)!, "exit");
  fault = undefined;
  const resolver = {
    run: async () => undefined,
    trees: { words: new Uint32Array(0) },
  } as unknown as Resolver;
  const task = {} as ThreadTask;
  await assert.rejects(
    team.run(
      resolver,
      task,
      async () => undefined,
      () => undefined,
    ),
    { code: "Io" },
  );
  isAsked = false;
  await team.close();
});

test("threads share one budget for tables", () => {
  const budget = createBudget(10 << 10);
  takeTables(budget, 6 << 10);
  const other = structuredClone(budget);
  assert.throws(() => takeTables(other, 5 << 10), { code: "OutOfMemory" });
  takeTables(other, 4 << 10);
  assert.throws(() => takeTables(budget, 1), { code: "OutOfMemory" });
});

test("lists of trees' entries count against the limit of tables, in each thread", async (t) => {
  const image = new CraftedImage();
  const { oid } = image.object("blob", OK_TEXT);
  const entries = Array.from({ length: 10_000 }, (_, index) =>
    treeEntry("100644", String(index).padStart(5, "0"), oid),
  );
  const content = Buffer.concat(entries);
  const base = image.object("tree", content);
  const copies: Buffer[] = [];
  for (let at = 0; at < content.length; at += 0xffff)
    copies.push(copy(at, Math.min(0xffff, content.length - at)));
  const folders: Buffer[] = [];
  for (let version = 0; version < 130; version++) {
    const last = treeEntry("100644", `x${version}`, oid);
    const size = content.length + last.length;
    const made = gitOid("tree", Buffer.concat([content, last]));
    image.ofsDelta(
      made,
      base.offset,
      delta(content.length, size, ...copies, insert(last.toString("latin1"))),
    );
    folders.push(treeEntry("40000", `d${String(version).padStart(3, "0")}`, made));
  }
  image.commit(image.tree(...folders, ...ballast(image)).oid);
  const path = written(t, image.finish().bytes);
  for (const jobs of [1, 2]) {
    const little = await verify(path, { module, jobs, memoryLimit: 5 << 20 });
    assert.deepEqual([little.status, little.findings[0]?.code], ["unknown", "OutOfMemory"], `${jobs}`);
    assert.match(little.findings[0]!.message, /tables of all objects/);
    assert.equal((await verify(path, { module, jobs, memoryLimit: 16 << 20 })).status, "sound", `${jobs}`);
  }
});

/** Files that make a PACK worth two threads. */
function ballast(image: CraftedImage): Buffer[] {
  return Array.from({ length: 36 }, (_, index) => {
    const { oid } = image.object("blob", Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))));
    return treeEntry("100644", `e${String(index).padStart(3, "0")}`, oid);
  });
}
