/** `docteur serve`: addresses, logs, metrics, images that are replaced, hostile clients, and the end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type MemoryFiles, makeImage } from "../../src/make/index.js";
import { docteur } from "../support/cli.js";
import { LOG, refusalOf } from "../support/json-schemas.js";
import { noise } from "../support/rich-image.js";
import { type Serving, sendRaw, startServing } from "../support/serving.js";
import { temporaryFolder } from "../support/temporary.js";

const LARGE = noise(8_000_000, 3);
const OLD = {
  "index.html": "old home",
  "a.txt": "old a",
  "list/x y.txt": "x",
  ".env": "SECRET",
  "large.bin": LARGE,
};

async function imageAt(path: string, files: MemoryFiles): Promise<string> {
  const { image, commit } = await makeImage(files, { date: "2024-06-07T08:09:10Z" });
  // As `docteur make` does: written beside it, and renamed.
  writeFileSync(`${path}.new`, image);
  renameSync(`${path}.new`, path);
  return commit;
}

async function setUp(t: TestContext, args: string[] = []): Promise<Serving & { image: string }> {
  const image = join(temporaryFolder(t), "site.img");
  await imageAt(image, OLD);
  return { ...(await startServing(t, [...args, image])), image };
}

const text = async (url: string): Promise<string> => (await fetch(url)).text();

test("one image: files, listings, the page, health and metrics", async (t) => {
  const { address, image, said, end } = await setUp(t);
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal(await text(address), "old home");
  assert.match(await text(`${address}list`), /<a href="\.\/x%20y\.txt">x y\.txt<\/a>/);
  assert.equal((await fetch(`${address}.env`)).status, 404);
  assert.equal(await text(`${address}healthz`), "ok\n");

  const page = await fetch(`${address}-/`, { redirect: "manual" });
  assert.equal(page.headers.get("location"), "./index.html#image=site.img");
  for (const name of ["index.html", "page.js", "style.css", "worker.js"])
    assert.equal((await fetch(`${address}-/${name}`)).status, 200, name);
  const bytes = readFileSync(image);
  const part = await fetch(`${address}-/site.img`, { headers: { range: "bytes=28-99" } });
  assert.equal(part.headers.get("content-range"), `bytes 28-99/${bytes.length}`);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(28, 100)));
  const whole = Buffer.from(await (await fetch(`${address}-/site.img`)).arrayBuffer());
  assert.ok(whole.equals(bytes));
  assert.equal((await fetch(`${address}-/${basename(image)}x`)).status, 404);
  // The image, read by its own server.
  const cat = await docteur(["cat", `${address}-/site.img`, "/a.txt"]);
  assert.equal(cat.stdout, "old a");

  const metrics = await text(`${address}metrics`);
  assert.match(metrics, /^docteur_http_requests_total\{method="GET",status="404"\} 2$/m);
  assert.match(metrics, /^docteur_http_requests_in_flight 1$/m);
  assert.match(metrics, /^docteur_device_reads_total\{image="site"\} [1-9]/m);
  assert.equal(await end("SIGTERM"), 0);
  assert.match(said(), /^127\.0\.0\.1 - - \[.* \+0000\] "GET \/ HTTP\/1\.1" 200 8 "-" "node"$/m);
});

test("several images under their names, and one that is read from another server", async (t) => {
  const first = await setUp(t);
  const folder = temporaryFolder(t);
  await imageAt(join(folder, "docs.img"), { "a.txt": "docs a" });
  const url = `${first.address}-/site.img`;
  const { address } = await startServing(t, ["--base=/all", join(folder, "docs.img"), `remote=${url}`]);
  assert.ok(address.endsWith("/all/"));
  const index = await text(address);
  assert.match(index, /<a href="\.\/docs\/">docs\/<\/a>.*#image=docs\.img/);
  assert.match(index, /<a href="\.\/remote\/">remote\/<\/a>/);
  assert.ok(!index.includes("#image=remote"));
  assert.equal(await text(`${address}docs/a.txt`), "docs a");
  assert.equal(await text(`${address}remote/a.txt`), "old a");
  const redirect = await fetch(`${address}docs`, { redirect: "manual" });
  assert.equal(redirect.headers.get("location"), "./docs/");
  for (const path of ["nope", "%zz", "docsx/a.txt", "-/remote.img"])
    assert.equal((await fetch(address + path)).status, 404, path);
  const found = await fetch(`${address}docs/`, { method: "PROPFIND", headers: { depth: "1" } });
  assert.match(await found.text(), /<D:href>\/all\/docs\/a\.txt<\/D:href>/);
});

test("arguments that are wrong", async (t) => {
  const folder = temporaryFolder(t);
  const image = join(folder, "a.img");
  await imageAt(image, OLD);
  const cases: [args: string[], status: number, message: RegExp][] = [
    [[], 16, /IMAGE is missing/],
    [[image, image], 16, /two images are named a\n/],
    [[`-=${image}`, image], 16, /unknown option|no image can be named -/],
    [[`metrics=${image}`, image], 16, /no image can be named metrics/],
    [["--port=70000", image], 16, /--port takes a whole number from 0 to 65535/],
    [["--log=xml", image], 16, /no such form of log: xml/],
    [["--add-header=x", image], 16, /--add-header takes a name/],
    [["--add-header=a: b\u00e9", image], 16, /--add-header takes a name/],
    [["--base=/a%zz", image], 16, /base/],
    [["--commit", "1".repeat(40), image, `b=${image}`], 16, /--commit goes with one image/],
    [["--commit", "1".repeat(40), image], 4, /./],
    [["--host=192.0.2.1", image], 8, /cannot listen on 192\.0\.2\.1, port 8080/],
    [[join(folder, "none.img")], 8, /none\.img/],
    [["package.json"], 4, /package\.json/],
  ];
  for (const [args, status, message] of cases) {
    const result = await docteur(["serve", ...args]);
    assert.match(result.stderr, message, args.join(" "));
    assert.equal(result.status, status, args.join(" "));
    assert.equal(result.stdout, "");
  }
});

/** Reads a large file slowly: pauses after the first piece until it is told to go on. */
async function slowDownload(address: string): Promise<{ finish: () => Promise<Buffer> }> {
  const sent = request(`${address}large.bin`, { agent: false });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  const [first] = (await once(response, "data")) as [Buffer];
  response.pause();
  chunks.push(first);
  const finish = async (): Promise<Buffer> => {
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return { finish };
}

test("SIGHUP brings the new image; answers under way end with the old one", async (t) => {
  const { address, image, child, says } = await setUp(t);
  const { finish } = await slowDownload(address);
  const before = await fetch(`${address}-/site.img`);
  const commit = await imageAt(image, { "index.html": "new home" });
  assert.equal(await text(address), "old home");
  child.kill("SIGHUP");
  await says(new RegExp(`site: now serving commit ${commit}`));
  assert.equal(await text(address), "new home");
  assert.equal((await fetch(`${address}a.txt`)).status, 404);
  assert.match(await text(`${address}metrics`), /^docteur_image_versions\{image="site"\} 2$/m);
  assert.ok((await finish()).equals(LARGE));
  await before.arrayBuffer();
  // The old version closes once its last answer has ended.
  while (!/^docteur_image_versions\{image="site"\} 1$/m.test(await text(`${address}metrics`)))
    await pause(10);
});

test("--watch: a replaced image is found, a damaged one is refused, and no request fails", async (t) => {
  const { address, image, says, said } = await setUp(t, ["--watch", "--log=none"]);
  let isOver = false;
  const statuses = new Set<number>();
  const bodies = new Set<string>();
  const load = async (): Promise<void> => {
    while (!isOver) {
      const response = await fetch(address);
      statuses.add(response.status);
      bodies.add(await response.text());
    }
  };
  const loads = [load(), load(), load()];
  const damaged = readFileSync(image);
  damaged.fill(0, 40, 80);
  writeFileSync(`${image}.new`, damaged);
  renameSync(`${image}.new`, image);
  await says(/site: the new image is refused, and the old one stays: /);
  assert.equal(await text(address), "old home");
  const commit = await imageAt(image, { "index.html": "new home" });
  await says(new RegExp(`now serving commit ${commit}`));
  assert.equal(await text(address), "new home");
  isOver = true;
  await Promise.all(loads);
  assert.deepEqual([...statuses], [200]);
  assert.deepEqual([...bodies].sort(), ["new home", "old home"]);
  assert.equal(said().match(/refused/g)!.length, 1);
});

test("an image at a URL: the new one is served once its server has it", async (t) => {
  const first = await setUp(t, ["--log=none"]);
  const url = `site=${first.address}-/site.img`;
  const asked = await startServing(t, ["--log=none", url]);
  const watching = await startServing(t, ["--log=none", "--watch", "--hot=0", "--memory=2M", url]);
  for (const { address } of [asked, watching]) assert.equal(await text(address), "old home");
  const commit = await imageAt(first.image, { "index.html": "new home", "new.txt": "new" });
  first.child.kill("SIGHUP");
  await first.says(/now serving/);
  asked.child.kill("SIGHUP");
  await asked.says(new RegExp(`site: now serving commit ${commit}`));
  assert.equal(await text(asked.address), "new home");
  // A read that is not in memory finds out that the image is another, and the next answer comes from it.
  await fetch(`${watching.address}large.bin`)
    .then(
      (response) => response.arrayBuffer(),
      () => undefined,
    )
    .catch(() => undefined);
  await watching.says(new RegExp(`site: now serving commit ${commit}`));
  assert.equal(await text(`${watching.address}new.txt`), "new");
});

test("the log holds one line for each request, whatever clients send", async (t) => {
  const hostile = 'x" 200 0\\ \x9b31m\xff';
  const send = (address: string): Promise<string> =>
    sendRaw(
      address,
      `GET /a"b\\ HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${hostile}\r\nReferer: a\tb"\r\nConnection: close\r\n\r\n`,
    );
  const combined = await setUp(t);
  await send(combined.address);
  await combined.end("SIGTERM");
  const [line, ...rest] = combined.said().trimEnd().split("\n");
  assert.deepEqual(rest, []);
  const shown = String.raw`"GET /a\x22b\x5C HTTP/1.1" 404 14 "a\x09b\x22" "x\x22 200 0\x5C \xC2\x9B31m\xC3\xBF"`;
  assert.ok(line!.endsWith(shown), line);

  const json = await setUp(t, ["--log", "json"]);
  await send(json.address);
  await json.end("SIGTERM");
  const lines = json.said().trimEnd().split("\n");
  assert.equal(lines.length, 1);
  const { time, milliseconds, ...fields } = JSON.parse(lines[0]!);
  assert.ok(!Number.isNaN(Date.parse(time)) && milliseconds >= 0);
  assert.deepEqual(fields, {
    ...{
      remote: "127.0.0.1",
      method: "GET",
      url: '/a"b\\',
      protocol: "HTTP/1.1",
      status: 404,
      bodyBytes: 14,
    },
    ...{ referrer: 'a\tb"', agent: hostile, aborted: false },
  });
  assert.ok(!lines[0]!.includes("\x9b"));
  assert.equal(refusalOf(LOG, JSON.parse(lines[0]!)), undefined);
});

test("every line of --log json has the form of its schema", async (t) => {
  const { address, image, says, said, end } = await setUp(t, ["--watch", "--log", "json"]);
  await fetch(address);
  await fetch(address, { method: "HEAD", headers: { referer: "http://127.0.0.1/" } });
  writeFileSync(`${image}.new`, "not an image");
  renameSync(`${image}.new`, image);
  await says(/"message"/);
  await end("SIGTERM");
  const lines = said()
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  assert.ok(lines.length >= 3);
  for (const line of lines) {
    assert.equal(refusalOf(LOG, line), undefined, JSON.stringify(line));
    for (const name of ["time", "message", "url", "status"])
      if (name in (line as object))
        assert.notEqual(refusalOf(LOG, { ...(line as object), [name]: null }), undefined, name);
    assert.notEqual(refusalOf(LOG, { ...(line as object), more: 1 }), undefined);
  }
});

test("on the loopback, only its own names are answered", async (t) => {
  const { address } = await setUp(t, ["--allow-host=docs.example"]);
  const { port } = new URL(address);
  const statusOf = async (host: string): Promise<string> =>
    (await sendRaw(address, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).slice(9, 12);
  for (const host of [
    "localhost",
    `127.0.0.1:${port}`,
    "[::1]:1",
    "x.localhost",
    "DOCS.example:80",
    "192.0.2.1",
  ])
    assert.equal(await statusOf(host), "200", host);
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "a:b:c",
    "[evil.example]",
  ])
    assert.equal(await statusOf(host), "421", host);
});

test("malformed requests and ways out of the image: an answer of its own, and the server goes on", async (t) => {
  const { address, said } = await setUp(t, ["--log=none"]);
  const head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const paths: [string, RegExp][] = [
    ["/../../etc/passwd", /^404/],
    ["/%2e%2e/%2e%2e/etc/passwd", /^404/],
    ["/..%2f..%2fetc%2fpasswd", /^400/],
    ["/%252e%252e/etc/passwd", /^404/],
    ["/..\\..\\etc\\passwd", /^404/],
    ["/a.txt%00.html", /^400/],
    ["/-/../../etc/passwd", /^40/],
    ["/-/..%2f..%2fsite.img", /^400/],
    ["/-/%2e%2e/.env", /^404/],
    ["/.env", /^404/],
    ["//evil.example/", /^404/],
  ];
  for (const [path, status] of paths) {
    const answer = await sendRaw(address, `GET ${path} ${head}`);
    assert.match(answer.slice(9), status, path);
    assert.ok(!answer.includes("SECRET") && !answer.includes("root:"), path);
  }
  const raw = [
    "\r\n\r\n\0\0\0",
    "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    `GET / HTTP/1.1\r\nX: ${"a".repeat(100_000)}\r\n\r\n`,
    `GET /${"a".repeat(100_000)} ${head}`,
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "",
    "\0".repeat(1000),
  ];
  for (const bytes of raw) {
    const answer = await sendRaw(address, bytes);
    assert.ok(
      answer === "" || /^HTTP\/1\.1 (?:4\d\d|200) /.test(answer),
      JSON.stringify([bytes.slice(0, 40), answer]),
    );
  }
  const wide = await sendRaw(address, `GET / HTTP/1.1\r\nX: ${"a".repeat(100_000)}\r\n\r\n`);
  assert.match(wide, /^(?:HTTP\/1\.1 431 |$)/);
  assert.match(await text(`${address}metrics`), /^docteur_http_malformed_total [1-9]/m);
  assert.equal(await text(address), "old home");
  assert.equal(said(), "");
});

test("clients that stall or leave hold nobody up, and leave nothing behind", async (t) => {
  const { address } = await setUp(t, ["--log=none"]);
  const port = Number(new URL(address).port);
  const sockets = Array.from({ length: 200 }, (_, index) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    // One half never ends its request, the other takes nothing of its answer.
    socket.write(`GET /large.bin HTTP/1.1\r\nHost: localhost\r\n${index % 2 === 0 ? "X: a" : "\r\n"}`);
    return socket;
  });
  const inFlight = async (): Promise<number> =>
    Number(/^docteur_http_requests_in_flight (\d+)$/m.exec(await text(`${address}metrics`))![1]);
  while ((await inFlight()) < 101) await pause(10);
  for (let count = 0; count < 50; count++) assert.equal(await text(address), "old home");
  for (const socket of sockets) socket.destroy();
  while ((await inFlight()) > 1) await pause(10);
  const metrics = await text(`${address}metrics`);
  assert.ok(Number(/^docteur_http_connections (\d+)$/m.exec(metrics)![1]) < 10);
});

test("labels of metrics have few values, whatever clients send", async (t) => {
  const { address } = await setUp(t, ["--log=none"]);
  const methods = ["PUT", "LOCK", "MKCOL", "M-SEARCH", "PURGE", "REPORT", "UNLINK"];
  for (const method of methods)
    for (let count = 0; count < 5; count++)
      await (await fetch(`${address}${method}${count}`, { method })).text();
  const series = (await text(`${address}metrics`)).match(/^docteur_http_requests_total\{.*$/gm);
  assert.deepEqual(series, ['docteur_http_requests_total{method="other",status="405"} 35']);
});

test("the end: requests under way end first; a second signal breaks them off", async (t) => {
  const gentle = await setUp(t);
  const { finish } = await slowDownload(gentle.address);
  const idle = connect(Number(new URL(gentle.address).port), "127.0.0.1");
  idle.on("error", () => undefined);
  await once(idle, "connect");
  const ended = gentle.end("SIGTERM");
  // The port is closed once the signal has arrived.
  while (await fetch(gentle.address, { headers: { connection: "close" } }).catch(() => undefined))
    await pause(5);
  assert.ok((await finish()).equals(LARGE));
  idle.destroy();
  assert.equal(await ended, 0);

  const hurried = await setUp(t, ["--grace=3600"]);
  const download = await slowDownload(hurried.address);
  const second = hurried.end("SIGINT");
  while (await fetch(hurried.address, { headers: { connection: "close" } }).catch(() => undefined))
    await pause(5);
  hurried.child.kill("SIGINT");
  assert.equal(await second, 0);
  await assert.rejects(download.finish());

  const bounded = await setUp(t, ["--grace=0"]);
  const last = await slowDownload(bounded.address);
  assert.equal(await bounded.end("SIGTERM"), 0);
  await assert.rejects(last.finish());
});

test("options of the handler, and parts that are turned off", async (t) => {
  const args = [
    "--index=a.txt",
    "--cache-control=max-age=60",
    "--cors=*",
    "--add-header=X-A: b",
    "--dotfiles",
  ];
  const { address } = await setUp(t, [
    ...args,
    "--no-page",
    "--no-dav",
    "--no-metrics",
    "--no-listing",
    "--hot=0",
  ]);
  const response = await fetch(address);
  assert.equal(await response.text(), "old a");
  assert.equal(response.headers.get("cache-control"), "max-age=60");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("x-a"), "b");
  assert.equal(await text(`${address}.env`), "SECRET");
  assert.equal((await fetch(`${address}index`)).status, 200);
  for (const path of ["-/", "-/site.img", "metrics", "list/"])
    assert.equal((await fetch(address + path)).status, 404, path);
  assert.equal((await fetch(address, { method: "PROPFIND" })).status, 405);
});
