/** Commands on images at URLs: the output is that of the file, and requests are few. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { make } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { docteur } from "../support/cli.js";
import { fixture, fixturePath } from "../support/fixtures.js";
import { RangeServer } from "../support/range-server.js";
import { temporaryFolder } from "../support/temporary.js";

async function serve(t: TestContext, content: Uint8Array): Promise<RangeServer> {
  const server = await new RangeServer(content).start();
  t.after(() => server.stop());
  return server;
}

/** An image of several megabytes that cannot be compressed, and a small file. */
async function largeImage(t: TestContext): Promise<Uint8Array> {
  const work = temporaryFolder(t);
  mkdirSync(join(work, "source"));
  for (let index = 0; index < 6; index++)
    writeFileSync(join(work, "source", `large${index}`), randomBytes(2_000_000));
  writeFileSync(join(work, "source", "small"), "small\n");
  await make(join(work, "source"), join(work, "image"));
  return readFileSync(join(work, "image"));
}

test("ls, cat, checksum and verify print of a URL what they print of the file", async (t) => {
  const server = await serve(t, fixture("modes.img"));
  const file = fixturePath("modes.img");
  for (const args of [["ls", "-lr"], ["ls", "--json"], ["checksum"], ["verify"], ["verify", "--quick"]]) {
    const expected = await docteur([...args, file]);
    const remote = await docteur([...args, server.url]);
    assert.deepEqual(remote, expected, args.join(" "));
    assert.equal(remote.status, 0);
  }
  const [path] = (await docteur(["ls", file])).stdout.split("\n");
  assert.deepEqual(await docteur(["cat", server.url, path!]), await docteur(["cat", file, path!]));
  const report = JSON.parse((await docteur(["verify", "--json", `${server.url}?token=secret`])).stdout);
  assert.equal(report.image, `${server.url}?…`);
});

test("info, stat, tree, find and grep print of a URL what they print of the file", async (t) => {
  const server = await serve(t, fixture("modes.img"));
  const file = fixturePath("modes.img");
  for (const [name, ...args] of [
    ["stat", "-p", "/plain.txt"],
    ["tree"],
    ["find", "-l"],
    ["info", "--full"],
  ] as [string, ...string[]][]) {
    const options = args.filter((word) => word.startsWith("-"));
    const paths = args.filter((word) => !word.startsWith("-"));
    const expected = await docteur([name, ...options, file, ...paths]);
    assert.deepEqual(await docteur([name, ...options, server.url, ...paths]), expected, name);
    assert.equal(expected.status, 0, name);
  }
  assert.deepEqual(await docteur(["grep", "-n", ".", server.url]), await docteur(["grep", "-n", ".", file]));
  const facts = JSON.parse(
    (await docteur(["info", "--json", "--quick", `${server.url}?token=secret`])).stdout,
  );
  assert.equal(facts.image, `${server.url}?…`);
  assert.equal("pathCounts" in facts, false);
});

test("a file of a large image costs its part of it, verify each byte once and in order", async (t) => {
  const image = await largeImage(t);
  const server = await serve(t, image);
  const { stdout } = await docteur(["cat", server.url, "/small"]);
  assert.equal(stdout, "small\n");
  assert.ok(server.sent < image.length / 4, `${server.sent} of ${image.length}`);
  server.seen.length = 0;
  server.sent = 0;
  const work = temporaryFolder(t);
  const checked = await docteur(["verify", "-q", server.url], { env: { TMPDIR: work } });
  assert.equal(checked.status, 0, checked.stderr);
  assert.deepEqual(readdirSync(work), []);
  // Of the tail, a part of a page has come when the image was opened.
  assert.ok(server.sent >= image.length && server.sent < image.length + (1 << 16), String(server.sent));
  const firsts = server.ranges.map((range) => Number(/^bytes=(\d+)-/.exec(range!)?.[1] ?? Number.NaN));
  // The tail is asked for when the image is opened.
  const rest = firsts.filter((first) => !Number.isNaN(first));
  assert.ok(firsts.length - rest.length <= 1);
  // In order, but for requests that are under way at once.
  for (const [at, first] of rest.entries())
    assert.ok(first >= Math.max(...rest.slice(0, at + 1)) - (8 << 20), rest.join());
  assert.ok(rest.length <= 12 + image.length / (1 << 20), `${rest.length} requests`);
  // However little of it fits into memory, but for the two pages of the tail.
  server.sent = 0;
  const { status, imageBytes } = await verify(server.url, { cacheSize: 1 << 20 });
  assert.ok(server.sent < image.length + (1 << 18), String(server.sent));
  assert.deepEqual([status, imageBytes], ["sound", image.length]);
});

test("a damaged image at a URL is told from one that cannot be had", async (t) => {
  const bytes = fixture("tiny.img").slice();
  bytes[100]! ^= 1;
  const server = await serve(t, bytes);
  assert.equal((await docteur(["verify", server.url])).status, 4);
  const missing = await docteur(["verify", server.url.replace("disk", "other")]);
  assert.equal(missing.status, 8);
  assert.match(missing.stderr, /^docteur: http:\/\/127\.0\.0\.1:\d+\/other\.img: .*404/);
  const { url } = server;
  server.stop();
  for (const args of [["ls"], ["cat"], ["checksum"], ["verify"]]) {
    const gone = await docteur([...args, "--retries=0", url, ...(args[0] === "cat" ? ["/x"] : [])]);
    assert.equal(gone.status, args[0] === "verify" ? 8 : 10, args[0]);
    assert.match(gone.stderr, /127\.0\.0\.1/);
  }
});

test("--cache keeps pages from one run to the next", async (t) => {
  const server = await serve(t, await largeImage(t));
  const cache = join(temporaryFolder(t), "cache");
  const run = () => docteur(["checksum", "--cache", cache, server.url]);
  const first = await run();
  const cold = server.seen.length;
  assert.deepEqual(await run(), first);
  // Opening looks whether the image is the one that was kept.
  assert.ok(server.seen.length - cold <= 2 && cold > 4, `${cold}, ${server.seen.length - cold}`);
});

test("--header is sent, from a file too, and shown nowhere", async (t) => {
  const server = await serve(t, fixture("tiny.img"));
  server.behaviour = ({ headers }, response) => {
    if (headers.authorization === "Bearer secret" && headers["x-more"] === "1") return false;
    response.writeHead(403).end();
    return true;
  };
  const file = join(temporaryFolder(t), "headers");
  writeFileSync(file, "Authorization: Bearer secret\nX-More: 1\n");
  assert.equal((await docteur(["ls", "--header", `@${file}`, server.url])).status, 0);
  const given = ["--header", "Authorization: Bearer secret", "--header", "x-more:1"];
  assert.equal((await docteur(["verify", "-q", ...given, server.url])).status, 0);
  const denied = await docteur(["ls", "--header=Authorization: Bearer secrecy", server.url]);
  assert.notEqual(denied.status, 0);
  assert.doesNotMatch(denied.stderr, /secre/);
  const wrong = await docteur(["ls", "--header", "secret", server.url]);
  assert.equal(wrong.status, 16);
  assert.doesNotMatch(wrong.stderr, /secret/);
  assert.equal((await docteur(["ls", "--cache-size=1M", server.url])).status, 16);
});

test("credentials of a URL are in no output", async (t) => {
  const server = await serve(t, fixture("tiny.img"));
  const url = server.url.replace("http://", "http://me:secret@");
  for (const args of [["verify"], ["verify", "--json"], ["verify", url]]) {
    const { stdout, stderr } = await docteur([...args, `${url}?key=secret`]);
    assert.doesNotMatch(stdout + stderr, /secret/, args[0]);
  }
});
