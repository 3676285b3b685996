/**
 * An image of many GiB, made, checked by git and read. It takes minutes and three times the room, so it runs where it is
 * asked for: `DOCTEUR_TEST_HUGE=5 node --test dist/tests/differential/make-huge.test.js`, in GiB of incompressible files.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { DATE } from "../support/checked-image.js";
import { git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";

const GIB = Number(process.env.DOCTEUR_TEST_HUGE ?? 0);
const MEMORY_MAX = 512 << 20;

function writeNoise(path: string, seed: number, length: number): void {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 20);
  const fd = openSync(path, "w");
  for (let done = 0; done < length; done += zeros.length)
    writeSync(fd, cipher.update(zeros.subarray(0, Math.min(zeros.length, length - done))));
  closeSync(fd);
}

test("an image of many GiB", { skip: GIB > 0 ? false : "DOCTEUR_TEST_HUGE is not set" }, async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  for (let file = 0; file < 5; file++)
    writeNoise(join(source, `noise${file}`), file + 1, Math.floor((GIB * 2 ** 30) / 5));
  writeFileSync(join(source, "z"), "the last\n");
  const image = join(work, "image");
  const summary = await make(source, image, { date: DATE, workers: 2 });
  const { maxRSS } = process.resourceUsage();
  assert.ok(maxRSS * 1024 <= MEMORY_MAX, `${maxRSS} KiB of memory`);
  assert.ok(summary.packBytes > GIB * 2 ** 30);

  const pack = join(work, "pack");
  const end = 28 + summary.packBytes - 1;
  await pipeline(createReadStream(image, { start: 28, end }), createWriteStream(pack));
  git(work, "init", "-q", "--bare", "strict.git");
  execFileSync("git", ["index-pack", "--strict", "-o", join(work, "idx"), pack], {
    cwd: join(work, "strict.git"),
    stdio: "pipe",
  });
  const fd = openSync(image, "r");
  const header = Buffer.alloc(28);
  readSync(fd, header, 0, 28, 0);
  const idx = Buffer.alloc(summary.idxBytes);
  readSync(fd, idx, 0, idx.length, Number(header.readBigUInt64LE(20)));
  closeSync(fd);
  assert.ok(readFileSync(join(work, "idx")).equals(idx), "the index is not git's");

  const volume = await open(image);
  assert.equal(Buffer.from(await volume.get("/z")).toString(), "the last\n");
  await volume.close();
});
