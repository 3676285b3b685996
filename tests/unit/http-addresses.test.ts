/** Addresses of images on servers, and credentials: headers, passwords, signatures, redirects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DocteurError, open } from "../../src/index.js";
import { IMAGE, RICH, readAll, refusal, status } from "../support/http-answers.js";
import { type Behaviour, startServer } from "../support/range-server.js";

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
