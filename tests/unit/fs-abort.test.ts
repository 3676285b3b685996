/** `docteur/fs` over a device that answers late: reads are aborted while they wait, and leave nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFs } from "../../src/fs/index.js";
import { open, type RangeSource } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { noise } from "../support/rich-image.js";

const LARGE = new Uint8Array(noise(3 << 20, 7));
const { image: IMAGE } = await makeImage({ large: LARGE, small: noise(100_000, 8) });

/** A source that can be held back: reads then wait until it is let go. */
class LateSource implements RangeSource {
  readonly size = IMAGE.length;
  #gate: { promise: Promise<void>; release: () => void } | undefined;
  #asked: () => void = () => undefined;

  hold(): void {
    let release = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#gate = { promise, release };
  }

  release(): void {
    this.#gate?.release();
    this.#gate = undefined;
  }

  /** Resolves when a read waits. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.#gate !== undefined) {
      this.#asked();
      await this.#gate.promise;
    }
    return IMAGE.slice(offset, offset + length);
  }
}

async function start() {
  const source = new LateSource();
  // No page is kept, so that every read asks the source.
  const volume = await open(source, { cacheSize: 0 });
  const fs = createFs(volume);
  return { source, volume, fs };
}

const isAbort = (error: Error & { code: string }): boolean => {
  assert.deepEqual([error.name, error.code], ["AbortError", "ABORT_ERR"]);
  assert.equal((error.cause as Error).message, "enough");
  return true;
};

test("readFile, by promise and by callback", async () => {
  const { source, volume, fs } = await start();
  const ways: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    promise: (signal) => fs.promises.readFile("/large", { signal }),
    callback: (signal) =>
      new Promise((resolve, reject) =>
        fs.readFile("/large", { signal }, (error, bytes) => (error ? reject(error) : resolve(bytes))),
      ),
    handle: async (signal) => {
      source.release();
      await using handle = await fs.promises.open("/large");
      source.hold();
      const reading = handle.readFile({ signal });
      return await reading;
    },
  };
  for (const [name, read] of Object.entries(ways)) {
    const control = new AbortController();
    source.hold();
    const asked = source.asked();
    const reading = read(control.signal);
    await asked;
    control.abort(new Error("enough"));
    await assert.rejects(reading, isAbort, name);
    source.release();
    assert.deepEqual(new Uint8Array(await fs.promises.readFile("/large")), LARGE, name);
  }
  await volume.close();
});

test("of two readers, only the one that is aborted ends", async () => {
  const { source, volume, fs } = await start();
  const control = new AbortController();
  source.hold();
  const asked = source.asked();
  const ended = fs.promises.readFile("/large", { signal: control.signal });
  const other = fs.promises.readFile("/large");
  await asked;
  control.abort(new Error("enough"));
  await assert.rejects(ended, isAbort);
  source.release();
  assert.deepEqual(new Uint8Array(await other), LARGE);
  await volume.close();
});

test("createReadStream", async () => {
  const { source, volume, fs } = await start();
  const control = new AbortController();
  const stream = fs.createReadStream("/large", { signal: control.signal });
  const closed = new Promise((resolve) => stream.once("close", resolve));
  const take = async (): Promise<void> => {
    let count = 0;
    for await (const _ of stream) {
      if (++count !== 3) continue;
      source.hold();
      const asked = source.asked();
      void asked.then(() => control.abort(new Error("enough")));
    }
  };
  await assert.rejects(take(), isAbort);
  // The stream closes its file when the read that waits has ended.
  source.release();
  await closed;
  assert.deepEqual(new Uint8Array(await fs.promises.readFile("/large")), LARGE);
  await volume.close();
});

test("a handle that is closed while it reads", async () => {
  const { source, volume, fs } = await start();
  const handle = await fs.promises.open("/large");
  source.hold();
  const asked = source.asked();
  const reading = handle.read(new Uint8Array(1000), 0, 1000, 500_000);
  await asked;
  let isClosed = false;
  const closing = handle.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  // As Node has it: the file is closed when the read is done.
  assert.equal(isClosed, false);
  assert.ok((await handle.stat()).isFile());
  source.release();
  const { bytesRead, buffer } = await reading;
  assert.equal(bytesRead, 1000);
  assert.deepEqual(buffer, LARGE.slice(500_000, 501_000));
  await closing;
  await volume.close();
});

test("readableWebStream, cancelled and by the signal of a pipe", async () => {
  const { source, volume, fs } = await start();
  {
    await using handle = await fs.promises.open("/large");
    const reader = handle.readableWebStream().getReader();
    assert.equal((await reader.read()).done, false);
    source.hold();
    const asked = source.asked();
    const reads = (async () => {
      for (;;) if ((await reader.read()).done) return "done";
    })();
    await asked;
    await reader.cancel(new Error("enough"));
    assert.equal(await reads, "done");
    source.release();
  }
  await using handle = await fs.promises.open("/large");
  const control = new AbortController();
  source.hold();
  const asked = source.asked();
  const piping = handle.readableWebStream().pipeTo(new WritableStream(), { signal: control.signal });
  await asked;
  control.abort(new Error("enough"));
  source.release();
  await assert.rejects(piping, { message: "enough" });
  await volume.close().catch(() => undefined);
});
