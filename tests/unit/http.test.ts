/** Files over HTTP: the contract over a sound server, and what comes of servers that are not. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openHttp } from "../../src/devices/http.js";
import { type DocteurError, type OpenOptions, open, type RangeSource } from "../../src/index.js";
import { sourceContract } from "../contract/sources.js";
import { ManualClock } from "../support/manual-clock.js";
import { type Behaviour, RangeServer, rangeOf, startServer } from "../support/range-server.js";
import { type RichImage, richImage } from "../support/rich-image.js";

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

const RICH = richImage(300_000);
const IMAGE = RICH.image;

async function readAll(url: string | URL, { files }: RichImage, options?: OpenOptions): Promise<void> {
  const volume = await open(url, options);
  for (const [path, content] of files) assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
  await volume.close();
}

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

/** What opening a file ends with. */
async function refusal(
  t: { after(end: () => void): void },
  behaviour: Behaviour,
  options: OpenOptions = {},
): Promise<{ error: DocteurError; server: RangeServer }> {
  const server = await startServer(t, IMAGE);
  server.behaviour = behaviour;
  const clock = new ManualClock({ isEager: true });
  const error = await openHttp(new URL(server.url), options, clock).then(
    () => assert.fail("it opens"),
    (caught: DocteurError) => caught,
  );
  assert.equal(error.name, "DocteurError");
  assert.equal(error.url, server.url);
  assert.ok(error.message.startsWith(`${server.url}: `), error.message);
  return { error, server };
}

const status =
  (code: number, headers: Record<string, string> = {}): Behaviour =>
  (_, response) => {
    response.writeHead(code, headers).end("what the server says");
    return true;
  };

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

/** Answers a range with what `change` makes of the right answer. */
function answering(
  change: (answer: { status: number; headers: Record<string, string>; body: Uint8Array }) => void,
  isFor: (request: IncomingMessage) => boolean = () => true,
): Behaviour {
  return (request: IncomingMessage, response: ServerResponse, server) => {
    const range = rangeOf(request.headers.range, server.content.length);
    if (range === undefined || !isFor(request)) return false;
    const { first, end } = range;
    const place = `bytes ${first}-${end - 1}/${server.content.length}`;
    const answer = {
      status: 206,
      headers: { etag: server.etag ?? "", "content-range": place },
      body: server.content.subarray(first, end),
    };
    change(answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
    return true;
  };
}

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

/** Opens an image, lets something happen, and says what a read that needs more of it ends with. */
async function afterwards(
  t: { after(end: () => void): void },
  happen: (server: RangeServer) => void,
): Promise<DocteurError> {
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096, retries: 0 });
  happen(server);
  const error = await volume.get("/large/whole").then(
    () => assert.fail("it reads"),
    (caught: DocteurError) => caught,
  );
  assert.equal(error.name, "DocteurError");
  assert.equal(error.url, server.url);
  assert.equal(error.path, "/large/whole");
  await volume.close();
  return error;
}

const CHANGES: Record<string, (server: RangeServer) => void> = {
  "another ETag": (server) => {
    server.etag = '"v2"';
  },
  "another ETag, at a server that does not look at If-Match": (server) => {
    server.etag = '"v2"';
    server.behaviour = answering(() => undefined);
  },
  "no ETag": (server) => {
    server.behaviour = answering(({ headers }) => delete headers.etag);
  },
  "another length": (server) => {
    server.content = Buffer.concat([IMAGE, new Uint8Array(512)]);
  },
  "a shorter file": (server) => {
    server.content = IMAGE.subarray(0, 512);
  },
  "another file, whole": (server) => {
    server.behaviour = (_, response) => {
      response.writeHead(200, { etag: '"v2"', "content-length": IMAGE.length }).end(IMAGE);
      return true;
    };
  },
};

for (const [name, change] of Object.entries(CHANGES))
  test(`a file that has changed midway is ImageChanged: ${name}`, async (t) => {
    const error = await afterwards(t, change);
    assert.equal(error.code, "ImageChanged");
    assert.equal(error.hint, "open it again: volume.reopen()");
    assert.match(error.message, /the image has changed since it was opened: /);
  });

test("without a strong ETag, the date tells versions apart", async (t) => {
  for (const etag of [undefined, 'W/"v1"']) {
    const server = await startServer(t, IMAGE);
    server.etag = etag;
    const volume = await open(server.url, { pageSize: 4096 });
    await volume.get("/docs/text");
    server.lastModified = "Mon, 01 Jan 2024 00:00:01 GMT";
    await assert.rejects(volume.get("/large/whole"), { code: "ImageChanged" });
    assert.ok(server.seen.every(({ headers }) => headers["if-match"] === undefined));
    await volume.close();
  }
});

test("a changed image is read anew by reopen, and no bytes of two versions are mixed", async (t) => {
  const other = richImage(310_000);
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096 });
  const text = await volume.get("/docs/text");
  server.content = other.image;
  server.etag = '"v2"';
  await assert.rejects(volume.get("/large/whole"), { code: "ImageChanged" });
  // What is here is of the version that was opened.
  assert.deepEqual(await volume.get("/docs/text"), text);
  const renewed = await volume.reopen();
  assert.equal(renewed.commit.oid, other.commit);
  for (const [path, content] of other.files)
    assert.deepEqual(Buffer.from(await renewed.get(path)), content, path);
  await assert.rejects(volume.get("/docs/text"), { code: "Closed" });
  // A failure to open leaves the volume as it is.
  server.behaviour = status(404);
  await assert.rejects(renewed.reopen(), { code: "Io" });
  await renewed.get("/docs/text");
  await renewed.close();
});

test("a file that changes while it is opened is opened again", async (t) => {
  const server = await startServer(t, IMAGE);
  let count = 0;
  server.behaviour = answering(
    ({ headers }) => Object.assign(headers, { etag: '"v0"' }),
    () => count++ < 1,
  );
  const source = await openHttp(new URL(server.url), {}, new ManualClock({ isEager: true }));
  assert.equal(source.size, IMAGE.length);
  assert.equal(server.seen.length, 4);
});

test("a failed server leaves the volume usable", async (t) => {
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096, retries: 0 });
  for (const behaviour of [
    status(500),
    status(403),
    status(404),
    answering(({ headers }) => delete headers.etag),
  ]) {
    server.behaviour = behaviour;
    await assert.rejects(volume.get("/large/whole"), (error: DocteurError) => {
      assert.ok(["DeviceFailed", "ImageChanged"].includes(error.code));
      assert.equal(error.url, server.url);
      return true;
    });
  }
  server.behaviour = undefined;
  for (const [path, content] of RICH.files)
    assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
  await volume.close();
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

test("headers are sent with every request, and a function gives them anew", async (t) => {
  const server = await startServer(t, IMAGE);
  await readAll(server.url, RICH, { headers: { authorization: "Bearer secret" }, pageSize: 4096 });
  assert.ok(server.seen.length > 5);
  assert.ok(server.seen.every(({ headers }) => headers.authorization === "Bearer secret"));
  let count = 0;
  const headers = async (url: URL) => ({ "x-count": `${url.pathname} ${count++}` });
  server.seen.length = 0;
  await readAll(server.url, RICH, { headers, pageSize: 4096 });
  assert.deepEqual(
    server.seen.map((request) => request.headers["x-count"]).sort(),
    server.seen.map((_, index) => `/disk.img ${index}`).sort(),
  );
});

test("a user and a password in the URL are sent as such, and shown nowhere", async (t) => {
  const server = await startServer(t, IMAGE);
  const url = new URL(server.url);
  url.username = "jürgen";
  url.password = "p@ss/word";
  await readAll(url.href, RICH);
  const expected = `Basic ${Buffer.from("jürgen:p@ss/word").toString("base64")}`;
  assert.ok(server.seen.every(({ headers }) => headers.authorization === expected));
  url.search = "?X-Amz-Signature=geheim";
  server.behaviour = status(403);
  const error = await open(url).catch((caught: DocteurError) => caught);
  const shown = JSON.stringify([error, (error as Error).message, (error as Error).stack]);
  assert.match(shown, /disk\.img\?…: the server refuses access/);
  for (const secret of ["geheim", "word", "rgen"]) assert.ok(!shown.includes(secret), secret);
});

test("strings that are not URLs are refused without their secrets", async () => {
  for (const text of [
    "http://user:geheim@[bad",
    "https://user:ge/heim@host:x/",
    "ftp://user:geheim@host/a?b=geheim",
  ]) {
    const error = (await open(text).catch((caught: unknown) => caught)) as DocteurError;
    assert.equal(error.code, "InvalidArgument");
    assert.ok(!JSON.stringify([error, error.message, error.cause]).includes("heim"), error.message);
  }
});

test("redirects are followed, and headers stay with the host that they are for", async (t) => {
  const storage = await startServer(t, IMAGE);
  const server = await startServer(t, IMAGE);
  server.behaviour = (request, response) => {
    const isHere = request.url!.startsWith("/disk.img?here");
    if (isHere) return false;
    const place = request.url!.startsWith("/start") ? "/disk.img?hop" : `${storage.url}?signature=1`;
    response.writeHead(request.url!.startsWith("/start") ? 301 : 307, { location: place }).end();
    return true;
  };
  const headers = { authorization: "Bearer secret", "x-api-key": "secret", cookie: "secret=1" };
  await readAll(`${server.origin}/start`, RICH, { headers, pageSize: 4096 });
  assert.ok(server.seen.every((request) => request.headers["x-api-key"] === "secret"));
  // The way is taken once, for head and tail each.
  assert.equal(server.seen.length, 4);
  assert.ok(storage.seen.length > 5);
  for (const request of storage.seen)
    for (const name of Object.keys(headers)) assert.equal(request.headers[name], undefined, name);
});

test("an address that a redirect gave is asked for anew when it has expired", async (t) => {
  const storage = await startServer(t, IMAGE);
  const server = await startServer(t, IMAGE);
  let signature = 1;
  server.behaviour = (_, response) => {
    response.writeHead(302, { location: `${storage.url}?signature=${signature}` }).end();
    return true;
  };
  storage.behaviour = (request, response) => {
    if (request.url!.endsWith(`=${signature}`)) return false;
    response.writeHead(403).end();
    return true;
  };
  const volume = await open(server.url, { pageSize: 4096 });
  await volume.get("/docs/text");
  signature++;
  assert.equal(Buffer.compare(await volume.get("/large/whole"), RICH.files.get("/large/whole")!), 0);
  await volume.close();
});

test("a signed address is asked for at the opening, and again when it has expired", async (t) => {
  const server = await startServer(t, IMAGE);
  let valid = 1;
  let asked = 0;
  server.behaviour = (request, response) => {
    if (request.url === `/disk.img?token=${valid}`) return false;
    response.writeHead(403).end();
    return true;
  };
  const sign = async (url: URL) => {
    asked++;
    assert.equal(url.href, "http://images.invalid/disk.img");
    return `${server.url}?token=${valid}`;
  };
  const volume = await open("http://images.invalid/disk.img", { sign, pageSize: 4096 });
  await volume.get("/docs/text");
  assert.equal(asked, 1);
  valid++;
  await volume.get("/large/whole");
  assert.ok(asked >= 2);
  // Several requests may have met the old one.
  assert.ok(asked <= 7);
  await volume.close();
  await assert.rejects(open("http://images.invalid/a", { sign: () => "ftp://x/" }), {
    code: "InvalidArgument",
  });
});

test("redirects that lead nowhere good are refused", async (t) => {
  const to =
    (location: string): Behaviour =>
    (_, response) => {
      response.writeHead(302, { location }).end();
      return true;
    };
  for (const location of ["file:///etc/passwd", "ftp://host/", "http://[bad", "data:,x"]) {
    const { error } = await refusal(t, to(location));
    assert.match(error.message, /redirects to something that is not an HTTP address$/);
  }
  const { error, server } = await refusal(t, to("/disk.img"));
  assert.match(error.message, /redirects more than 10 times$/);
  assert.ok(server.seen.length <= 22);
});

test("a redirect from https to http is refused", async () => {
  const fetch = async (): Promise<Response> =>
    new Response(null, { status: 302, headers: { location: "http://other.invalid/a?b=c" } });
  await assert.rejects(open("https://host.invalid/a", { fetch, retries: 0 }), {
    code: "Network",
    message: "https://host.invalid/a: the server redirects from https to http://other.invalid/a?…",
  });
});

test("a fetch of the caller's is what requests go through", async (t) => {
  const server = await startServer(t, IMAGE);
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    asked.push(new Headers(init?.headers).get("range")!);
    return globalThis.fetch(input, init);
  };
  await readAll(server.url, RICH, { fetch });
  assert.deepEqual(asked, server.ranges);
});
