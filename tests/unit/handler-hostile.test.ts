/** `docteur/http` over node:http, and requests that clients should not send: never a status 500, a hang or a file from outside. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createHandler, toNodeListener } from "../../src/http/index.js";
import { type Random, seeded } from "../support/random.js";
import { noise } from "../support/rich-image.js";
import { listen, siteOf, volumeOf } from "../support/site.js";

const LARGE = noise(8_000_000, 3);
const FILES = {
  "index.html": "home",
  "a.txt": "0123456789".repeat(100),
  "a.txt.gz": "packed",
  "dir/index.html": "dir",
  "dir/b c.txt": "b",
  "list/x": "x",
  ".env": "SECRET",
  "large.bin": LARGE,
  out: { link: "../../../etc/passwd" },
};

const PIECES = [
  ...[
    "/",
    "//",
    "\\",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "%00",
    "%",
    "%zz",
    "%c0%af",
    "%ff",
    "\ud83d\ude00",
  ],
  ...[
    "a.txt",
    "dir",
    "list",
    ".env",
    "out",
    "large.bin",
    "b%20c.txt",
    "index.html",
    "?",
    "#",
    ":",
    "@",
    "evil.example",
  ],
  ...[
    "\t",
    " ",
    ";",
    "&",
    "__proto__",
    "constructor",
    "CON",
    "a".repeat(300),
    "%25",
    "+",
    "~",
    "*",
    '"',
    "<",
    "\u202e",
  ],
];

const VALUES = [
  ...[
    "bytes=0-1",
    "bytes=-1",
    "bytes=0-,1-,2-",
    "bytes=9-1",
    "bytes=99999999999999999999-",
    "bytes=",
    "=",
    ",,,,",
  ],
  ...[
    '"x"',
    'W/"x"',
    "*",
    '"',
    'W/"',
    '"a","b",',
    "*, *",
    "\xff\xfe",
    "gzip;q=",
    "gzip;q=1.0001",
    "br;q=0, *;q=0",
  ],
  ...[
    "Fri, 07 Jun 2024 08:09:10 GMT",
    "Sun, 06 Nov 9999 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "0",
    "-1",
  ],
  ...[
    `bytes=${"0-0,".repeat(2000)}`,
    `${'"a",'.repeat(2000)}`,
    `${" ".repeat(4000)}x`,
    `W/${'"'.repeat(4000)}`,
  ],
  ...[
    `${"gzip;q=0.1,".repeat(1000)}`,
    `${",".repeat(8000)}"`,
    `"${"\\".repeat(4000)}`,
    "bytes=1".padEnd(6000, "1"),
  ],
];

const FIELDS = [
  ...["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"],
  ...["accept-encoding", "origin", "access-control-request-method"],
];

function pickFrom<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)]!;
}

const KNOWN = [200, 204, 206, 301, 304, 400, 404, 405, 412, 414, 416];

test("random paths and header fields: an answer of the image's own, and nothing hidden", async () => {
  const { handler, errors } = await siteOf(FILES, { listing: true, cors: ["https://a.example"] });
  const random = seeded(2024);
  const seen = new Set<number>();
  for (let count = 0; count < 6000; count++) {
    const path = Array.from({ length: 1 + random(6) }, () => pickFrom(random, PIECES)).join(
      random(2) === 0 ? "/" : "",
    );
    const fields = new Map<string, string>();
    for (let field = random(4); field > 0; field--)
      fields.set(pickFrom(random, FIELDS), pickFrom(random, VALUES));
    const url = pickFrom(random, ["http://host/", "http://host//", "http://host/dir/", ""]) + path;
    const method = pickFrom(random, ["GET", "GET", "GET", "HEAD", "OPTIONS", "POST"]);
    const request = { method, url, headers: { get: (name: string) => fields.get(name) ?? null } };
    const response = await handler(request);
    const what = JSON.stringify([method, url, [...fields]]).slice(0, 300);
    assert.ok(KNOWN.includes(response.status), `${response.status} ${what}`);
    seen.add(response.status);
    const body = Buffer.from(await response.arrayBuffer());
    assert.ok(!body.includes("SECRET") && !body.includes("root:"), what);
    if (response.status === 301) {
      const to = new URL(response.headers.get("location")!, url);
      assert.equal(to.host, "host", what);
    }
    const length = response.headers.get("content-length");
    if (length !== null && method !== "HEAD") assert.equal(body.length, Number(length), what);
  }
  assert.deepEqual(errors, []);
  assert.ok(seen.size >= 9, [...seen].join());
});

test("the time that a header field takes grows with its length, not its square", async () => {
  // Work cannot be counted in here: a pattern that backtracks would take minutes for these.
  const { handler } = await siteOf(FILES);
  for (const unit of ['"a"', '"', ",", " ", "\t,", 'W/"a" ', "0-0,", "gzip;", "gzip;q=0.5 ", "bytes=", "-"])
    for (const name of FIELDS) {
      const value = unit.repeat(200_000);
      const get = (asked: string): string | null => (asked === name ? value : null);
      const { status } = await handler({ method: "GET", url: "http://host/a.txt", headers: { get } });
      assert.ok([200, 304, 412].includes(status), `${name}: ${unit}`);
    }
});

/** Sends bytes to a server, and gives what comes until the connection ends. */
async function raw(origin: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.end(Buffer.from(text, "latin1"));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

test("request targets as they come over the wire", async (t) => {
  const errors: unknown[] = [];
  const volume = await volumeOf(FILES);
  const handler = createHandler(volume, { onError: (error) => errors.push(error) });
  const origin = await listen(t, toNodeListener(handler));
  const statusOf = async (line: string): Promise<string> => {
    const answer = await raw(origin, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
    const [, location] = /^location: (.*)$/im.exec(answer) ?? [];
    return location === undefined ? status! : `${status} ${location.trim()}`;
  };
  const cases: [string, string][] = [
    ["GET /a.txt", "200"],
    ["GET http://other.example/a.txt", "200"],
    ["GET //evil.example/a.txt", "404"],
    ["GET //dir", "301 ./dir/"],
    ["GET /../../etc/passwd", "404"],
    ["GET /%2e%2e/%2e%2e/etc/passwd", "404"],
    ["GET /..%2f..%2fetc/passwd", "400"],
    ["GET /out", "404"],
    ["GET /.env", "404"],
    ["GET *", "400"],
    ["OPTIONS *", "204"],
    ["GET foo", "400"],
    ["GET mailto:x", "400"],
    ["GET /\xff\xfe", "400"],
    ["GET /a\xe9", "400"],
    [`GET /${"a".repeat(13_000)}`, "414"],
    ["TRACE /a.txt", "405"],
    ["PROPFIND /", "405"],
    ["DELETE /a.txt", "405"],
  ];
  for (const [line, expected] of cases) assert.equal(await statusOf(line), expected, line);
  assert.deepEqual(errors, []);
});

test("a client that reads nothing makes nothing pile up, and one that leaves ends the reading", async (t) => {
  const volume = await volumeOf(FILES);
  let streams = 0;
  let read = 0;
  const counted = {
    commit: volume.commit,
    stat: volume.stat.bind(volume),
    getPartial: volume.getPartial.bind(volume),
    entries: volume.entries.bind(volume),
    stream: (...args: Parameters<typeof volume.stream>) => {
      const reader = volume.stream(...args).getReader();
      streams++;
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              const { value } = await reader.read();
              read += value!.length;
              controller.enqueue(value!);
            } catch (error) {
              streams--;
              throw error;
            }
          },
          cancel(reason) {
            streams--;
            return reader.cancel(reason);
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  const origin = await listen(t, toNodeListener(createHandler(counted)));
  const sockets = Array.from({ length: 20 }, () => connect(Number(new URL(origin).port), "127.0.0.1"));
  for (const socket of sockets) {
    socket.pause();
    socket.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  while (streams < sockets.length) await pause(5);
  // Once nothing more is read, the buffers of the system are full.
  for (let before = -1; before !== read; await pause(50)) before = read;
  assert.ok(read < sockets.length * LARGE.length, String(read));
  for (const socket of sockets) socket.destroy();
  while (streams > 0) await pause(5);
  assert.equal(await (await fetch(`${origin}/dir/`)).text(), "dir");
});

test("content that breaks off does not look whole", async (t) => {
  const volume = await volumeOf(FILES);
  const breaking = {
    commit: volume.commit,
    stat: volume.stat.bind(volume),
    getPartial: volume.getPartial.bind(volume),
    entries: volume.entries.bind(volume),
    stream: () => {
      let count = 0;
      return new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (++count > 2) throw new Error("damaged");
            controller.enqueue(LARGE.subarray(0, 1000));
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  const origin = await listen(t, toNodeListener(createHandler(breaking)));
  const answer = await raw(origin, "GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").catch(
    () => "",
  );
  assert.ok(answer.length < 4000);
  await assert.rejects(async () => (await fetch(`${origin}/large.bin`)).arrayBuffer());
});

test("middleware hands errors of its own to the next one", async () => {
  const error = new Error("of the handler");
  const listener = toNodeListener(() => Promise.reject(error));
  const response = { once: () => undefined, headersSent: false } as never;
  const [given] = await new Promise<unknown[]>((resolve) => {
    listener({ method: "GET", url: "/", headers: {} }, response, (...args) => resolve(args));
  });
  assert.equal(given, error);
});

test("requests over one connection, one after the other", async (t) => {
  const origin = await listen(t, toNodeListener(createHandler(await volumeOf(FILES))));
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  const line = (path: string, method = "GET"): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const last = "GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  socket.write(line("/a.txt", "HEAD") + line("/nope") + line("/") + line("/large.bin") + last);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  const statuses = [
    ...Buffer.concat(chunks)
      .toString("latin1")
      .matchAll(/HTTP\/1\.1 (\d+)/g),
  ];
  assert.deepEqual(
    statuses.map(([, status]) => status),
    ["200", "404", "200", "200", "200"],
  );
});
