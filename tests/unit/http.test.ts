/** Files over HTTP: the contract over a sound server, and what opening them ends with at servers that are not. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openHttp } from "../../src/devices/http.js";
import { type DocteurError, open, type RangeSource } from "../../src/index.js";
import { sourceContract } from "../contract/sources.js";
import { answering, IMAGE, RICH, readAll, refusal, status } from "../support/http-answers.js";
import { ManualClock } from "../support/manual-clock.js";
import { type Behaviour, RangeServer, rangeOf, startServer } from "../support/range-server.js";
import { richImage } from "../support/rich-image.js";

const servers: RangeServer[] = [];
after(() => {
  for (const server of servers) server.stop();
});

async function sourceOver(bytes: Uint8Array): Promise<RangeSource> {
  const server = await new RangeServer(bytes).start();
  servers.push(server);
  return openHttp(new URL(server.url), { pageSize: 4096 });
}

sourceContract("http", sourceOver);
test("a file is opened in one round trip: its head and its tail are asked for at once", async (t) => {
  const server = await startServer(t, IMAGE);
  const source = await openHttp(new URL(server.url));
  assert.deepEqual([...server.ranges].sort(), ["bytes=-131072", "bytes=0-65535"]);
  assert.equal(source.size, IMAGE.length);
  assert.deepEqual(
    source.prefetched!.map(({ offset, bytes }) => [offset, bytes.length]),
    [
      [0, 65536],
      [IMAGE.length - 131072, 131072],
    ],
  );
});

test("an image is read by its URL, as a string and as a URL, and says what it cost", async (t) => {
  const server = await startServer(t, IMAGE);
  await readAll(server.url, RICH);
  await readAll(new URL(server.url), RICH);
  const volume = await open(server.url);
  const before = server.seen.length;
  const { remote } = volume.stats();
  assert.equal(remote!.requests, 2);
  assert.equal(remote!.roundTrips, 1);
  await volume.get("/large/whole");
  const { remote: then } = volume.stats();
  assert.equal(then!.requests, 2 + server.seen.length - before);
  assert.ok(then!.bytes <= IMAGE.length + 3 * 65536);
  assert.equal(then!.retries, 0);
  await volume.close();
});

test("nothing is fetched twice, whatever is read, and how often", async (t) => {
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096 });
  for (let round = 0; round < 3; round++) for (const [path] of RICH.files) await volume.get(path);
  await volume.close();
  const fetched = new Set<number>();
  for (const range of server.ranges.slice(2)) {
    const { first, end } = rangeOf(range, IMAGE.length)!;
    for (let page = first / 4096; page < end / 4096; page++) {
      assert.ok(!fetched.has(page), `page ${page}`);
      fetched.add(page);
    }
  }
  assert.ok(fetched.size > 10);
});

test("small images come with their opening", async (t) => {
  const small = richImage(100, 2);
  const server = await startServer(t, small.image);
  await readAll(server.url, small);
  assert.equal(server.seen.length, 2);
});

for (const [code, kind, message] of [
  [401, "AccessDenied", /the server asks for credentials \(401\)$/],
  [403, "AccessDenied", /the server refuses access \(403\)$/],
  [404, "Io", /there is no such file \(404\)$/],
  [410, "Io", /there is no such file \(410\)$/],
  [418, "Io", /the server answers 418$/],
  [501, "Io", /the server answers 501$/],
] as const)
  test(`${code} is told at once`, async (t) => {
    const { error, server } = await refusal(t, status(code));
    assert.equal(error.code, kind);
    assert.match(error.message, message);
    assert.ok(server.seen.length <= 2);
  });

test("a port that fetch does not connect to is refused at once", async () => {
  await assert.rejects(open("http://127.0.0.1:1/disk.img"), {
    code: "Network",
    message: "http://127.0.0.1:1/disk.img: fetch does not connect to this port",
  });
});

test("an empty file is refused", async (t) => {
  const server = await startServer(t, new Uint8Array(0));
  await assert.rejects(open(server.url), { code: "Truncated", message: /the file is empty \(416\)$/ });
});

test("a file that is not whole blocks is refused, and its source closed", async (t) => {
  const server = await startServer(t, new Uint8Array(1000));
  await assert.rejects(open(server.url), { code: "Truncated", message: /1000 bytes long/ });
});

for (const code of [408, 425, 429, 500, 502, 503, 504])
  test(`${code} is tried again, a few times`, async (t) => {
    const { error, server } = await refusal(t, status(code));
    assert.equal(error.code, "Network");
    assert.match(error.message, new RegExp(`the server answers ${code} \\(after 4 tries\\)$`));
    assert.ok(server.seen.length <= 8 && server.seen.length >= 4);
  });

test("a server that recovers is no error", async (t) => {
  const server = await startServer(t, IMAGE);
  const clock = new ManualClock({ isEager: true });
  let count = 0;
  server.behaviour = (request, response) =>
    request.headers.range!.startsWith("bytes=0-") && count++ < 3
      ? status(503, { "retry-after": "7" })(request, response, server)
      : false;
  const source = await openHttp(new URL(server.url), {}, clock);
  assert.equal(source.size, IMAGE.length);
  assert.equal(count, 4);
  assert.deepEqual(
    clock.pauses.filter((pause) => pause === 7000),
    [7000, 7000, 7000],
  );
});

test("a date is taken for Retry-After, and a pause that is too long ends the tries", async (t) => {
  const soon = new Date(Date.now() + 15_000).toUTCString();
  const { server } = await refusal(t, status(503, { "retry-after": soon }));
  assert.ok(server.seen.length >= 4);
  const later = await refusal(t, status(503, { "retry-after": "86400" }));
  assert.ok(later.server.seen.length <= 2);
  assert.equal(later.error.hint, "the server asks to try again after 86400 seconds");
});

test("a host that does not exist, and a port where nobody listens", async (t) => {
  const clock = new ManualClock({ isEager: true });
  await assert.rejects(openHttp(new URL("http://nowhere.invalid/a"), {}, clock), {
    code: "Network",
    message: /^http:\/\/nowhere\.invalid\/a: /,
  });
  const server = await startServer(t, IMAGE);
  const { url } = server;
  server.stop();
  await assert.rejects(openHttp(new URL(url), {}, clock), (error: DocteurError) => {
    assert.equal(error.code, "Network");
    assert.match(error.message, /ECONNREFUSED.*\(after 4 tries\)$/);
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

const WRONG_ANSWERS: Record<string, [Behaviour, RegExp]> = {
  "a range without Content-Range": [
    answering(({ headers }) => delete headers["content-range"]),
    /a range without Content-Range$/,
  ],
  "a malformed Content-Range": [
    answering(({ headers }) => Object.assign(headers, { "content-range": "bytes 0-9" })),
    /a malformed Content-Range$/,
  ],
  "a Content-Range that contradicts itself": [
    answering(({ headers }) => Object.assign(headers, { "content-range": "bytes 0-65535/1000" })),
    /a malformed Content-Range$/,
  ],
  "another range": [
    answering(({ headers }) => Object.assign(headers, { "content-range": "bytes 512-66047/1000000" })),
    /another range than the one that it was asked for$/,
  ],
  "a part of the range": [
    answering((answer) => {
      answer.headers["content-range"] = `bytes 0-99/${IMAGE.length}`;
      answer.body = answer.body.subarray(0, 100);
    }),
    /another range than the one that it was asked for$/,
  ],
  "an unknown size": [
    answering(({ headers }) => Object.assign(headers, { "content-range": "bytes 0-65535/*" })),
    /does not tell the file's size/,
  ],
  "a compressed range": [
    answering((answer) => {
      answer.headers["content-encoding"] = "gzip";
      answer.body = gzipSync(answer.body);
    }),
    /compresses the image on its way/,
  ],
  "more than it announces": [
    answering((answer) => {
      answer.body = Buffer.concat([answer.body, answer.body]);
    }),
    /more than the 65536 bytes that it announces$/,
  ],
  "several ranges at once": [
    answering(({ headers }) => {
      delete headers["content-range"];
      headers["content-type"] = "multipart/byteranges; boundary=x";
    }),
    /a range without Content-Range$/,
  ],
};

for (const [name, [behaviour, message]] of Object.entries(WRONG_ANSWERS))
  test(`a server that answers with ${name} is refused at once`, async (t) => {
    const { error, server } = await refusal(t, behaviour);
    assert.equal(error.code, "Io");
    assert.match(error.message, message);
    assert.ok(server.seen.length <= 2);
  });

test("such answers are refused after the opening, too, and none of their bytes is taken", async (t) => {
  const server = await startServer(t, IMAGE);
  const source = await openHttp(new URL(server.url), { pageSize: 4096 });
  const { signal } = new AbortController();
  for (const [name, [behaviour]] of Object.entries(WRONG_ANSWERS)) {
    // Of the whole, the server need not know the size.
    if (name === "an unknown size") continue;
    server.behaviour = behaviour;
    await assert.rejects(source.read(8192, 65536, signal), { name: "DocteurError" }, name);
  }
  server.behaviour = answering((answer) => {
    answer.body = answer.body.subarray(1);
  });
  await assert.rejects(source.read(8192, 65536, signal), {
    name: "TransientError",
    message: "the connection ended after 65535 of 65536 bytes",
  });
  server.behaviour = answering(({ headers }) => {
    headers["content-range"] = `bytes 0-65535/${IMAGE.length}`;
  });
  await assert.rejects(source.read(8192, 65536, signal), {
    code: "Io",
    message: /another range than the one that it was asked for$/,
  });
});

test("a server without ranges is refused with a hint, or its file taken whole where that is asked for", async (t) => {
  const whole: Behaviour = (_, response, { content }) => {
    response.writeHead(200, { "content-length": content.length }).end(content);
    return true;
  };
  const { error } = await refusal(t, whole);
  assert.match(error.message, /the server does not support ranges: it sends the whole file$/);
  assert.match(error.hint!, /maxDownload/);
  const small = await refusal(t, whole, { maxDownload: IMAGE.length - 1 });
  assert.match(small.error.message, /does not support ranges/);
  const server = await startServer(t, IMAGE);
  server.behaviour = whole;
  await readAll(server.url, RICH, { maxDownload: IMAGE.length });
  // Nor is a length needed, or one that counts compressed bytes.
  server.behaviour = (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(IMAGE));
    return true;
  };
  await readAll(server.url, RICH, { maxDownload: IMAGE.length });
  await assert.rejects(open(server.url, { maxDownload: IMAGE.length - 1 }), /does not support ranges/);
});

test("a file of one page is taken from a server without ranges", async (t) => {
  const small = richImage(100, 2);
  assert.ok(small.image.length <= 65536);
  const server = await startServer(t, small.image);
  server.behaviour = (_, response) => {
    response.writeHead(200).end(small.image);
    return true;
  };
  await readAll(server.url, small);
});

test("a server that does not know ranges from the end is well enough", async (t) => {
  for (const code of [200, 400, 416, 501]) {
    const server = await startServer(t, IMAGE);
    server.behaviour = (request, response) =>
      request.headers.range!.startsWith("bytes=-") ? status(code)(request, response, server) : false;
    await readAll(server.url, RICH);
  }
});

test("bodies that break off are asked for again, and are never taken for whole", async (t) => {
  const server = await startServer(t, IMAGE);
  const asked = new Set<string>();
  // The first answer to each range ends early: half of them with the connection, half as if they were complete.
  server.behaviour = (request, response, { content }) => {
    const range = request.headers.range!;
    const { first, end } = rangeOf(range, content.length)!;
    if (asked.has(range)) return false;
    asked.add(range);
    const headers: Record<string, string | number> = {
      etag: '"v1"',
      "last-modified": server.lastModified!,
      "content-range": `bytes ${first}-${end - 1}/${content.length}`,
    };
    const isReset = asked.size % 2 === 0;
    if (isReset) headers["content-length"] = end - first;
    response.writeHead(206, headers);
    response.write(content.subarray(first, first + ((end - first) >> 1)), () => {
      if (isReset) response.destroy();
      else response.end();
    });
    return true;
  };
  await readAll(server.url, RICH, { concurrency: 1 });
  assert.ok(asked.size >= 4);
  assert.ok(server.seen.length >= 2 * asked.size - 1);
});

test("a server that never answers is given up, and so is one that never ends", async (t) => {
  const never: Behaviour = () => true;
  const stalls: Behaviour = (_, response) => {
    response.writeHead(206, { "content-range": `bytes 0-65535/${IMAGE.length}`, "content-length": 65536 });
    response.write("x");
    return true;
  };
  for (const behaviour of [never, stalls]) {
    const server = await startServer(t, IMAGE);
    server.behaviour = behaviour;
    const clock = new ManualClock();
    const opening = assert.rejects(openHttp(new URL(server.url), {}, clock), {
      code: "Network",
      message: /no complete answer within [0-9]+ ms \(after 4 tries\)$/,
    });
    await clock.runUntil(opening);
    assert.ok(clock.now() < 150_000);
  }
});

test("a signal ends an opening", async (t) => {
  const server = await startServer(t, IMAGE);
  server.behaviour = () => true;
  const controller = new AbortController();
  const opening = open(server.url, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(opening, /^Error: enough$/);
});
