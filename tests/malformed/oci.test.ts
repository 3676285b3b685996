/** Registries that lie, fail and stall. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { ARTIFACT_TYPE, INDEX_TYPE } from "../../src/devices/oci/artifact.js";
import { formatReference, parseOciUrl } from "../../src/devices/oci/reference.js";
import { open } from "../../src/index.js";
import { pull, push } from "../../src/oci/index.js";
import { verify } from "../../src/verify/index.js";
import { docteur } from "../support/cli.js";
import { digestOfBytes, type FakeRegistry, manifestOf, type SeenRequest } from "../support/fake-registry.js";
import { setUpRegistry } from "../support/fake-registry-place.js";

const FILE = "disk-fixtures/gitdelta.img";
const IMAGE = readFileSync(FILE);
/** With padding behind it, which is part of an image: several requests long. */
const LARGE = Buffer.concat([IMAGE, Buffer.alloc(11 << 20, 3)]);
const QUICK = { timeout: 300, retries: 0 };

/** Files beside the target. */
const leftIn = (folder: string): string[] => readdirSync(folder).filter((name) => name !== "docker");

const zeros = "0".repeat(64);
const MANIFESTS: [what: string, manifest: string, error: object][] = [
  ["not JSON", "<html>", { code: "Io", message: /not JSON/ }],
  ["null", "null", { code: "Io", message: /not an object/ }],
  ["empty", "{}", { code: "Io", message: /not a docteur image/ }],
  ["of wrong types", JSON.stringify({ layers: 3, manifests: {}, annotations: [] }), { code: "Io" }],
  ["of a layer of another type", manifestOf(IMAGE, { mediaType: "text/plain" }), { code: "Io" }],
  ["of a digest of another kind", manifestOf(IMAGE, { digest: "md5:00" }), { code: "Io" }],
  ["of a digest that is a path", manifestOf(IMAGE, { digest: `sha256:../../${zeros}` }), { code: "Io" }],
  ["of a size that is no number", manifestOf(IMAGE, { size: "many" }), { code: "Io" }],
  ["of another size", manifestOf(IMAGE, { size: 512 }), { code: "Mismatch" }],
  ["of a blob that is not there", manifestOf(Buffer.from("other")), { code: "Io", message: /404/ }],
  ["huge", " ".repeat((4 << 20) + 1), { code: "Io", message: /larger than/ }],
];

for (const [what, manifest, error] of MANIFESTS)
  test(`a manifest that is ${what} is a typed error, and no file`, async (t) => {
    const { registry, folder, url, out } = await setUpRegistry(t, IMAGE);
    registry.manifests.set("latest", manifest);
    await assert.rejects(open(url), error);
    await assert.rejects(pull(url, out), error);
    assert.deepEqual(leftIn(folder), []);
  });

test("a manifest must have the digest that it is asked for by, also behind an index", async (t) => {
  const { registry, url } = await setUpRegistry(t, IMAGE);
  const manifest = manifestOf(IMAGE);
  const digest = digestOfBytes(manifest);
  registry.manifests.set(digest, `${manifest} `);
  await assert.rejects(open(`${url}@${digest}`), { code: "Mismatch" });
  const entry = { mediaType: "x", artifactType: ARTIFACT_TYPE, digest, size: manifest.length };
  const index = (entries: object[]): string => JSON.stringify({ mediaType: INDEX_TYPE, manifests: entries });
  registry.manifests.set("latest", index([{ digest: `sha256:${zeros}`, size: 1 }, entry]));
  await assert.rejects(open(url), { code: "Mismatch" });
  registry.manifests.set(digest, manifest);
  await (await open(url)).close();
  // An index of itself ends somewhere.
  const inner = index([entry]);
  const innerDigest = digestOfBytes(inner);
  registry.manifests.set(innerDigest, inner);
  registry.manifests.set("latest", index([{ ...entry, digest: innerDigest }]));
  await assert.rejects(open(url), { code: "Io", message: /index leads to an index/ });
});

test("a pull does not take other bytes than those of the digest", async (t) => {
  const { registry, folder, url, out } = await setUpRegistry(t, LARGE);
  writeFileSync(out, "before");
  const wrong = Buffer.from(LARGE);
  wrong[9 << 20]! ^= 1;
  registry.blobs.set(digestOfBytes(LARGE), wrong);
  await assert.rejects(pull(url, out), { code: "Mismatch", message: /other bytes/ });
  assert.equal(readFileSync(out, "utf8"), "before");
  assert.deepEqual(leftIn(folder), ["out.img"]);
  // The same by the command, and its exit status.
  const { status, stderr } = await docteur(["pull", url, out], { env: process.env });
  assert.equal(status, 4);
  assert.match(stderr, /other bytes than those of sha256:/);
});

test("a pull goes on after failures, and leaves what it has when they do not end", async (t) => {
  const { registry, folder, url, out } = await setUpRegistry(t, LARGE);
  const blob = `/v2/site/blobs/${digestOfBytes(LARGE)}`;
  let left = 3;
  registry.intercept = ({ url: at, headers }, response) => {
    if (at !== blob || !headers.range!.startsWith("bytes=4194304") || left-- <= 0) return false;
    if (left === 0) response.writeHead(503).end();
    else response.destroy();
    return true;
  };
  await pull(url, out);
  assert.ok(readFileSync(out).equals(LARGE));

  registry.intercept = ({ url: at, headers }, response) => {
    if (at !== blob || !headers.range!.startsWith("bytes=8388608")) return false;
    response.writeHead(503).end();
    return true;
  };
  const other = join(folder, "other.img");
  await assert.rejects(pull(url, other, QUICK), { code: "Network", message: /503/ });
  assert.ok(!existsSync(other));
  const part = leftIn(folder).find((name) => name.endsWith(".part"))!;
  assert.equal(readFileSync(join(folder, part)).length, 8 << 20);
  registry.intercept = undefined;
  registry.seen.length = 0;
  assert.equal((await pull(url, other)).resumedBytes, 8 << 20);
  const starts = registry.seen.flatMap(
    ({ headers }) => /^bytes=([0-9]{6,})/.exec(headers.range ?? "")?.[1] ?? [],
  );
  assert.equal(Math.min(...starts.map(Number)), 8 << 20);
});

test("a registry that never answers, or drips, runs into the time-out", async (t) => {
  const { registry, url, out } = await setUpRegistry(t, LARGE);
  const stalled: ServerResponse[] = [];
  t.after(() => stalled.map((response) => response.destroy()));
  const stall =
    (part: RegExp) =>
    (request: SeenRequest, response: ServerResponse): boolean => {
      if (!part.test(request.url)) return false;
      stalled.push(response);
      response.writeHead(part.source === "manifests" ? 200 : 206, {
        "content-range": `bytes 0-65535/${LARGE.length}`,
      });
      response.write(" ");
      return true;
    };
  registry.intercept = stall(/blobs/);
  await assert.rejects(pull(url, out, QUICK), { code: "Network" });
  registry.intercept = stall(/manifests/);
  await assert.rejects(pull(url, out, QUICK), { code: "Network" });
});

test("chunks that fail are sent again, those that arrived are not, and a registry that loses them is given up", async (t) => {
  const { registry, folder, url } = await setUpRegistry(t, undefined);
  const large = join(folder, "large.img");
  writeFileSync(large, LARGE);
  const options = { chunkSize: 5 << 20 };
  let patches = 0;
  registry.intercept = ({ method }, response) => {
    if (method !== "PATCH" || ++patches !== 2) return false;
    response.writeHead(502).end();
    return true;
  };
  await push(large, url, options);
  assert.ok(registry.blobs.get(digestOfBytes(LARGE))!.equals(LARGE));
  const sent = registry.seen
    .filter(({ method }) => method === "PATCH")
    .map(({ headers }) => headers["content-range"]);
  const [first, second] = [5 << 20, 10 << 20];
  const range = (start: number, end: number): string => `${start}-${end - 1}`;
  const again = range(first, second);
  assert.deepEqual(sent, [range(0, first), again, again, range(second, LARGE.length)]);

  // A chunk that arrived, and whose answer did not.
  registry.blobs.clear();
  registry.seen.length = 0;
  let answers = 0;
  registry.intercept = ({ method }, response) => {
    if (method === "PATCH" && ++answers === 2)
      Object.assign(response, { writeHead: () => response.destroy(), end: () => response });
    return false;
  };
  await push(large, url, options);
  assert.ok(registry.blobs.get(digestOfBytes(LARGE))!.equals(LARGE));
  const ranges = registry.seen.flatMap(({ headers }) => headers["content-range"] ?? []);
  assert.deepEqual(ranges, [range(0, first), again, range(second, LARGE.length)]);

  registry.blobs.clear();
  registry.intercept = ({ method, url: at }, response) =>
    method === "PATCH" && Boolean(response.writeHead(202, { location: at, range: "0-0" }).end());
  await assert.rejects(push(large, url, options), { code: "Io", message: /does not keep/ });
});

test("a registry's refusals are shown in its words, once, and cut", async (t) => {
  const { registry, url } = await setUpRegistry(t, undefined);
  const errors = [{ code: "TOOBIG", message: `quota\n\u001b[31m${"x".repeat(5000)}` }];
  registry.intercept = ({ method }, response) =>
    method === "PUT" && Boolean(response.writeHead(413).end(JSON.stringify({ errors })));
  const { status, stderr } = await docteur(["push", FILE, url], { env: process.env });
  assert.equal(status, 8);
  assert.match(stderr, /^docteur: oci:\/\/\S+: the registry answers 413, TOOBIG: quota\\x0a\\x1b\[31mx+\n$/);
  assert.ok(stderr.length < 400);
  assert.equal(registry.seen.filter(({ method }) => method === "PUT").length, 1);
});

test("an upload that breaks off is tried again as a whole", async (t) => {
  const { registry, url } = await setUpRegistry(t, undefined);
  let count = 0;
  registry.intercept = ({ method, length }, response) => {
    if (method !== "PUT" || length !== IMAGE.length || ++count > 2) return false;
    response.destroy();
    return true;
  };
  const { imageDigest } = await push(FILE, url);
  assert.equal(count, 3);
  assert.ok(registry.blobs.get(imageDigest)!.equals(IMAGE));
});

test("references are read as written, and nothing else is one", () => {
  const roundTrips = [
    "oci://registry.example/site:latest",
    "oci://registry.example:5000/team/a.b_c__d-e:v1.2_3-4",
    `oci://localhost:5000/site@sha256:${zeros}`,
    `oci://[::1]:5000/site:v1@sha256:${zeros}`,
    "oci+http://registry.example/site:latest",
  ];
  for (const url of roundTrips) assert.equal(formatReference(parseOciUrl(new URL(url))), url);
  assert.equal(parseOciUrl(new URL("oci://registry.example/site")).origin, "https://registry.example");
  assert.equal(parseOciUrl(new URL("oci://127.0.0.1:5000/site")).origin, "http://127.0.0.1:5000");
  assert.equal(parseOciUrl(new URL("oci://127.evil.example/site")).origin, "https://127.evil.example");
  const refused = [
    "oci://registry.example",
    "oci:///site",
    "oci://registry.example/Site",
    "oci://r.example/a//b",
  ];
  const more = [
    "oci://u:secret@r.example/site",
    "oci://r.example/site?x",
    "oci://r.example/site:",
    "https://r.example/site",
  ];
  for (const url of [
    ...refused,
    ...more,
    "oci://r.example/site@sha256:00",
    `oci://r.example/${"a".repeat(256)}`,
  ])
    assert.throws(
      () => parseOciUrl(new URL(url)),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "InvalidArgument", url);
        return !error.message.includes("secret");
      },
    );
});

/** Lets a registry answer requests for blobs with the whole. @returns how many it has answered */
function ignoreRanges(registry: FakeRegistry, part: (count: number, whole: Buffer) => Buffer): () => number {
  let count = 0;
  registry.intercept = ({ url, method }, response) => {
    const blob =
      method === "GET" ? registry.blobs.get(/blobs\/(sha256:[0-9a-f]+)$/.exec(url)?.[1] ?? "") : undefined;
    if (blob === undefined) return false;
    const bytes = part(count++, blob);
    response.writeHead(200, { "content-length": blob.length });
    if (bytes.length < blob.length) response.write(bytes, () => response.destroy());
    else response.end(bytes);
    return true;
  };
  return () => count;
}

test("a pull from a registry that ignores ranges takes the image whole, from the start", async (t) => {
  const { registry, folder, url, out } = await setUpRegistry(t, LARGE);
  // What an earlier run left is of no use.
  registry.intercept = ({ headers }, response) =>
    headers.range?.startsWith("bytes=8388608") === true && Boolean(response.writeHead(503).end());
  await assert.rejects(pull(url, out, QUICK), { code: "Network" });
  assert.ok(leftIn(folder).some((name) => name.endsWith(".part")));
  const steps: number[] = [];
  const answered = ignoreRanges(registry, (_, whole) => whole);
  const summary = await pull(url, out, { onProgress: ({ done }) => void steps.push(done) });
  assert.equal(summary.resumedBytes, 0);
  assert.ok(readFileSync(out).equals(LARGE));
  assert.equal(steps.at(-1), LARGE.length);
  assert.deepEqual(leftIn(folder), ["out.img"]);
  // The head, perhaps the tail, and the whole.
  assert.ok(answered() <= 3, `${answered()} requests`);
});

test("a whole image that breaks off is pulled again, and must have its size and its digest", async (t) => {
  const { registry, folder, url, out } = await setUpRegistry(t, LARGE);
  const cut = (first: number) => (count: number, whole: Buffer) =>
    count >= 2 && count < first ? whole.subarray(0, 3 << 20) : whole;
  const answered = ignoreRanges(registry, cut(4));
  await pull(url, out);
  assert.ok(readFileSync(out).equals(LARGE));
  assert.equal(answered(), 5);
  ignoreRanges(registry, cut(99));
  const other = join(folder, "other.img");
  await assert.rejects(pull(url, other, { retries: 0, timeout: 60_000 }), { code: "Network" });
  assert.ok(!existsSync(other));

  const wrong = Buffer.from(LARGE);
  wrong[9 << 20]! ^= 1;
  for (const [content, message] of [
    [wrong, /other bytes than those of sha256:/],
    [Buffer.concat([LARGE, Buffer.alloc(512)]), /more than the [0-9]+ bytes of its manifest/],
  ] as const) {
    registry.blobs.set(digestOfBytes(LARGE), content);
    ignoreRanges(registry, (_, whole) => whole);
    await assert.rejects(pull(url, other), { code: "Mismatch", message });
    assert.ok(!existsSync(other));
  }
});

test("verify compares an image with the digest of the manifest, and reads of single pages cannot", async (t) => {
  // Whole blocks of 8 KiB.
  const image = Buffer.concat([IMAGE, Buffer.alloc((12 << 13) - IMAGE.length, 3)]);
  const { registry, url } = await setUpRegistry(t, image);
  assert.equal((await verify(url)).status, "sound");
  // Bytes behind the IDX, which belong to no object.
  const wrong = Buffer.from(image);
  wrong[image.length - 1]! ^= 1;
  registry.blobs.set(digestOfBytes(image), wrong);
  for (const options of [{}, { quick: true }, { blockSize: 8192 }]) {
    const { status, findings } = await verify(url, options);
    assert.equal(status, "mismatch");
    const [finding] = findings.filter(({ severity }) => severity === "error");
    assert.equal(
      finding!.message,
      `the digest of the image is ${digestOfBytes(wrong)}, not ${digestOfBytes(image)}`,
    );
  }
  const volume = await open(url, { proof: "oid" });
  assert.ok((await volume.list("/")).length > 0);
  await volume.close();
});
