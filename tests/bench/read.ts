/** Reading files: at random, all in path order, and parts of large ones. */
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import isomorphicGit from "isomorphic-git";
import { DocteurError, type OpenOptions, open } from "../../src/index.js";
import { gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import type { Corpus, CorpusFile } from "./corpus.js";
import { CAT_FILE, countOutput, runGit } from "./git.js";
import { alternate, type Contestant, createRow, type Row, timed } from "./measure.js";
import { sample } from "./sample.js";
import { packEntries, TYPE } from "./streams.js";
import { gitName, ISOMORPHIC_GIT } from "./versions.js";

/** Files read at random in one run: so many, and so many bytes of them, at most. */
const RANDOM_COUNT = 4000;
const RANDOM_BYTES = 128_000_000;
/** isomorphic-git is slower: it is given fewer. */
const SLOW_COUNT = 200;
const SLOW_BYTES = 16_000_000;
const SMALL_MEMORY = 32 << 20;
/** Parts of a large file. */
const LARGE_BYTES = 1_000_000;
const PART_BYTES = 4096;
const PART_COUNT = 8;

function sizeOf(files: readonly CorpusFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Opens the image and reads files of it, one after another. @returns bytes read */
async function readOurs(corpus: Corpus, files: readonly CorpusFile[], options: OpenOptions): Promise<number> {
  const volume = await open(corpus.image, options);
  let bytes = 0;
  for (const { path } of files) bytes += (await volume.get(path)).length;
  await volume.close();
  return bytes;
}

/** Milliseconds of our reading. */
function ourTime(corpus: Corpus, files: readonly CorpusFile[], options: OpenOptions = {}): Contestant {
  const expected = sizeOf(files);
  return () =>
    timed(async () => {
      if ((await readOurs(corpus, files, options)) !== expected) throw new Error("a file is too short");
    });
}

/** What git is asked. */
type Naming = "HEAD:path" | "oid";

function requests(files: readonly CorpusFile[], naming: Naming): string {
  return files.map(({ path, oid }) => `${naming === "oid" ? oid : `HEAD:${path}`}\n`).join("");
}

/** Milliseconds of one `git cat-file --batch`, from its start to its end. */
function gitTime({ repository }: Corpus, files: readonly CorpusFile[], naming: Naming): Contestant {
  const input = requests(files, naming);
  const expected = files.reduce((sum, { oid, size }) => sum + `${oid} blob ${size}\n\n`.length + size, 0);
  return () =>
    timed(async () => {
      if ((await countOutput(CAT_FILE, repository, input)) !== expected)
        throw new Error("git's output is of another length");
    });
}

/** Milliseconds of isomorphic-git, after a first read that loads its index. */
function isomorphicTime({ repository, commit }: Corpus, files: readonly CorpusFile[]): Contestant {
  return async () => {
    const request = { fs, gitdir: `${repository}/.git`, oid: commit, cache: {} };
    await isomorphicGit.readBlob({ ...request, filepath: files[0]!.path });
    return timed(async () => {
      for (const { path, oid } of files)
        if ((await isomorphicGit.readBlob({ ...request, filepath: path })).oid !== oid)
          throw new Error(`isomorphic-git reads another ${path}`);
    });
  };
}

/** What we read, and what git prints when asked in either way, is what the commit holds. */
async function verify(
  corpus: Corpus,
  files: readonly CorpusFile[],
  options: OpenOptions = {},
): Promise<void> {
  const volume = await open(corpus.image, options);
  for (const { path, oid } of files)
    if (gitOid("blob", await volume.get(path)) !== oid) throw new Error(`${path} is read wrongly`);
  await volume.close();
  const heads = files.map(({ oid, size }) => `${oid} blob ${size}\n`).join("");
  const check = ["cat-file", "--batch-check", "--buffer"];
  for (const naming of ["HEAD:path", "oid"] as const) {
    const output = await runGit(check, { cwd: corpus.repository, input: requests(files, naming) });
    if (output.toString() !== heads) throw new Error(`git finds something else by ${naming}`);
  }
}

function randomFiles({ files }: Corpus): CorpusFile[] {
  return sample(files, seeded(4), RANDOM_COUNT, RANDOM_BYTES);
}

const measureRandom: Benchmark = async ({ corpus: load, signal }) => {
  const corpus = await load();
  const files = randomFiles(corpus);
  const few = sample(files, seeded(5), SLOW_COUNT, SLOW_BYTES);
  await verify(corpus, files);
  const [ours, byPath, byOid] = await alternate(
    [ourTime(corpus, files), gitTime(corpus, files, "HEAD:path"), gitTime(corpus, files, "oid")],
    signal,
  );
  // In turns with the others it would leave old garbage in this process, which our runs would pay for and git's would not.
  const [slow] = await alternate([isomorphicTime(corpus, few)], signal);
  const git = `${await gitName()} cat-file --batch`;
  const peers = [
    { peerName: `${git}, by HEAD:path`, time: byPath!, count: files.length },
    { peerName: `${git}, by oid`, time: byOid!, count: files.length },
    { peerName: ISOMORPHIC_GIT, time: slow!, count: few.length },
  ];
  const row = {
    name: "random-read",
    corpus: corpus.name,
    unit: "us/file",
    ours: (ours! * 1000) / files.length,
  };
  return peers.map(({ peerName, time, count }) =>
    createRow({ ...row, peer: (time * 1000) / count, peerName }, "less"),
  );
};

/** Reads files within a cap of memory. @returns those that could be read */
async function readable(
  corpus: Corpus,
  files: readonly CorpusFile[],
  options: OpenOptions,
): Promise<CorpusFile[]> {
  const fitting: CorpusFile[] = [];
  const volume = await open(corpus.image, options);
  for (const file of files) {
    try {
      await volume.get(file.path);
      fitting.push(file);
    } catch (error) {
      if (!(error instanceof DocteurError && error.code === "OutOfMemory")) throw error;
    }
  }
  await volume.close();
  return fitting;
}

/** Files that can be read within a cap of memory, one after another: whether a large delta and its base fit depends on what was read before. */
async function filesWithin(corpus: Corpus, options: OpenOptions): Promise<CorpusFile[]> {
  for (let files = randomFiles(corpus); ; ) {
    const fitting = await readable(corpus, files, options);
    if (fitting.length === files.length) return files;
    files = fitting;
  }
}

const measureRandomSmall: Benchmark = async ({ corpus: load, note, signal }) => {
  const corpus = await load();
  const options = { memoryLimit: SMALL_MEMORY };
  const files = await filesWithin(corpus, options);
  const missing = randomFiles(corpus).length - files.length;
  if (missing > 0)
    note(`random-read-32m: ${missing} of ${missing + files.length} files need more memory, and are left out`);
  if (files.length === 0) return [];
  await verify(corpus, files, options);
  const [ours, theirs] = await alternate(
    [ourTime(corpus, files, options), gitTime(corpus, files, "oid")],
    signal,
  );
  const rate = (time: number): number => (files.length * 1000) / time;
  const row = { name: "random-read-32m", corpus: corpus.name, unit: "files/s" };
  const peerName = `${await gitName()} cat-file --batch, by oid, memory not limited`;
  return [createRow({ ...row, ours: rate(ours!), peer: rate(theirs!), peerName }, "more")];
};

const measureAll: Benchmark = async ({ corpus: load, signal }) => {
  const corpus = await load();
  await verify(corpus, corpus.files);
  const [ours, peer] = await alternate(
    [ourTime(corpus, corpus.files), gitTime(corpus, corpus.files, "oid")],
    signal,
  );
  const peerName = `${await gitName()} cat-file --batch, by oid`;
  const row = { name: "read-all", corpus: corpus.name, unit: "ms" };
  return [createRow({ ...row, ours: ours!, peer: peer!, peerName }, "less")];
};

/** Every level of proof against none: files at random, and all. Each run opens the image anew. */
const measureVerified: Benchmark = async ({ corpus: load, signal }) => {
  const corpus = await load();
  const levels: [name: string, options: OpenOptions][] = [
    ["crc", { proof: "crc" }],
    ["oid", { proof: "oid" }],
    ["oid, collisions", { proof: "oid", collisions: true }],
  ];
  const rows: Row[] = [];
  for (const [what, files] of [
    ["random", randomFiles(corpus)],
    ["all", corpus.files],
  ] as const) {
    const [none, ...proven] = await alternate(
      [ourTime(corpus, files), ...levels.map(([, options]) => ourTime(corpus, files, options))],
      signal,
    );
    const perFile = (time: number): number => (time * 1000) / files.length;
    levels.forEach(([level], index) => {
      const unit = `us/file, ${what}, ${level}`;
      const row = { name: "read-verify", corpus: corpus.name, unit, peerName: "docteur, verify: none" };
      rows.push(createRow({ ...row, ours: perFile(proven[index]!), peer: perFile(none!) }, "less"));
    });
  }
  return rows;
};

/** The largest file that the image's pack stores whole, and the largest that it stores as a delta. */
async function largeFiles({ image, files }: Corpus): Promise<{ file: CorpusFile; stored: string }[]> {
  const types = new Map(packEntries(await readFile(image)).map(({ oid, type }) => [oid, type]));
  const large = files.filter(({ size }) => size >= LARGE_BYTES).sort((a, b) => b.size - a.size);
  const whole = large.find(({ oid }) => types.get(oid) === TYPE.BLOB);
  const delta = large.find(({ oid }) => types.get(oid) !== TYPE.BLOB);
  return [
    ...(whole === undefined ? [] : [{ file: whole, stored: "stored whole" }]),
    ...(delta === undefined ? [] : [{ file: delta, stored: "a delta" }]),
  ];
}

/** Milliseconds of reading a part, each in a volume just opened that has found the path. */
function ourParts(corpus: Corpus, { path }: CorpusFile, offsets: readonly number[]): Contestant {
  return async () => {
    let sum = 0;
    for (const offset of offsets) {
      const volume = await open(corpus.image);
      await volume.stat(path);
      sum += await timed(() => volume.getPartial(path, offset, PART_BYTES));
      await volume.close();
    }
    return sum / offsets.length;
  };
}

/** Milliseconds in which git prints the whole file, of which the part is then taken. */
function gitParts({ repository }: Corpus, { oid }: CorpusFile, offsets: readonly number[]): Contestant {
  const input = `${oid}\n`.repeat(offsets.length);
  return async () => (await timed(() => countOutput(CAT_FILE, repository, input))) / offsets.length;
}

async function verifyParts(corpus: Corpus, file: CorpusFile, offsets: readonly number[]): Promise<void> {
  const whole = await runGit(["cat-file", "blob", file.oid], { cwd: corpus.repository });
  const volume = await open(corpus.image);
  for (const offset of offsets) {
    const part = await volume.getPartial(file.path, offset, PART_BYTES);
    if (!whole.subarray(offset, offset + PART_BYTES).equals(part))
      throw new Error(`${file.path} is read wrongly`);
  }
  await volume.close();
}

const measurePartial: Benchmark = async (context) => {
  const corpus = await context.corpus();
  const rows: Row[] = [];
  for (const { file, stored } of await largeFiles(corpus)) {
    const random = seeded(6);
    const offsets = Array.from({ length: PART_COUNT }, () => random(file.size - PART_BYTES));
    await verifyParts(corpus, file, offsets);
    const [ours, peer] = await alternate(
      [ourParts(corpus, file, offsets), gitParts(corpus, file, offsets)],
      context.signal,
    );
    const unit = `ms/4 KB of ${(file.size / 1e6).toFixed(1)} MB, ${stored}`;
    const peerName = `${await gitName()} cat-file --batch of the whole`;
    const row = { name: "partial-read", corpus: corpus.name, unit };
    rows.push(createRow({ ...row, ours: ours!, peer: peer!, peerName }, "less"));
  }
  if (rows.length === 0) context.note("partial-read: no file of the corpus is as large as 1 MB");
  return rows;
};

export const READ: Record<string, Benchmark> = {
  "random-read": measureRandom,
  "random-read-32m": measureRandomSmall,
  "read-all": measureAll,
  "partial-read": measurePartial,
  "read-verify": measureVerified,
};
