/** Files that come first in an image. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError, open } from "../../src/index.js";
import { type MakeOptions, make, makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { commitAll, git } from "../support/git.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { parseImage } from "../support/pack.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Versions of pages, so that most files are deltas, and files that are alone. */
function files(): Record<string, string> {
  const random = seeded(3);
  const made: Record<string, string> = { "assets/style.css": "body { margin: 0 }\n", "é/ü.md": "umlauts" };
  for (let page = 0; page < 20; page++) {
    let lines = Array.from({ length: 40 }, () => `line ${random(1e9)} of page ${page}`);
    for (let version = 0; version < 6; version++) {
      lines = lines.map((line) => (random(20) === 0 ? `edited ${random(1e9)}` : line));
      made[`v${version}/guide/page-${page}.html`] = lines.join("\n");
    }
  }
  return made;
}

const DATE = "2024-06-07T08:09:10Z";

function sourceOf(t: TestContext): string {
  const folder = join(temporaryFolder(t), "source");
  for (const [path, content] of Object.entries(files())) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** The ids of the objects in the order of the PACK. */
const orderOf = (image: Uint8Array): string[] => parseImage(Buffer.from(image)).entries.map(({ oid }) => oid);

async function oidsOf(image: Uint8Array, paths: readonly string[]): Promise<string[]> {
  const volume = await open(image);
  const found = [];
  for (const path of paths) found.push((await volume.stat(path)).oid);
  await volume.close();
  return found;
}

test("files that are named come first, after the directories on the way to them", async () => {
  const hot = ["v3/guide/page-7.html", "", "/assets/", "é/ü.md", "v3/guide/page-7.html"];
  const plain = await makeImage(files(), { date: DATE });
  const { image, commit, tree, packBytes } = await makeImage(files(), { date: DATE, hot });
  assert.deepEqual([commit, tree], [plain.commit, plain.tree]);
  assert.ok(Math.abs(packBytes - plain.packBytes) < 200);
  const order = orderOf(image);
  assert.deepEqual(order.slice().sort(), orderOf(plain.image).sort());
  const paths = ["v3", "v3/guide", "assets", "é", "v3/guide/page-7.html", "assets/style.css", "é/ü.md"];
  const places = (await oidsOf(image, paths)).map((oid) => order.indexOf(oid));
  assert.deepEqual(
    places,
    places.slice().sort((a, b) => a - b),
  );
  assert.deepEqual(order.slice(0, 2), [commit, tree]);
  // Beside them are only the bases that they need: the chain of one file, and those of three directories.
  assert.ok(places.at(-1)! < 20, `${places}`);
  const report = await verify(image);
  assert.deepEqual([report.status, report.findings], ["sound", []]);
  decodeLayout(image);
});

test("directories, archives, repositories and later makes give one order", async (t) => {
  const source = sourceOf(t);
  const target = join(temporaryFolder(t), "image");
  const options = { date: DATE, hot: ["v5/guide/page-3.html", Buffer.from("é/ü.md")] };
  const imageOf = async (from: string, more: MakeOptions = {}): Promise<Buffer> => {
    await make(from, target, { ...options, ...more });
    return readFileSync(target);
  };
  const first = await imageOf(source);
  const { image } = await makeImage(files(), options);
  assert.ok(first.equals(image));
  for (const workers of [1, 3]) assert.ok((await imageOf(source, { workers })).equals(first));
  execFileSync("tar", ["-cf", join(target, "..", "tar"), "-C", source, "."]);
  assert.ok((await imageOf(join(target, "..", "tar"))).equals(first));
  const again = await imageOf(source, { from: target });
  assert.ok(again.equals(first));
  git(source, "init", "-q");
  commitAll(source, "site");
  const { date: _, ...plain } = options;
  await make(source, target, { ...plain, repack: true });
  const order = orderOf(readFileSync(target));
  const places = (await oidsOf(readFileSync(target), ["v5/guide/page-3.html", "é/ü.md"])).map((oid) =>
    order.indexOf(oid),
  );
  assert.ok(places[0]! < places[1]! && places[1]! < 20, `${places}`);
  await assert.rejects(make(source, target, plain), /git packs it/);
});

test("a path that the image does not have is an error that names its line", async () => {
  for (const path of ["nothing", "v1/guide/page-1.html/x", "v1/guide/..", "../v1", "v1/Guide"])
    await assert.rejects(makeImage(files(), { hot: ["v1", "", path] }), (error) => {
      assert.ok(error instanceof DocteurError);
      assert.equal(error.code, "InvalidArgument");
      assert.match(error.message, /^line 3 of /);
      assert.ok(error.message.endsWith(path));
      return true;
    });
  await assert.rejects(makeImage({}, { hot: "v1" as never }), /a list of paths/);
});
