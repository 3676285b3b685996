/** Sources that are deep and wide: what they take follows their paths, not depth times names. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { paxHeader, tarMember } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

const COUNT = 2000;
const DEEP = "/a".repeat(505);
/** Megabytes of JavaScript's heap: a node for every folder, as there would be a million, takes ten times more. */
const HEAP = 48;

const TOOL = new URL("../../tools/docteur.js", import.meta.url).pathname;

test("an archive of many files in as many deep directories is made within a small heap", async (t) => {
  const work = temporaryFolder(t);
  const members = Array.from({ length: COUNT }, (_, index) =>
    Buffer.concat([tarMember(paxHeader({ path: `${index}${DEEP}` })), tarMember({ name: "x" })]),
  );
  writeFileSync(join(work, "deep.tgz"), gzipSync(Buffer.concat([...members, Buffer.alloc(1024)])));
  const args = [`--max-old-space-size=${HEAP}`, TOOL, "make", "--json", "--workers", "1"];
  const run = await promisify(execFile)(process.execPath, [...args, "deep.tgz", "deep.img"], { cwd: work });
  const made = JSON.parse(run.stdout) as { fileCount: number; objectCount: number };
  // The commit, the root, the trees of one path, and the empty content.
  assert.deepEqual([made.fileCount, made.objectCount], [COUNT, 1 + 1 + 505 + 1]);
  assert.deepEqual(readdirSync(work).sort(), ["deep.img", "deep.tgz"]);
});

test("files in memory with as many deep directories are one tree for each depth", async () => {
  const files = Array.from({ length: COUNT / 4 }, (_, index): [string, string] => [`${index}${DEEP}`, ""]);
  const { objectCount, image } = await makeImage(files);
  assert.equal(objectCount, 1 + 1 + 505 + 1);
  assert.equal((await verify(image)).status, "sound");
});
