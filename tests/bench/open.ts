/** Opening an image: to the first byte of a file, and with all trees read. */
import fs from "node:fs";
import isomorphicGit from "isomorphic-git";
import { open } from "../../src/index.js";
import { gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import type { Corpus, CorpusFile } from "./corpus.js";
import { countOutput } from "./git.js";
import { alternate, createRow, timed } from "./measure.js";
import { sample } from "./sample.js";
import { gitName, ISOMORPHIC_GIT } from "./versions.js";

/** Files that are read first, one a run; no larger than this. */
const FILE_COUNT = 16;
const FILE_BYTES = 16_384;
/** Bytes of the device that opening and reading may take. */
const TARGET = 65_536;

interface FirstRead {
  oid: string;
  deviceBytes: number;
}

async function readOurs({ image }: Corpus, { path }: CorpusFile): Promise<FirstRead> {
  const volume = await open(image);
  const oid = gitOid("blob", await volume.get(path));
  const { deviceBytes } = volume.stats();
  await volume.close();
  return { oid, deviceBytes };
}

async function readTheirs({ repository, commit }: Corpus, { path }: CorpusFile): Promise<string> {
  const gitdir = `${repository}/.git`;
  const { blob } = await isomorphicGit.readBlob({ fs, gitdir, oid: commit, filepath: path, cache: {} });
  return gitOid("blob", blob);
}

/** Small files of the corpus; the smallest, where there are none. */
function firstFiles({ files }: Corpus): CorpusFile[] {
  const least = files.reduce((least, { size }) => Math.min(least, size), Number.POSITIVE_INFINITY);
  const small = files.filter(({ size }) => size <= Math.max(least, FILE_BYTES));
  return sample(small, seeded(3), FILE_COUNT, Number.POSITIVE_INFINITY);
}

/** Each run takes the next of the files. */
function turns<T>(list: readonly T[]): () => T {
  let next = 0;
  return () => list[next++ % list.length]!;
}

const measureOpen: Benchmark = async ({ corpus: load, signal }) => {
  const corpus = await load();
  const files = firstFiles(corpus);
  let most = 0;
  for (const file of files) {
    const { oid, deviceBytes } = await readOurs(corpus, file);
    most = Math.max(most, deviceBytes);
    if (oid !== file.oid || (await readTheirs(corpus, file)) !== file.oid)
      throw new Error(`${file.path} is read wrongly`);
  }
  const [nextOurs, nextTheirs] = [turns(files), turns(files)];
  const [ours, peer] = await alternate(
    [() => timed(() => readOurs(corpus, nextOurs())), () => timed(() => readTheirs(corpus, nextTheirs()))],
    signal,
  );
  const row = { name: "open", corpus: corpus.name };
  return [
    createRow({ ...row, unit: "ms", ours: ours!, peer: peer!, peerName: ISOMORPHIC_GIT }, "less"),
    createRow({ ...row, unit: "bytes read, at most", ours: most, peer: TARGET, peerName: "target" }, "less"),
  ];
};

const measureOpenFast: Benchmark = async ({ corpus: load, signal }) => {
  const { image, repository, commit, files, name } = await load();
  const openOurs = async (): Promise<void> => {
    await (await open(image, { mode: "fast" })).close();
  };
  const listing = ["ls-tree", "-r", "-t", "-z", "--full-tree", commit];
  const volume = await open(image, { mode: "fast" });
  const reads = volume.stats().deviceReads;
  for (const { path, oid } of files)
    if ((await volume.digest(path)) !== oid) throw new Error(`${path} has another id`);
  if (volume.stats().deviceReads !== reads) throw new Error("a fast mount still reads trees");
  await volume.close();
  const bytes = await countOutput(listing, repository);
  const [ours, peer] = await alternate(
    [
      () => timed(openOurs),
      () =>
        timed(async () => {
          if ((await countOutput(listing, repository)) !== bytes)
            throw new Error("git listed something else");
        }),
    ],
    signal,
  );
  const peerName = `${await gitName()} ls-tree -r -t`;
  return [
    createRow({ name: "open-fast", corpus: name, unit: "ms", ours: ours!, peer: peer!, peerName }, "less"),
  ];
};

export const OPEN: Record<string, Benchmark> = { open: measureOpen, "open-fast": measureOpenFast };
