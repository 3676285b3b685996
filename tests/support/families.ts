/** Trees as people have them: families of files that resemble each other, all over the tree. */
import { createCipheriv } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PIECE_LEN, PIECED_MIN } from "../../src/make/pack/jobs.js";
import { type Random, seeded } from "./random.js";
import { edited, randomBytes, randomText } from "./similar.js";

/** Contents by path from the root. */
export type Files = Map<string, Buffer>;

/** What no compression makes smaller, of any length and at once. */
export function noise(seed: number, length: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Versions of one content, each a few edits from the one before it. */
function versions(random: Random, first: Buffer, count: number): Buffer[] {
  const all = [first];
  while (all.length < count) all.push(edited(random, all.at(-1)!, 1 + random(3)));
  return all;
}

/** Puts the members of a family far from each other, under names that are like or unlike. */
function scatter(random: Random, files: Files, family: string, members: readonly Buffer[]): void {
  for (const [at, content] of members.entries()) {
    const folder = `${"abcdefgh"[random(8)]}/${["src", "lib", "old", "doc"][random(4)]}${random(3)}`;
    const name = random(3) === 0 ? `x${random(1e6)}.${at}` : `${family}.ts`;
    files.set(`${folder}/${at}/${name}`, content);
  }
}

/**
 * A tree of several hundred KiB: versions of texts and of binaries, near duplicates and equal ones, logs that grew, folders
 * that differ by one file, empty files, files of one byte, and what resembles nothing.
 * @param scale how much of it: 1 gives about 600 KiB
 */
export function familyTree(seed: number, scale = 1): Files {
  const random = seeded(seed);
  const files: Files = new Map();
  const size = (length: number): number => Math.ceil(length * scale);
  scatter(random, files, "long-chain", versions(random, randomText(random, 2000), size(70)));
  for (let family = 0; family < size(6); family++)
    scatter(random, files, `text${family}`, versions(random, randomText(random, 300 + random(16_000)), 6));
  scatter(random, files, "binary", versions(random, randomBytes(random, size(20_000)), 5));
  scatter(random, files, "same", Array<Buffer>(4).fill(randomText(random, 5000)));
  const log = randomText(random, size(24_000));
  for (let part = 1; part <= 4; part++)
    files.set(`logs/app.log.${5 - part}`, log.subarray(0, (log.length * part) >> 2));
  for (let at = 0; at < 3; at++) {
    files.set(`odd/empty${at}`, Buffer.alloc(0));
    files.set(`odd/byte${at}`, Buffer.of(at));
    files.set(`odd/few${at}`, randomBytes(random, 48 + at));
    files.set(`odd/zeros${at}`, Buffer.alloc(10_000 + at));
    files.set(`odd/noise${at}`, randomBytes(random, size(15_000)));
  }
  const members = Array.from({ length: 30 }, () => randomBytes(random, 20 + random(40), 20));
  for (let copy = 0; copy < 4; copy++)
    for (const [at, content] of members.entries())
      files.set(`release${copy}/list/item${at}`, at === copy ? randomBytes(random, 30) : content);
  return files;
}

/** Adds files that go into the pack in pieces, and those that just do not. */
export function addPieced(files: Files, seed: number): void {
  const random = seeded(seed);
  const lines = Array.from({ length: 40_000 }, (_, at) => `${at}: ${random(1000)} of ${random(50)}\n`);
  const text = Buffer.from(lines.join(""));
  const repeated = Buffer.concat(Array<Buffer>(Math.ceil((9 * PIECE_LEN) / text.length)).fill(text));
  files.set("large/whole-pieces.txt", repeated.subarray(0, 9 * PIECE_LEN));
  const rough = noise(seed, PIECED_MIN + 1);
  files.set("large/one-more.bin", rough);
  files.set(
    "far/away/just-not.bin",
    edited(random, rough.subarray(0, PIECED_MIN - 1000), 3).subarray(0, PIECED_MIN),
  );
  files.set("far/away/delta-of-large.txt", edited(random, files.get("large/whole-pieces.txt")!, 5));
}

/**
 * Writes a tree.
 * @param order decides in which order, and the times of the files
 */
export function writeFiles(folder: string, files: Files, order: number): void {
  const random = seeded(order);
  const ranked = Array.from(files, ([path, content]) => ({ path, content, rank: random(1 << 30) }));
  for (const { path, content } of ranked.sort((a, b) => a.rank - b.rank)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, random(1e9), random(1e9));
  }
}
