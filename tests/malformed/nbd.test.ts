/** NBD servers that lie, stall and hang up: typed errors, no wrong bytes, and a source that works afterwards. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Pieces } from "../../src/devices/nbd/pieces.js";
import { CHUNK } from "../../src/devices/nbd/protocol.js";
import { openNbd } from "../../src/devices/nbd/source.js";
import {
  chunk,
  dataChunk,
  exportInfo,
  type FakeRequest,
  goWith,
  simpleReply,
  startFakeNbdServer,
} from "../support/fake-nbd-server.js";
import { seeded } from "../support/random.js";

const NEVER = new AbortController().signal;
// Each of many reads at once listens to it.
setMaxListeners(0, NEVER);
const CONTENT = Buffer.from(Uint8Array.from({ length: 65_536 }, (_, index) => (index * 31) ^ (index >> 8)));
/** Short, for tests in which it runs out. */
const TIMEOUT = 150;

const broken = { name: "DocteurError", code: "Network", message: /breaks the NBD protocol/ };
const passing = { name: "TransientError" };

const hole = (cookie: bigint, offset: number, length: number, isLast = false): Buffer => {
  const payload = Buffer.alloc(12);
  payload.writeBigInt64BE(BigInt(offset), 0);
  payload.writeUInt32BE(length, 8);
  return chunk(cookie, CHUNK.OFFSET_HOLE, payload, isLast);
};
const dataOf = ({ cookie, offset }: FakeRequest, from: number, to: number, isLast = false): Buffer =>
  dataChunk(cookie, offset + from, CONTENT.subarray(offset + from, offset + to), isLast);
const last = ({ cookie }: FakeRequest): Buffer => chunk(cookie, CHUNK.NONE, Buffer.alloc(0), true);

/** An error chunk. */
const failing = ({ cookie }: FakeRequest, errno: number, text = "", textLen = text.length): Buffer => {
  const payload = Buffer.alloc(6 + text.length);
  payload.writeUInt32BE(errno, 0);
  payload.writeUInt16BE(textLen, 4);
  payload.write(text, 6);
  return chunk(cookie, CHUNK.ERROR, payload, true);
};

const huge = (request: FakeRequest): Buffer => {
  const reply = dataOf(request, 0, 512);
  reply.writeUInt32BE(0xffffffff, 16);
  return reply;
};

/** Answers to a read of bytes 4096 to 8191, and how the read then ends. */
const ANSWERS: [
  what: string,
  answer: (request: FakeRequest) => Buffer[],
  error: object | undefined,
  isSimple?: true,
][] = [
  ["a wrong magic number", () => [Buffer.alloc(20)], broken],
  [
    "a simple reply, where structured ones were agreed on",
    (request) => [simpleReply(request.cookie, 0, CONTENT.subarray(4096, 8192))],
    broken,
  ],
  [
    "a chunk, where simple replies were agreed on",
    (request) => [dataOf(request, 0, 4096, true)],
    broken,
    true,
  ],
  [
    "another cookie",
    (request) => [dataOf({ ...request, cookie: request.cookie + 7n }, 0, 4096, true)],
    broken,
  ],
  [
    "another cookie in a simple reply",
    (request) => [simpleReply(request.cookie + 7n, 0, CONTENT.subarray(4096, 8192))],
    broken,
    true,
  ],
  ["a chunk that is too long", (request) => [dataOf(request, 0, 4097, true)], broken],
  ["a chunk that begins too early", (request) => [dataOf(request, -1, 4096, true)], broken],
  ["a chunk of 4 GB", (request) => [huge(request)], broken],
  ["an empty chunk", (request) => [dataOf(request, 0, 0)], broken],
  ["a chunk twice", (request) => [dataOf(request, 0, 512), dataOf(request, 0, 512)], broken],
  ["overlapping chunks", (request) => [dataOf(request, 0, 1024), dataOf(request, 1023, 4096, true)], broken],
  [
    "a chunk less",
    (request) => [dataOf(request, 0, 1024), dataOf(request, 1025, 4096), last(request)],
    broken,
  ],
  ["nothing but the end", (request) => [last(request)], broken],
  ["an end that is not the last", (request) => [chunk(request.cookie, CHUNK.NONE, Buffer.alloc(0))], broken],
  ["a hole outside", (request) => [hole(request.cookie, 0, 4096, true)], broken],
  ["a hole of 4 GB", (request) => [hole(request.cookie, 4096, 0xffffffff, true)], broken],
  ["a hole of no bytes", (request) => [hole(request.cookie, 4096, 0, true)], broken],
  ["a hole at a negative offset", (request) => [hole(request.cookie, -4096, 4096, true)], broken],
  ["an unknown type", (request) => [chunk(request.cookie, 99, Buffer.alloc(9), true)], broken],
  ["an error whose text is too long", (request) => [failing(request, 5, "bad", 400)], broken],
  ["an error that is cut", (request) => [chunk(request.cookie, CHUNK.ERROR, Buffer.alloc(5), true)], broken],
  ["an error chunk without an error", (request) => [failing(request, 0)], broken],
  ["EIO", (request) => [failing(request, 5, "disk on fire")], { ...passing, message: /disk on fire/ }],
  ["EPERM", (request) => [failing(request, 1)], { name: "DocteurError", code: "Io", message: /EPERM/ }],
  [
    "an errno that nobody knows",
    (request) => [failing(request, 4711)],
    { code: "Io", message: /error 4711/ },
  ],
  ["an error after the content", (request) => [dataOf(request, 0, 4096), failing(request, 5)], passing],
  [
    "an error in a simple reply",
    (request) => [simpleReply(request.cookie, 22, Buffer.alloc(0))],
    { code: "Io", message: /EINVAL/ },
    true,
  ],
  [
    "chunks in any order, and holes",
    (request) => [
      dataOf(request, 3000, 4096),
      dataOf(request, 1, 3000),
      dataOf(request, 0, 1),
      last(request),
    ],
    undefined,
  ],
];

for (const [what, answer, error, isSimple] of ANSWERS)
  test(`a read that is answered with ${what}: ${error === undefined ? "its bytes" : "a typed error"}`, async (t) => {
    const server = await startFakeNbdServer(t, {
      content: CONTENT,
      isStructured: !isSimple,
      onRequest: (request, socket, count) => {
        if (count > 1 || request.command !== 0) return false;
        for (const part of answer(request)) socket.write(part);
        return true;
      },
    });
    const source = await openNbd(new URL(server.url));
    const read = source.read(4096, 4096, NEVER);
    if (error === undefined) assert.deepEqual(Buffer.from(await read), CONTENT.subarray(4096, 8192));
    else await assert.rejects(read, error);
    // By another connection, where this one is not to be trusted.
    assert.deepEqual(Buffer.from(await source.read(8192, 512, NEVER)), CONTENT.subarray(8192, 8704));
    assert.equal(server.connections, error === broken ? 2 : 1);
    await source.close?.();
  });

test("a hole is zeros, whatever was there before", async (t) => {
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    isStructured: true,
    onRequest: (request, socket) =>
      socket.write(hole(request.cookie, request.offset, request.length, true)) || true,
  });
  const source = await openNbd(new URL(server.url));
  assert.ok((await source.read(512, 1024, NEVER)).every((byte) => byte === 0));
  await source.close?.();
});

test("a server that never answers a read, and one whose answer drips, run into the time-out", async (t) => {
  for (const drips of [false, true]) {
    const timers: NodeJS.Timeout[] = [];
    t.after(() => timers.map(clearInterval));
    const server = await startFakeNbdServer(t, {
      content: CONTENT,
      isStructured: true,
      onRequest: (request, socket, count) => {
        if (count > 1) return false;
        const reply = dataOf(request, 0, 4096, true);
        let at = 0;
        if (drips) timers.push(setInterval(() => socket.write(reply.subarray(at, ++at)), 10));
        return true;
      },
    });
    const source = await openNbd(new URL(server.url), { timeout: TIMEOUT, retries: 0 });
    const message = drips ? /no whole answer within/ : /no answer within/;
    await assert.rejects(source.read(0, 4096, NEVER), { ...passing, message });
    await source.read(0, 4096, NEVER);
    await source.close?.();
  }
});

test("a connection that is cut is made again, once for all reads that need it", async (t) => {
  let cut = 1;
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    isStructured: true,
    onRequest: (request, socket) => {
      if (cut === 0) return false;
      socket.write(dataOf(request, 0, 100).subarray(0, 50));
      socket.end();
      return true;
    },
  });
  const source = await openNbd(new URL(server.url));
  const readsOf = (): Promise<Uint8Array>[] =>
    [0, 512, 1024].map((offset) => source.read(offset, 512, NEVER));
  for (const result of await Promise.allSettled(readsOf()))
    assert.equal(result.status === "rejected" && result.reason.name, "TransientError");
  cut = 0;
  assert.deepEqual(Buffer.concat(await Promise.all(readsOf())), CONTENT.subarray(0, 1536));
  assert.equal(server.connections, 2);
  await source.close?.();
});

test("an export of another size after a cut is refused", async (t) => {
  let size = 65_536n;
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    onOption: (option, data, socket) => goWith(exportInfo(size))(option, data, socket),
    onRequest: (_, socket) => socket.destroy() !== undefined,
  });
  const source = await openNbd(new URL(server.url));
  await assert.rejects(source.read(0, 512, NEVER), passing);
  size = 65_024n;
  await assert.rejects(source.read(0, 512, NEVER), {
    code: "ImageChanged",
    message: /65024 bytes, not 65536/,
  });
  await source.close?.();
});

test("many reads at once: 16 requests are under way, the others wait, and each gets its own bytes", async (t) => {
  let open: (() => void)[] = [];
  let most = 0;
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    isStructured: true,
    onRequest: (request, socket) => {
      if (request.command !== 0) return false;
      open.push(() => socket.write(dataOf(request, 0, request.length, true)));
      most = Math.max(most, open.length);
      setImmediate(() => {
        // Those that came last are answered first.
        for (const answer of open.reverse()) answer();
        open = [];
      });
      return true;
    },
  });
  const source = await openNbd(new URL(server.url));
  const random = seeded(3);
  const reads = Array.from({ length: 100 }, async () => {
    const offset = random(60_000);
    const bytes = await source.read(offset, 5000, NEVER);
    assert.deepEqual(Buffer.from(bytes), CONTENT.subarray(offset, offset + 5000));
  });
  await Promise.all(reads);
  assert.ok(most <= 16, String(most));
  assert.equal(server.requests.length, 100);
  await source.close?.();
});

test("a read that is aborted ends at once, and others go on", async (t) => {
  const waiting: (() => void)[] = [];
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    isStructured: true,
    onRequest: (request, socket, count) => {
      if (count > 17) return false;
      waiting.push(() => socket.write(dataOf(request, 0, request.length, true)));
      return true;
    },
  });
  const source = await openNbd(new URL(server.url));
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const aborted = Array.from({ length: 40 }, () => source.read(0, 512, controller.signal));
  const other = source.read(512, 512, NEVER);
  while (waiting.length < 16) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error("enough"));
  for (const result of await Promise.allSettled(aborted))
    assert.equal(result.status === "rejected" && result.reason.message, "enough");
  await assert.rejects(source.read(0, 512, controller.signal), { message: "enough" });
  // The requests that were sent hold their places until they are answered.
  assert.equal(server.requests.length, 16);
  for (const answer of waiting.splice(0)) answer();
  while (waiting.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const answer of waiting.splice(0)) answer();
  assert.deepEqual(Buffer.from(await other), CONTENT.subarray(512, 1024));
  assert.equal(server.requests.length, 17);
  assert.deepEqual(Buffer.from(await source.read(0, 512, NEVER)), CONTENT.subarray(0, 512));
  await source.close?.();
});

test("closing says so to the server, ends the reads under way, and later ones", async (t) => {
  const server = await startFakeNbdServer(t, { content: CONTENT, onRequest: () => true });
  const source = await openNbd(new URL(server.url));
  const read = assert.rejects(source.read(0, 512, NEVER), { code: "Closed" });
  await new Promise((resolve) => setImmediate(resolve));
  await source.close?.();
  await source.close?.();
  await read;
  await assert.rejects(source.read(0, 512, NEVER), { code: "Closed" });
  while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(server.requests.at(-1)!.command, 2);
});

test("replies with random faults in their heads and their order: every read is right or an error", async (t) => {
  const seed = Number(process.env.DOCTEUR_TEST_SEED ?? 14);
  const random = seeded(seed);
  const rounds = process.env.DOCTEUR_TEST_EXHAUSTIVE ? 5_000 : 150;
  /** The head of a chunk: its magic number, flags, type, cookie and length, and the offset of content. */
  const HEAD = 28;
  let faults = 0;
  const disturb = (parts: Buffer[], socket: Socket): void => {
    const at = random(parts.length);
    const part = parts[at]!;
    faults++;
    const kind = random(6);
    if (kind === 0) part[random(Math.min(HEAD, part.length))]! ^= 1 << random(8);
    else if (kind === 1) parts.splice(at, 1);
    else if (kind === 2) parts.splice(random(parts.length), 0, part);
    else if (kind === 3) parts[at] = part.subarray(0, random(part.length));
    else if (kind === 4)
      parts.splice(at, 0, Buffer.from(Uint8Array.from({ length: random(64) }, () => random(256))));
    else setImmediate(() => socket.destroy());
  };
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    isStructured: true,
    onRequest: (request, socket) => {
      if (request.command !== 0) return false;
      const cuts = [0, random(request.length + 1), random(request.length + 1), request.length].sort(
        (a, b) => a - b,
      );
      const parts = cuts
        .slice(1)
        .flatMap((end, index) => (cuts[index]! < end ? [dataOf(request, cuts[index]!, end)] : []));
      parts.sort(() => random(3) - 1);
      parts.push(last(request));
      if (random(8) === 0) disturb(parts, socket);
      socket.write(Buffer.concat(parts));
      return true;
    },
  });
  const source = await openNbd(new URL(server.url), { timeout: TIMEOUT });
  let right = 0;
  for (let round = 0; round < rounds; round++) {
    const reads = Array.from({ length: 6 }, async () => {
      const offset = random(60_000);
      const length = 1 + random(5000);
      const bytes = await source.read(offset, length, NEVER).catch((error: Error & { code?: string }) => {
        assert.ok(
          error.name === "TransientError" || error.code === "Network",
          `seed ${seed}: ${error.stack}`,
        );
        return undefined;
      });
      if (bytes === undefined) return;
      right++;
      assert.ok(CONTENT.subarray(offset, offset + length).equals(bytes), `seed ${seed}, round ${round}`);
    });
    await Promise.all(reads);
  }
  t.diagnostic(`${right} of ${6 * rounds} reads right, ${faults} faults, ${server.connections} connections`);
  assert.ok(right > 2 * rounds && server.connections > rounds / 4);
  await source.close?.();
});

test("parts of a read are counted right, against a map of its bytes", () => {
  const random = seeded(8);
  for (let round = 0; round < 3000; round++) {
    const length = 1 + random(40);
    const pieces = new Pieces(length);
    const seen = new Set<number>();
    for (let step = 0; step < 60; step++) {
      const [start, count] = [random(length + 4) - 2, random(6)];
      const bytes = Array.from({ length: count }, (_, index) => start + index);
      const fits = count > 0 && bytes.every((at) => at >= 0 && at < length && !seen.has(at));
      if (!fits) {
        assert.equal(pieces.add(start, count), false);
        continue;
      }
      assert.equal(pieces.add(start, count), true);
      for (const at of bytes) seen.add(at);
      assert.equal(pieces.isWhole, seen.size === length);
    }
  }
  const scattered = new Pieces(1 << 20);
  let parts = 0;
  while (scattered.add(parts * 2, 1)) parts++;
  assert.equal(parts, 1024);
});
