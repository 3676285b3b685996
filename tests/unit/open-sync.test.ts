/** `docteur/sync`: what it reads is what the asynchronous library reads, from everything that it opens. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type BlockDevice, DocteurError, open, RESULT } from "../../src/index.js";
import { openSync, type SyncSource, share } from "../../src/sync/index.js";
import { fixture, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";
import { RangeServer } from "../support/range-server.js";
import { SlowServer } from "../support/slow-server.js";

async function serve(t: TestContext, name: string): Promise<string> {
  const server = await SlowServer.start(fixturePath(name), 1);
  t.after(() => server.stop());
  return server.url;
}

const SOURCES: [what: string, source: (t: TestContext, name: string) => SyncSource | Promise<SyncSource>][] =
  [
    ["a path", (_, name) => fixturePath(name)],
    ["a file URL", (_, name) => pathToFileURL(fixturePath(name))],
    ["bytes", (_, name) => fixture(name)],
    ["an ArrayBuffer", (_, name) => new Uint8Array(fixture(name)).buffer],
    ["an HTTP URL", serve],
  ];

for (const [what, sourceOf] of SOURCES)
  test(`${what}: files, listings and the commit`, async (t) => {
    for (const name of ["tiny", "modes"]) {
      const volume = openSync(await sourceOf(t, `${name}.img`));
      const expected = await open(fixturePath(`${name}.img`));
      assert.deepEqual(volume.commit, expected.commit);
      for (const [path, oid] of fixtureBlobs(name)) {
        assert.equal(gitOid("blob", volume.get(path)), oid, path);
        assert.equal(volume.digest(path), oid);
        assert.equal(volume.size(path), await expected.size(path));
        assert.deepEqual(volume.getPartial(path, 1, 3), await expected.getPartial(path, 1, 3));
        assert.equal(volume.text(path), await expected.text(path));
        assert.deepEqual(volume.object(oid), await expected.object(oid));
      }
      assert.deepEqual(volume.list("/"), await expected.list("/"));
      assert.deepEqual(
        volume.list("/", { limit: 2, sizes: true }),
        await expected.list("/", { limit: 2, sizes: true }),
      );
      assert.deepEqual(volume.stat("/"), await expected.stat("/"));
      assert.deepEqual([volume.exists("/"), volume.exists("/nothing")], ["dictionary", null]);
      assert.throws(() => volume.get("/nothing"), { code: "NotFound" });
      assert.throws(() => volume.get("/"), { code: "ValueExpected" });
      volume.close();
      volume.close();
      assert.throws(() => volume.get("/x"), { code: "Closed" });
      await expected.close();
    }
  });

/** Runs code in a thread, which has `openSync`, and gives it an image. */
async function inThread(code: string, image: unknown, port: unknown): Promise<unknown> {
  const script = `
    import { parentPort, workerData } from "node:worker_threads";
    import { openSync } from ${JSON.stringify(pathToFileURL(distPath("src/sync/index.js")).href)};
    const { image } = workerData;
    ${code}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: { image },
    transferList: [port as never],
  });
  const [answer] = await once(worker, "message");
  await worker.terminate();
  return answer;
}

test("a thread reads what this one shares, and waits for each read once", async (t) => {
  const server = await new RangeServer(fixture("tiny.img")).start();
  t.after(() => server.stop());
  const shared = await share(server.url);
  const answer = await inThread(
    `
    let waits = 0;
    const wait = Atomics.wait;
    Atomics.wait = (...args) => (waits++, wait(...args));
    let asked = 0;
    const post = MessagePort.prototype.postMessage;
    image.port.postMessage = function (...args) { asked++; return post.apply(this, args); };
    const volume = openSync(image);
    parentPort.postMessage([volume.text("/a/sibling.txt"), waits - asked]);`,
    shared.image,
    shared.image.port,
  );
  // One wait more asks whether this thread may wait at all.
  assert.deepEqual(answer, ["sibling\n", 1]);
  await shared.close();
});

test("a read that waits ends when the device is closed, and one that fails says why", async (t) => {
  const server = await new RangeServer(fixture("delta.img")).start();
  t.after(() => server.stop());
  const [[path]] = [...fixtureBlobs("delta")] as [[string, string]];
  const code = `
    try { openSync(image).get(${JSON.stringify(path)}); }
    catch (error) { parentPort.postMessage([error.code, error.cause?.code, String(error.cause?.message)]); }`;
  let shared = await share(server.url, { pageSize: 4096 });
  let asked: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  server.behaviour = () => {
    asked();
    return true;
  };
  const closed = inThread(code, shared.image, shared.image.port);
  await waiting;
  await shared.close();
  assert.deepEqual(((await closed) as string[]).slice(0, 2), ["DeviceFailed", "Closed"]);
  server.behaviour = undefined;
  shared = await share(server.url, { pageSize: 4096 });
  server.behaviour = (_request, response) => {
    response.writeHead(403).end();
    return true;
  };
  const failed = (await inThread(code, shared.image, shared.image.port)) as string[];
  assert.equal(failed[0], "DeviceFailed");
  assert.match(failed[2]!, /403/);
  await shared.close();
});

test("what cannot be opened synchronously", async (t) => {
  const server = await SlowServer.start(fixturePath("tiny.img"), 1);
  t.after(() => server.stop());
  assert.throws(
    () => openSync(server.url.replace("disk", "none")),
    (error) => error instanceof DocteurError && /404/.test(error.message),
  );
  assert.throws(() => openSync(fixturePath("none.img")), { code: "Io" });
  assert.throws(() => openSync(new Blob([]) as never), { code: "InvalidArgument", hint: /share\(\)/ });
  const headers = (): Record<string, string> => ({});
  assert.throws(() => openSync(server.url, { headers }), { code: "InvalidArgument" });
  const late: BlockDevice = { blockSize: 512, capacity: 4096, read: () => RESULT.AGAIN };
  assert.throws(() => openSync(late), { code: "InvalidArgument", message: /not synchronous/ });
  const cut = readFileSync(fixturePath("tiny.img")).subarray(0, 1024);
  assert.throws(() => openSync(cut), { code: "Truncated" });
});
