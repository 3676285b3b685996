/** What a server can do below git's protocol: redirects, headers, proxies, packs that lie, ssh. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { failToMake } from "../support/fail-to-make.js";
import { band, FLUSH, lying, pkt } from "../support/lying-server.js";

const HEAD = "1234567890".repeat(4);
const CANNOT = /^docteur: git cannot fetch from http:\/\/HOST\/site\.git$/;

const redirecting = (location: (url: string) => string) => ({
  intercept: ({ url = "" }: IncomingMessage, response: ServerResponse): boolean => {
    response.writeHead(302, { location: location(url) }).end();
    return true;
  },
});

for (const target of [
  "file:///etc",
  "ftp://127.0.0.1/site.git",
  "ext::sh -c true",
  "git://127.0.0.1:1/site.git",
  "ssh://-oProxyCommand=true/site.git",
])
  test(`a redirect to another scheme is not followed: ${target}`, (t) =>
    failToMake(
      t,
      redirecting(() => `${target}/info/refs?service=git-upload-pack`),
      [],
      8,
      CANNOT,
      /^hint: git says: .*(?:not supported or disabled|scheme)/,
    ));

test("redirects in a circle end", (t) =>
  failToMake(
    t,
    redirecting((url) => url),
    [],
    8,
    CANNOT,
    /redirects followed/,
  ));

test("a cookie is not sent back, and a request that fetches is not redirected", async (t) => {
  const cookies: (string | undefined)[] = [];
  const hello = lying(HEAD, {});
  await failToMake(
    t,
    {
      intercept: (request, response) => {
        cookies.push(request.headers.cookie);
        response.setHeader("set-cookie", "name=value");
        if (request.method === "GET") return hello.intercept!(request, response);
        response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end();
        return true;
      },
    },
    [],
    10,
    /^docteur: HOST broke the connection off$/,
    /HTTP 307/,
  );
  assert.deepEqual(cookies, [undefined, undefined]);
});

/** Writes for as long as somebody reads, past the server's own ideas of HTTP. */
function flood({ socket }: ServerResponse, start: string, piece: string): true {
  socket!.on("error", () => undefined).write(start);
  const write = (): void => {
    if (socket!.destroyed) return;
    if (socket!.write(piece)) setImmediate(write);
    else socket!.once("drain", write);
  };
  write();
  return true;
}

const LINE = `X-Header: ${"a".repeat(60_000)}\r\n`;
test("headers without end", (t) =>
  failToMake(
    t,
    { intercept: (_, response) => flood(response, "HTTP/1.1 200 OK\r\n", LINE) },
    ["--timeout", "60"],
    8,
    CANNOT,
    /^hint: git says: /,
  ));

test("one header without end", (t) =>
  failToMake(
    t,
    { intercept: (_, response) => flood(response, "HTTP/1.1 200 OK\r\nX-Header: ", "a".repeat(60_000)) },
    ["--timeout", "60"],
    8,
    CANNOT,
    /^hint: git says: /,
  ));

test("a body in chunks without end", (t) => {
  const chunk = `ea60\r\n${"a".repeat(60_000)}\r\n`;
  const start = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n";
  return failToMake(
    t,
    { intercept: (_, response) => flood(response, start, chunk) },
    ["--timeout", "2"],
    10,
    /^docteur: HOST did not send the commit within 2 s$/,
    /--timeout/,
  );
});

/** A pack of objects that are written already. */
function packOf(count: number, objects: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(count, 8);
  const body = Buffer.concat([header, objects]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

/** An object of a pack; below 2^11 bytes. @param type 1 is a commit, 2 a tree, 3 a blob */
function packed(type: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([Buffer.of(0x80 | (type << 4) | (length & 15), length >> 4), deflateSync(content)]);
}

const COMMIT = Buffer.from(`tree ${HEAD}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nm\n`);
const COMMIT_ID = createHash("sha1").update(`commit ${COMMIT.length}\0`).update(COMMIT).digest("hex");
const EMPTY = packed(3, Buffer.alloc(0));

const PACKS: Record<string, [head: string, pack: Buffer]> = {
  "another object than was asked for": [HEAD, packOf(1, packed(3, Buffer.from("other")))],
  "a commit without its tree": [COMMIT_ID, packOf(1, packed(1, COMMIT))],
  "a hundred thousand times the same empty object": [
    HEAD,
    packOf(100_000, Buffer.concat(Array<Buffer>(100_000).fill(EMPTY))),
  ],
  "a claim of four billion objects": [HEAD, packOf(0xffffffff, EMPTY)],
  "a blob that claims a petabyte": [
    HEAD,
    packOf(
      1,
      Buffer.concat([Buffer.of(0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10), deflateSync(COMMIT)]),
    ),
  ],
  "a tree that claims a terabyte": [
    HEAD,
    packOf(1, Buffer.concat([Buffer.of(0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02), deflateSync(COMMIT)])),
  ],
};

function* bandsOf(pack: Buffer): Generator<Buffer> {
  for (let at = 0; at < pack.length; at += 60_000) yield band(1, pack.subarray(at, at + 60_000));
}

for (const [name, [head, pack]] of Object.entries(PACKS))
  test(`a pack that lies: ${name}`, (t) => {
    const fetch = (response: ServerResponse): void =>
      void response.end(Buffer.concat([pkt("packfile\n"), ...bandsOf(pack), FLUSH]));
    return failToMake(t, lying(head, { fetch }), [], 8, CANNOT, /^hint: git says: (?:fatal|error): /);
  });

test("files named by a server that nobody asked for are not fetched", (t) => {
  const fetch = (response: ServerResponse): void =>
    void response.end(Buffer.concat([pkt("packfile-uris\n"), pkt(`${HEAD} file:///etc/passwd\n`), FLUSH]));
  return failToMake(t, lying(HEAD, { fetch }), [], 8, CANNOT, /^hint: git says: fatal: /);
});

test("a proxy that answers for the server", (t) =>
  failToMake(
    t,
    {
      intercept: (_, response) => {
        response.writeHead(500).end();
        return true;
      },
    },
    [],
    8,
    /^docteur: git cannot fetch from http:\/\/example\.invalid\/site\.git$/,
    /returned error: 500$/,
    { env: (url) => ({ http_proxy: url }), source: "http://example.invalid/site.git" },
  ));

/** A script is called "ssh", or git runs it once before, with -G, to find out how it is used. */
const SSH: Record<string, [script: string, status: number, message: RegExp, program?: string]> = {
  "it ignores SIGTERM when git tries it": [
    "trap '' TERM\nwhile :; do sleep 1; done",
    10,
    /^docteur: host did not send the commit within 2 s$/,
    "shell",
  ],
  "it ignores SIGTERM and says nothing": [
    "trap '' TERM\nwhile :; do sleep 1; done",
    10,
    /^docteur: host did not send the commit within 2 s$/,
  ],
  "it repeats itself": [
    "while :; do printf 00ff; done",
    8,
    /^docteur: git cannot fetch from host:site\.git$/,
  ],
  "it prints escapes": [
    "printf '\\033[2J\\r\\033]0;x\\007fatal: words\\n' >&2; exit 255",
    10,
    /^docteur: host broke the connection off$/,
  ],
};

for (const [name, [script, status, message, program = "ssh"]] of Object.entries(SSH))
  test(`an ssh that lies: ${name}`, { skip: process.platform === "win32" && "scripts of sh" }, (t) =>
    failToMake(t, {}, ["--timeout", "2"], status, message, /^hint: /, {
      source: "host:site.git",
      env: (_, work) => {
        const path = join(work, program);
        writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return { GIT_SSH_COMMAND: path };
      },
    }),
  );
