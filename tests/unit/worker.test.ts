/** `docteur/worker`, over Node's worker threads: calls do what they do in the calling thread, and end as they should. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { DocteurError, TransientError } from "../../src/index.js";
import { makeImage } from "../../src/make/browser.js";
import { verify } from "../../src/verify/index.js";
import { type InWorker, inWorker } from "../../src/worker/index.js";
import { distPath } from "../support/programs.js";

const FILES = {
  "a.txt": "one\n".repeat(5000),
  "b/c.txt": "one\n".repeat(5001),
  run: { content: "#!/bin/sh\n", executable: true },
  latest: { link: "a.txt" },
};
const { image: IMAGE, commit: COMMIT } = await makeImage(FILES);

/** Workers that were started, and how many of them have ended. */
function counted() {
  const exits: Promise<unknown>[] = [];
  const start = (): Worker => {
    const worker = new Worker(distPath("tests/support/answering-worker.js"));
    exits.push(once(worker, "exit"));
    return worker;
  };
  return { start, exits };
}

type Others = Record<"die" | "hang" | "fail" | "echo" | "other", (...args: unknown[]) => Promise<unknown>>;

test("functions give in a worker what they give here, and each worker ends", async () => {
  const { start, exits } = counted();
  const there = inWorker(start);
  const phases = new Set<string>();
  const made = await there.makeImage(FILES, { onProgress: ({ phase }) => phases.add(phase) });
  assert.deepEqual(made, await makeImage(FILES));
  assert.deepEqual([...phases], ["read", "compare", "pack"]);
  assert.deepEqual((await there.makeImage(new Map(Object.entries(FILES)))).image, IMAGE);
  assert.deepEqual((await there.makeImage(Object.entries(FILES).values())).image, IMAGE);
  assert.deepEqual(await there.verify(IMAGE), await verify(IMAGE));
  const blob = new Blob([IMAGE]);
  assert.deepEqual(await there.verify(blob, { commit: COMMIT }), await verify(IMAGE));
  assert.equal(exits.length, 5);
  await Promise.all(exits);
});

test("bytes stay the caller's", async () => {
  const { start } = counted();
  const bytes = new Uint8Array(100_000).fill(7);
  await inWorker(start).makeImage({ bytes });
  assert.equal(bytes.length, 100_000);
});

test("a source of ranges is read in the calling thread, and closed", async () => {
  const { start } = counted();
  let reads = 0;
  let closed = 0;
  class Source {
    readonly size = IMAGE.length;
    async read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
      assert.equal(signal.aborted, false);
      if (reads++ === 0) throw new TransientError("a hiccup", { retryAfter: 1 });
      return IMAGE.slice(offset, offset + length);
    }
    close(): void {
      closed++;
    }
  }
  const report = await inWorker(start).verify(new Source(), { retries: 2, pageSize: 4096 });
  assert.equal(report.status, "sound");
  assert.ok(reads > 1);
  assert.equal(closed, 1);
  const failing = { size: IMAGE.length, read: () => Promise.reject(new Error("no disk")) };
  assert.equal((await inWorker(start).verify(failing)).status, "unreadable");
});

test("errors come back as they were thrown", async () => {
  const { start } = counted();
  const there = inWorker(start);
  const bad = { "../a": "" };
  const expected = await makeImage(bad).catch((error) => error as DocteurError);
  await assert.rejects(there.makeImage(bad), (error) => {
    assert.ok(error instanceof DocteurError);
    const { code, message, path, hint } = expected as DocteurError;
    assert.deepEqual(
      { code: error.code, message: error.message, path: error.path, hint: error.hint },
      { code, message, path, hint },
    );
    return true;
  });
  const others = inWorker<Others>(start);
  await assert.rejects(others.fail(), /TypeError: a defect/);
  await assert.rejects(others.other(), {
    code: "InvalidArgument",
    message: "the worker does not answer other",
  });
  const onProgress = (): never => {
    throw new RangeError("of the caller");
  };
  await assert.rejects(there.makeImage(FILES, { onProgress }), RangeError);
});

test("what cannot be passed is refused", async () => {
  const { start } = counted();
  const there = inWorker(start);
  await assert.rejects(there.verify("https://example.org/a.img", { fetch }), {
    code: "InvalidArgument",
    message: "the option fetch cannot be passed to a worker",
  });
  const device = { blockSize: 512, capacity: 512, read: () => 0 as const };
  await assert.rejects(there.verify(device), { code: "InvalidArgument" });
  await assert.rejects(there.verify(new Response("") as never), {
    code: "InvalidArgument",
    message: "a Response cannot be passed to a worker",
  });
});

test("a signal ends the worker", async () => {
  const { start, exits } = counted();
  const control = new AbortController();
  const hung = inWorker<Others>(start).hang({ signal: control.signal });
  const reason = new Error("enough");
  setTimeout(() => control.abort(reason), 50);
  await assert.rejects(hung, (error) => error === reason);
  await Promise.all(exits);
  await assert.rejects(
    inWorker(start).makeImage(FILES, { signal: control.signal }),
    (error) => error === reason,
  );
  assert.equal(exits.length, 1);
});

test("a worker that ends before its work is done", async () => {
  const { start } = counted();
  await assert.rejects(inWorker<Others>(start).die(), {
    code: "Io",
    message: /ended before its work was done/,
  });
});

test("where no worker starts, the calling thread does the work if it is asked to", async () => {
  const starts = {
    throws: (): never => {
      throw new Error("SecurityError");
    },
    "has no script": () => new Worker(distPath("tests/support/no-such-worker.js")),
  };
  for (const [name, start] of Object.entries(starts)) {
    const fallback = async (): Promise<Partial<InWorker>> => ({ makeImage });
    const there = inWorker(start, { fallback });
    assert.deepEqual((await there.makeImage(FILES)).image, IMAGE, name);
    await assert.rejects(
      there.verify(IMAGE),
      { code: "Io", message: "cannot start a worker for verify" },
      name,
    );
    await assert.rejects(inWorker(start).makeImage(FILES), { code: "Io" }, name);
  }
});

test("the functions can be awaited, and are no promise", async () => {
  const functions = await Promise.resolve(inWorker(counted().start));
  assert.equal(typeof functions.verify, "function");
});
