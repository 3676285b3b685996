/** The benchmarks' own parts: statistics, turns, samples, the pack's streams, the command line and what it prints. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { parseListing, selectFiles } from "../bench/corpus.js";
import { alternate, createRow, median, type Row, significant } from "../bench/measure.js";
import { sample, shuffled } from "../bench/sample.js";
import { packEntries, TYPE } from "../bench/streams.js";
import { FIXTURES, fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const NEVER = new AbortController().signal;

/** Runs the benchmarks' program with a temporary folder of its own. */
async function bench(
  args: string[],
  temporary: string,
): Promise<{ status: number | null; out: string; err: string }> {
  const program = fileURLToPath(new URL("../bench/main.js", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, out, err }));
  });
}

test("the median is the middle value, in any order", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test("contestants take turns, and the first turns do not count", async () => {
  const order: string[] = [];
  const contestant = (name: string, results: number[]) => () => {
    order.push(name);
    return results.shift()!;
  };
  const medians = await alternate(
    [contestant("a", [1000, 1, 2, 9]), contestant("b", [0, 30, 10, 20])],
    NEVER,
    { warmUp: 1, least: 3, most: 9, enough: 0 },
  );
  assert.deepEqual(medians, [2, 20]);
  assert.equal(order.join(""), "abababab");
});

test("turns go on until enough time is over, and end at the most", async () => {
  let count = 0;
  await alternate([() => ++count], NEVER, { warmUp: 2, least: 5, most: 7, enough: 60_000 });
  assert.equal(count, 9);
});

test("an aborted run stops before the next turn", async () => {
  const controller = new AbortController();
  let count = 0;
  const contestant = (): number => {
    if (++count === 2) controller.abort(new Error("stop"));
    return 1;
  };
  await assert.rejects(alternate([contestant], controller.signal), /stop/);
  assert.equal(count, 2);
});

test("a ratio above 1 means that ours is better, whichever way the unit goes", () => {
  const row = { name: "n", corpus: "c", unit: "u", ours: 4, peer: 2, peerName: "p" };
  assert.equal(createRow(row, "more").ratio, 2);
  assert.equal(createRow(row, "less").ratio, 0.5);
  assert.equal(significant(1234.5678), 1235);
  assert.equal(significant(0.00123456), 0.001235);
  assert.equal(significant(36323), 36323);
});

test("samples are the same every time, and keep to their bounds", () => {
  const list = Array.from({ length: 100 }, (_, index) => ({ index, size: index }));
  assert.deepEqual(shuffled(list, seeded(7)), shuffled(list, seeded(7)));
  assert.notDeepEqual(shuffled(list, seeded(7)), shuffled(list, seeded(8)));
  assert.equal(sample(list, seeded(7), 10, 1e9).length, 10);
  const some = sample(list, seeded(7), 100, 500);
  assert.equal(new Set(some).size, some.length);
  assert.ok(some.reduce((sum, { size }) => sum + size, 0) <= 500);
  assert.deepEqual(sample([{ size: 9 }], seeded(7), 5, 1), [{ size: 9 }], "one at least");
});

test("a listing of git's becomes files, without what is none", () => {
  const oid = "0123456789abcdef0123456789abcdef01234567";
  const lines = [
    `100644 blob ${oid}      12\ta b/ü`,
    `120000 blob ${oid}       3\tlink`,
    `160000 commit ${oid}       -\tmodule`,
    `100755 blob ${oid}       0\trun`,
    `100644 blob ${oid}       1\ta\nb`,
    "",
  ];
  assert.deepEqual(parseListing(Buffer.from(lines.join("\0"))), [
    { path: "a b/ü", oid, size: 12 },
    { path: "run", oid, size: 0 },
  ]);
});

test("the default corpus: a selection by path alone, within its bounds, without programs for one platform", async (t) => {
  const folder = temporaryFolder(t);
  for (const [path, size] of Object.entries({
    "a/b": 10,
    "a/c": 10,
    d: 10,
    big: 1000,
    "esbuild/bin/esbuild": 1,
  })) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), Buffer.alloc(size));
  }
  assert.deepEqual((await selectFiles(folder, 1e6, 100)).sort(), ["a/b", "a/c", "d"]);
  const two = await selectFiles(folder, 25, 100);
  assert.equal(two.length, 2);
  assert.deepEqual(await selectFiles(folder, 25, 100), two);
});

test("every stream of every fixture's pack inflates to its size", () => {
  const types = new Set<number>();
  for (const name of FIXTURES) {
    const image = Buffer.from(fixture(`${name}.img`));
    const blobs = new Set(fixtureBlobs(name).values());
    const entries = packEntries(image);
    assert.ok(entries.length > blobs.size, name);
    for (const { oid, type, size, stream } of entries) {
      types.add(type);
      const content = inflateSync(stream);
      assert.equal(content.length, size, `${name}: ${oid}`);
      if (type === TYPE.BLOB) assert.equal(gitOid("blob", content), oid, name);
    }
    const oids = new Set(entries.map(({ oid }) => oid));
    for (const oid of blobs) assert.ok(oids.has(oid), `${name}: ${oid}`);
  }
  for (const type of [TYPE.COMMIT, TYPE.TREE, TYPE.BLOB, TYPE.OFS_DELTA, TYPE.REF_DELTA])
    assert.ok(types.has(type), `type ${type} occurs`);
});

test("wrong arguments end with status 16 and a hint, a missing directory with 8", async (t) => {
  const folder = temporaryFolder(t);
  const runs: [string[], number, RegExp][] = [
    [["no-such"], 16, /^bench: no benchmark no-such\nhint: there is inflate-blobs, /],
    [["--no-such"], 16, /^bench: .*--no-such/],
    [["--corpus"], 16, /^bench: .*--corpus/],
    [["--corpus", join(folder, "none"), "open"], 8, /^bench: open: not a directory: /],
  ];
  const results = await Promise.all(runs.map(([args]) => bench(args, folder)));
  for (const [index, { status, out, err }] of results.entries()) {
    const [args, expected, message] = runs[index]!;
    assert.equal(status, expected, args.join(" "));
    assert.match(err, message);
    assert.equal(out, "");
  }
});

/** A corpus of small files that resemble each other. */
function createFiles(folder: string): string {
  const corpus = join(folder, "tiny-corpus");
  mkdirSync(join(corpus, "lib"), { recursive: true });
  const lines = Array.from({ length: 200 }, (_, line) => `line ${line * line}\n`);
  for (let i = 0; i < 8; i++) {
    lines[i * 20] = `changed ${i}\n`;
    writeFileSync(join(corpus, "lib", `file-${i}.txt`), lines.join(""));
  }
  return corpus;
}

test("--json prints rows, and nothing is left behind", async (t) => {
  const folder = temporaryFolder(t);
  const temporary = join(folder, "temporary");
  mkdirSync(temporary);
  const corpus = createFiles(folder);
  const names = ["inflate-blobs", "open", "random-read", "partial-read", "wasm-size"];
  const { status, out, err } = await bench(["--json", "--corpus", corpus, ...names], temporary);
  assert.equal(err, "bench: partial-read: no file of the corpus is as large as 1 MB\n");
  assert.equal(status, 0);
  assert.deepEqual(readdirSync(temporary), []);
  const rows = JSON.parse(out) as Row[];
  assert.deepEqual(
    new Set(rows.map(({ name }) => name)),
    new Set(names.filter((name) => name !== "partial-read")),
  );
  for (const row of rows) {
    assert.deepEqual(Object.keys(row).sort(), [
      "corpus",
      "name",
      "ours",
      "peer",
      "peerName",
      "ratio",
      "unit",
    ]);
    for (const field of ["ours", "peer", "ratio"] as const)
      assert.ok(row[field] > 0, `${row.name}: ${field}`);
    if (row.name !== "wasm-size") assert.equal(row.corpus, "tiny-corpus");
  }
  const peers = rows.filter(({ name }) => name === "random-read").map(({ peerName }) => peerName);
  assert.match(peers.join("\n"), /^git \d.*HEAD:path\ngit \d.*oid\nisomorphic-git \d/);
});
