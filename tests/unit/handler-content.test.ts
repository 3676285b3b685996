/** `docteur/http`: conditional requests, ranges, encoded files (RFC 9110, sections 12 to 14), and how content flows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDate } from "../../src/http/http-date.js";
import { createHandler, type ServedVolume } from "../../src/http/index.js";
import { parseRanges } from "../../src/http/ranges.js";
import { DocteurError } from "../../src/index.js";
import { noise } from "../support/rich-image.js";
import { type Ask, SITE_MODIFIED, siteOf } from "../support/site.js";

const TEXT = Array.from({ length: 1000 }, (_, at) => `${at}`.padStart(4, "0")).join("");
const LARGE = noise(3_000_000, 5);
const FILES = { "a.txt": TEXT, "large.bin": LARGE, "zero.txt": "", "dir/x.txt": "x" };
const { ask, volume } = await siteOf(FILES, { listing: true });
const ETAG = `"${await volume.digest("/a.txt")}"`;

const EARLIER = "Fri, 07 Jun 2024 08:09:09 GMT";
const LATER = "Fri, 07 Jun 2024 08:09:11 GMT";

test("conditions, in their order", async () => {
  const cases: [fields: Record<string, string>, status: number][] = [
    [{ "if-none-match": ETAG }, 304],
    [{ "if-none-match": `W/${ETAG}` }, 304],
    [{ "if-none-match": `"a,b", W/"c" ,, ${ETAG}` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"other"' }, 200],
    [{ "if-none-match": ETAG.slice(1, -1) }, 200],
    [{ "if-none-match": `"unclosed, ${ETAG}` }, 200],
    [{ "if-none-match": "" }, 200],
    [{ "if-match": ETAG }, 200],
    [{ "if-match": `"other", ${ETAG}` }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": `W/${ETAG}` }, 412],
    [{ "if-match": '"other"' }, 412],
    [{ "if-modified-since": SITE_MODIFIED }, 304],
    [{ "if-modified-since": LATER }, 304],
    [{ "if-modified-since": EARLIER }, 200],
    [{ "if-modified-since": "yesterday" }, 200],
    [{ "if-modified-since": "2030-01-01" }, 200],
    [{ "if-modified-since": "Friday, 07-Jun-24 08:09:10 GMT" }, 304],
    [{ "if-modified-since": "Fri Jun  7 08:09:10 2024" }, 304],
    [{ "if-unmodified-since": SITE_MODIFIED }, 200],
    [{ "if-unmodified-since": EARLIER }, 412],
    [{ "if-unmodified-since": "never" }, 200],
    // Tags count more than dates, and what refuses more than what spares.
    [{ "if-none-match": '"other"', "if-modified-since": LATER }, 200],
    [{ "if-match": ETAG, "if-unmodified-since": EARLIER }, 200],
    [{ "if-match": ETAG, "if-none-match": ETAG }, 304],
    [{ "if-match": '"other"', "if-none-match": ETAG }, 412],
    // Conditions come before ranges.
    [{ "if-none-match": ETAG, range: "bytes=0-1" }, 304],
    [{ "if-match": '"other"', range: "bytes=9999-" }, 412],
    [{ "if-match": ETAG, range: "bytes=0-1" }, 206],
  ];
  for (const [fields, status] of cases)
    for (const method of ["GET", "HEAD"]) {
      const response = await ask("/a.txt", fields, method);
      const expected = status === 206 && method === "HEAD" ? 200 : status;
      assert.equal(response.status, expected, `${method} ${JSON.stringify(fields)}`);
      if (status === 304) {
        assert.equal(response.headers.get("etag"), ETAG);
        assert.equal(response.headers.get("last-modified"), SITE_MODIFIED);
        assert.equal(response.headers.get("cache-control"), "no-cache");
        assert.equal(response.headers.get("content-type"), null);
        assert.equal(response.body, null);
      }
    }
});

test("dates as HTTP has them", () => {
  const now = Date.UTC(2026, 0, 1);
  const dates: [string, number | undefined][] = [
    ["Sun, 06 Nov 1994 08:49:37 GMT", 784111777],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 784111777],
    ["Sun Nov  6 08:49:37 1994", 784111777],
    ["Sunday, 06-Nov-76 08:49:37 GMT", Date.UTC(2076, 10, 6, 8, 49, 37) / 1000],
    ["Sunday, 06-Nov-77 08:49:37 GMT", Date.UTC(1977, 10, 6, 8, 49, 37) / 1000],
    ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1) / 1000],
    ["Sun, 31 Feb 1994 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 24:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 08:49:37", undefined],
    ["Sun, 6 Nov 1994 08:49:37 GMT", undefined],
    ["1994-11-06T08:49:37Z", undefined],
    ["", undefined],
  ];
  for (const [text, seconds] of dates) assert.equal(parseDate(text, now), seconds, text);
});

test("one range", async () => {
  const cases: [range: string, expected: [first: number, last: number] | 200 | 416][] = [
    ["bytes=0-0", [0, 0]],
    ["bytes=0-3", [0, 3]],
    ["BYTES = 4-7", [4, 7]],
    ["bytes=3990-", [3990, 3999]],
    ["bytes=3990-99999999999999999999999", [3990, 3999]],
    ["bytes=-4", [3996, 3999]],
    ["bytes=-99999", [0, 3999]],
    ["bytes=4000-", 416],
    ["bytes=99999999999999999999999-", 416],
    ["bytes=-0", 416],
    ["bytes=5-4", 200],
    ["bytes=-", 200],
    ["bytes=a-b", 200],
    ["bytes=0-1x", 200],
    ["bytes=", 200],
    ["bytes", 200],
    ["lines=0-1", 200],
    ["bytes=0--1", 200],
    ["bytes=0x10-", 200],
    ["bytes=4000-, 0-3", [0, 3]],
    [" bytes=,0-3,,", [0, 3]],
  ];
  for (const [range, expected] of cases) {
    const response = await ask("/a.txt", { range });
    const body = await response.text();
    const { headers } = response;
    assert.equal(headers.get("accept-ranges"), "bytes");
    if (typeof expected === "number") {
      assert.equal(response.status, expected, range);
      assert.equal(headers.get("content-range"), expected === 416 ? "bytes */4000" : null);
      if (expected === 200) assert.equal(body, TEXT);
      continue;
    }
    const [first, last] = expected;
    assert.equal(response.status, 206, range);
    assert.equal(headers.get("content-range"), `bytes ${first}-${last}/4000`);
    assert.equal(headers.get("content-length"), String(last - first + 1));
    assert.equal(headers.get("etag"), ETAG);
    assert.equal(body, TEXT.slice(first, last + 1));
  }
  assert.equal((await ask("/zero.txt", { range: "bytes=0-" })).status, 416);
  assert.equal((await ask("/zero.txt", { range: "bytes=-5" })).status, 200);
  assert.equal((await ask("/dir/", { range: "bytes=0-1" })).status, 200);
});

/** The parts of a multipart body. */
async function partsIn(response: Response): Promise<{ type: string; range: string; text: string }[]> {
  const [, mark] = /^multipart\/byteranges; boundary=([0-9a-f]{36})$/.exec(
    response.headers.get("content-type")!,
  )!;
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get("content-length"), String(body.length));
  const text = body.toString("latin1");
  assert.ok(text.startsWith(`--${mark}\r\n`) && text.endsWith(`\r\n--${mark}--\r\n`));
  return `\r\n${text}`
    .split(`\r\n--${mark}`)
    .slice(1, -1)
    .map((part) => {
      const [, type, range, content] = /^\r\nContent-Type: (.*)\r\nContent-Range: (.*)\r\n\r\n(.*)$/s.exec(
        part,
      )!;
      return { type: type!, range: range!, text: content! };
    });
}

test("several ranges", async () => {
  const range = "bytes=2000-2003, -4, 0-3, 9999-, 1000-1003";
  const response = await ask("/a.txt", { range });
  assert.equal(response.status, 206);
  assert.equal(response.headers.get("content-range"), null);
  const type = "text/plain; charset=utf-8";
  assert.deepEqual(await partsIn(response), [
    { type, range: "bytes 2000-2003/4000", text: TEXT.slice(2000, 2004) },
    { type, range: "bytes 3996-3999/4000", text: TEXT.slice(3996) },
    { type, range: "bytes 0-3/4000", text: TEXT.slice(0, 4) },
    { type, range: "bytes 1000-1003/4000", text: TEXT.slice(1000, 1004) },
  ]);
  const large = await ask("/large.bin", { range: "bytes=2500000-, 10-1500000" });
  const parts = await partsIn(large);
  assert.deepEqual(
    parts.map(({ range: one }) => one),
    ["bytes 2500000-2999999/3000000", "bytes 10-1500000/3000000"],
  );
  assert.ok(Buffer.from(parts[0]!.text, "latin1").equals(LARGE.subarray(2_500_000)));
  assert.ok(Buffer.from(parts[1]!.text, "latin1").equals(LARGE.subarray(10, 1_500_001)));
});

test("ranges that overlap or lie close are one; too many are none", () => {
  const parse = (field: string): string | number | undefined => {
    const ranges = parseRanges(field, 10_000);
    return Array.isArray(ranges) ? ranges.map(({ first, last }) => `${first}-${last}`).join() : ranges;
  };
  assert.equal(parse("bytes=0-9,5-20"), "0-20");
  assert.equal(parse("bytes=5-20,0-9"), "0-20");
  assert.equal(parse("bytes=0-9,10-19"), "0-19");
  assert.equal(parse("bytes=0-9,90-99"), "0-99");
  assert.equal(parse("bytes=0-9,91-99"), "0-9,91-99");
  assert.equal(parse("bytes=9000-,0-9,5000-5009,8990-9005"), "8990-9999,0-9,5000-5009");
  assert.equal(parse("bytes=0-,-1,5-5,0-"), "0-9999");
  const many = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, at) => `${at * 200}-${at * 200}`).join()}`;
  assert.equal((parse(many(32)) as string).split(",").length, 32);
  assert.equal(parse(many(33)), undefined);
  assert.equal(parse("bytes=0-1,1-0"), undefined);
});

test("If-Range: a strong tag alone lets a range be sent", async () => {
  for (const [value, status] of [
    [ETAG, 206],
    [`W/${ETAG}`, 200],
    ['"other"', 200],
    [SITE_MODIFIED, 200],
    ["", 200],
  ] as const)
    assert.equal((await ask("/a.txt", { range: "bytes=0-1", "if-range": value })).status, status, value);
  assert.equal((await ask("/a.txt", { range: "bytes=9999-", "if-range": '"other"' })).status, 200);
});

test("encoded files beside others", async () => {
  const files = { "a.js": "plain", "a.js.br": "brotli", "a.js.gz": "gzip!", "b.js": "b", "b.js.gz": "B" };
  const { ask: get, volume: image } = await siteOf(files);
  const chosen = async (accept: string | undefined, path = "/a.js"): Promise<string> => {
    const response = await get(path, accept === undefined ? {} : { "accept-encoding": accept });
    const coding = response.headers.get("content-encoding");
    const file = `${path}${coding === "br" ? ".br" : coding === "gzip" ? ".gz" : ""}`;
    assert.equal(response.headers.get("vary"), "Accept-Encoding");
    assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.equal(response.headers.get("etag"), `"${await image.digest(file)}"`);
    assert.equal(await response.text(), files[file.slice(1) as keyof typeof files]);
    return coding ?? "identity";
  };
  const cases: [string | undefined, string][] = [
    [undefined, "identity"],
    ["", "identity"],
    ["identity", "identity"],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP;Q=0.5", "gzip"],
    ["br;q=0.5, gzip;q=0.8", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["br;q=0.000, gzip;q=0", "identity"],
    ["*", "br"],
    ["br;q=0, *;q=0.1", "gzip"],
    ["identity;q=1, *;q=0", "identity"],
    ["identity;q=0.9, gzip;q=0.8", "identity"],
    ["gzip;q=0.8, identity;q=0.8", "gzip"],
    // There is nothing else to send.
    ["deflate, identity;q=0", "identity"],
    ["br;q=nonsense, gzip;q=2", "identity"],
  ];
  for (const [accept, coding] of cases) assert.equal(await chosen(accept), coding, accept);
  assert.equal(await chosen("br, gzip", "/b.js"), "gzip");
  const range = await get("/a.js", { "accept-encoding": "br", range: "bytes=0-1" });
  assert.deepEqual([range.status, await range.text()], [206, "br"]);
  const { ask: off } = await siteOf(files, { precompressed: false });
  const { headers } = await off("/a.js", { "accept-encoding": "br" });
  assert.deepEqual([headers.get("content-encoding"), headers.get("vary")], [null, null]);
});

test("a listing holds names of any bytes as text, and no markup of the image's", async () => {
  const { ask: get, volume: image } = await siteOf(
    [
      ["dir/<img src=x onerror=alert(1)>\"&'.txt", "1".repeat(1500)],
      ["dir/javascript:alert(1)", "x"],
      [Buffer.from("dir/caf\xe9\x1b[31m", "latin1"), ""],
      ["dir/\u202egnp.exe", "x"],
      ["dir/.hidden", "x"],
      ["dir/sub/x", "x"],
      ["dir/link", { link: "sub" }],
    ],
    { listing: true },
  );
  const response = await get("/dir/");
  const etag = `W/"${await image.digest("/dir")}"`;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; style-src 'sha256-/);
  assert.equal(response.headers.get("etag"), etag);
  const rows = [...(await response.text()).matchAll(/<tr><td>(.*)<\/td><td>(.*)<\/td><\/tr>/g)].map(
    ([, name, size]) => [name, size],
  );
  assert.deepEqual(rows, [
    ['<a href="../">../</a>', "parent"],
    [
      '<a href="./%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%22%26%27.txt">' +
        "&lt;img src=x onerror=alert(1)&gt;&quot;&amp;&#39;.txt</a>",
      "1.5 KB",
    ],
    ['<a href="./caf%E9%1B%5B31m">caf\ufffd\\x1b[31m</a>', "0 B"],
    ['<a href="./javascript%3Aalert%281%29">javascript:alert(1)</a>', "1 B"],
    ['<a href="./link">link</a>', "link"],
    ['<a href="./sub/">sub/</a>', ""],
    ['<a href="./%E2%80%AEgnp.exe">\\u202egnp.exe</a>', "1 B"],
  ]);
  assert.equal((await get("/dir/", { "if-none-match": etag })).status, 304);
  assert.equal((await get("/dir")).headers.get("location"), "./dir/");
  assert.doesNotMatch(await (await get("/")).text(), />parent</);
  const { ask: names } = await siteOf({ "a.txt": "abc" }, { listing: "names" });
  assert.match(await (await names("/")).text(), /a\.txt<\/a><\/td><td><\/td>/);
});

/** A volume that counts the bytes that were read of it. */
function counting(read: { bytes: number }): ServedVolume {
  return {
    commit: volume.commit,
    stat: (...args) => volume.stat(...args),
    getPartial: (...args) => volume.getPartial(...args),
    entries: (...args) => volume.entries(...args),
    stream: (...args) => {
      const reader = volume.stream(...args).getReader();
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await reader.read();
            if (done) return controller.close();
            read.bytes += value.length;
            controller.enqueue(value);
          },
          cancel: () => reader.cancel(),
        },
        { highWaterMark: 0 },
      );
    },
  };
}

test("content is read as it is taken, and no more once nobody takes it", async () => {
  for (const range of ["bytes=0-2999999", "bytes=0-1400000,1500000-2999999"]) {
    const read = { bytes: 0 };
    const response = await createHandler(counting(read))(
      new Request("http://site.example/large.bin", { headers: { range } }),
    );
    const reader = response.body!.getReader();
    await reader.read();
    assert.ok(read.bytes > 0 && read.bytes <= 1 << 20, `${range}: ${read.bytes}`);
    const before = read.bytes;
    await reader.cancel();
    assert.equal(read.bytes, before);
  }
});

test("an aborted request ends its content", async () => {
  const controller = new AbortController();
  const request = new Request("http://site.example/large.bin", { signal: controller.signal });
  const response = await createHandler(volume)(request);
  const reader = response.body!.getReader();
  await reader.read();
  controller.abort(new Error("enough"));
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /enough/);
  const errors: unknown[] = [];
  const late = await createHandler(volume, { onError: (error) => errors.push(error) })(request);
  assert.deepEqual([late.status, errors], [503, []]);
});

/** A volume whose content cannot be read. */
function failing(error: unknown): ServedVolume {
  const fail = async (): Promise<never> => {
    throw error;
  };
  return {
    commit: volume.commit,
    stat: (...args) => volume.stat(...args),
    entries: (...args) => volume.entries(...args),
    getPartial: fail,
    stream: () => new ReadableStream({ pull: fail }, { highWaterMark: 0 }),
  };
}

test("damage is status 500, a failing device 503, before anything of the content is sent", async () => {
  const cases: [unknown, number][] = [
    [new DocteurError("OidMismatch", "secret"), 500],
    [new DocteurError("Network", "secret"), 503],
    [new DocteurError("ImageChanged", "secret"), 503],
    [new TypeError("secret"), 500],
  ];
  for (const [error, status] of cases)
    for (const [path, range] of [
      ["/a.txt", ""],
      ["/large.bin", ""],
      ["/large.bin", "bytes=0-,-5"],
      ["/a.txt", "bytes=0-9,2000-2009"],
    ] as const) {
      const errors: unknown[] = [];
      const handler = createHandler(failing(error), { onError: (one) => errors.push(one) });
      const response = await handler(new Request(`http://site.example${path}`, { headers: { range } }));
      assert.equal(response.status, status, `${path} ${range}`);
      assert.doesNotMatch(await response.text(), /secret/);
      assert.deepEqual(errors, [error]);
    }
});

test("what is served can change between requests", async () => {
  const { volume: other } = await siteOf({ "a.txt": "new" });
  let current: ServedVolume | Promise<ServedVolume> = volume;
  const handler = createHandler(() => current);
  const get: Ask = (path) => handler(new Request(`http://site.example${path}`));
  const before = await get("/large.bin");
  current = Promise.resolve(other);
  assert.equal(await (await get("/a.txt")).text(), "new");
  assert.ok(Buffer.from(await before.arrayBuffer()).equals(LARGE));
});
