import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { inflateSync } from "node:zlib";
import { DocteurError } from "../../src/errors.js";
import { hexOid } from "../../src/git/oid.js";
import type { Content } from "../../src/make/base/content.js";
import { fileContents } from "../../src/make/base/file-contents.js";
import { compilePacker } from "../../src/make/pack/compile-packer.js";
import { createEngine } from "../../src/make/pack/engine.js";
import { type Parcel, unpackJob } from "../../src/make/pack/job-message.js";
import type { EncodeJob, SurveyJob } from "../../src/make/pack/jobs.js";
import { Pool } from "../../src/make/pack/pool.js";
import { JobRunner } from "../../src/make/pack/runner.js";
import { gitOid } from "../support/fixtures.js";
import { content as largeContent } from "../support/large-files.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** A pool that ends with the test, and its threads. */
async function startPool(
  t: TestContext,
  size: number,
  module?: WebAssembly.Module,
): Promise<{ pool: Pool; threads: Worker[] }> {
  const threads: Worker[] = [];
  const onWorker = (thread: Worker): void => void threads.push(thread);
  process.on("worker", onWorker);
  const pool = new Pool(size, module ?? (await compilePacker()));
  t.after(() => pool.close());
  // The event comes in a tick of its own.
  await setImmediate();
  process.off("worker", onWorker);
  assert.equal(threads.length, size);
  return { pool, threads };
}

function surveyOf(content: Content, size: number): SurveyJob {
  return { type: "survey", objects: [{ index: 0, kind: "blob", size, content }] };
}

const textJob = (text: string): SurveyJob => surveyOf(Buffer.from(text), text.length);

test("every job has its own answer", async (t) => {
  const { pool } = await startPool(t, 3);
  assert.equal(pool.width, 3);
  const texts = Array.from({ length: 60 }, (_, index) => `content ${index}`);
  const results = await Promise.all(texts.map((text, index) => pool.run(textJob(text), index % 7 === 0)));
  for (const [index, { oids }] of results.entries())
    assert.equal(hexOid(oids), gitOid("blob", Buffer.from(texts[index]!)));
});

test("threads work with the pool's effort", async (t) => {
  const module = await compilePacker();
  const content = largeContent(200_000, seeded(41));
  const object = {
    index: 0,
    kind: "blob",
    size: content.length,
    content,
    oid: Buffer.from(gitOid("blob", content), "hex"),
  };
  const job = {
    type: "encode",
    objects: [object],
    tasks: [{ target: 0 }],
  } as EncodeJob;
  const encoded = new Set<string>();
  for (const effort of ["fast", "default", "small"] as const) {
    const pool = new Pool(1, module, effort);
    t.after(() => pool.close());
    const { bytes } = await pool.run(job, false);
    assert.ok(inflateSync(bytes).equals(content), effort);
    const alone = new JobRunner(createEngine(module, effort), fileContents).run(job);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(alone.bytes), effort);
    encoded.add(Buffer.from(bytes).toString("latin1"));
  }
  assert.equal(encoded.size, 3);
});

test("jobs start in their order, and those that take much memory are for one thread alone", async (t) => {
  const { pool, threads } = await startPool(t, 3);
  const started: { text: string; thread: number }[] = [];
  for (const [thread, worker] of threads.entries()) {
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (parcel: Parcel) => {
      const [object] = unpackJob(parcel).objects;
      started.push({ text: Buffer.from(object!.content as Uint8Array).toString(), thread });
      post(parcel);
    };
  }
  const texts = Array.from({ length: 40 }, (_, index) => `${index % 3 === 1 ? "heavy" : "light"} ${index}`);
  await Promise.all(texts.map((text) => pool.run(textJob(text), text.startsWith("heavy"))));
  assert.equal(started.length, texts.length);
  const heavy = started.filter(({ text }) => text.startsWith("heavy"));
  assert.deepEqual(new Set(heavy.map(({ thread }) => thread)), new Set([0]));
  assert.ok(started.some(({ thread }) => thread > 0));
  for (const kind of ["heavy", "light"])
    assert.deepEqual(
      started.map(({ text }) => text).filter((text) => text.startsWith(kind)),
      texts.filter((text) => text.startsWith(kind)),
    );
});

test("an error comes back as what it was, and the thread goes on", async (t) => {
  const { pool } = await startPool(t, 1);
  const path = join(temporaryFolder(t), "absent \u00e9");
  const bytes = Buffer.from(path).toString("latin1");
  const absent = surveyOf({ path: bytes, offset: 0 }, 5);
  const isAbsent = (error: unknown): boolean => {
    assert.ok(error instanceof DocteurError);
    assert.deepEqual([error.code, error.path], ["Io", path]);
    assert.equal(error.message, `cannot read ${path}: no such file or directory`);
    return true;
  };
  await assert.rejects(pool.run(absent), isAbsent);
  // No job of the packer's: a defect of ours is no error of the user's.
  const nonsense = {
    type: "measure",
    objects: [],
    bases: Uint32Array.of(1),
    targets: Uint32Array.of(2),
  } as const;
  await assert.rejects(pool.run({ ...nonsense, objects: [] }), (error: unknown) => {
    assert.ok(!(error instanceof DocteurError));
    return true;
  });
  assert.equal(hexOid((await pool.run(textJob("after"))).oids), gitOid("blob", Buffer.from("after")));
});

test("closing ends what is under way and what waits; nothing begins after it", async (t) => {
  const { pool } = await startPool(t, 2);
  const running = Array.from({ length: 10 }, (_, index) => pool.run(textJob(`${index}`), true));
  const outcomes = Promise.allSettled(running);
  await pool.close();
  for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
  await assert.rejects(pool.run(textJob("late")), /the pool is closed/);
  await pool.close();
});

const DIED = { name: "DocteurError", code: "Io", message: "a worker thread ended before its work was done" };

test("a thread that dies ends all work with an error", async (t) => {
  for (const victim of [0, 1]) {
    const { pool, threads } = await startPool(t, 2);
    assert.equal((await pool.run(textJob("before"))).oids.length, 20);
    const outcomes = Promise.allSettled(Array.from({ length: 50 }, (_, at) => pool.run(textJob(`${at}`))));
    await threads[victim]!.terminate();
    const failed = (await outcomes).filter((outcome) => outcome.status === "rejected");
    assert.ok(failed.length > 0);
    for (const { reason } of failed) assert.deepEqual({ ...DIED }, pick(reason));
    await assert.rejects(pool.run(textJob("after")), DIED);
    await pool.close();
  }
});

function pick({ name, code, message }: DocteurError): typeof DIED {
  return { name, code, message };
}

test("a thread that cannot start ends all work with an error", async (t) => {
  // A module of nothing.
  const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  const { pool } = await startPool(t, 2, module);
  const outcomes = await Promise.allSettled([
    pool.run(textJob("a")),
    pool.run(textJob("b")),
    pool.run(textJob("c")),
  ]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected");
    assert.deepEqual(pick(outcome.reason as DocteurError), DIED);
    assert.match(String((outcome.reason as DocteurError).cause), /init is not a function/);
  }
});
