/** Making images of a directory: their size, the time and the memory that it takes, and what longer chains of deltas buy. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { createRepository } from "./corpus.js";
import { alternate, createRow, type Rounds, type Row, timed } from "./measure.js";
import { sample } from "./sample.js";
import { gitName } from "./versions.js";

/** Runs take seconds. */
const LONG_ROUNDS: Rounds = { warmUp: 0, least: 5, most: 5, enough: 0 };

/** A directory's date is its newest file's by default: this one is the same on every machine. */
const DATE = "2024-06-07T08:09:10Z";

/** Bytes that a process which makes an image may take. */
const MEMORY_TARGET = 512_000_000;

/** git's search for the smallest pack that one would wait for. */
const WIDE_WINDOW = 250;

/** Chains that are compared. */
const DEPTHS = [0, 5, 10, 20, 50, 250] as const;
const READ_COUNT = 4000;
const READ_BYTES = 128_000_000;

/** Works in a folder that is removed at the end. */
async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of a repository's pack and its index. */
function packBytes(repository: string): number {
  const folder = join(repository, ".git", "objects", "pack");
  return readdirSync(folder)
    .filter((name) => /\.(pack|idx)$/.test(name))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Makes an image in a process of its own. @returns the most memory that it took, in bytes */
async function makeInProcess(source: string, image: string): Promise<number> {
  const module = JSON.stringify(new URL("../../src/make/index.js", import.meta.url).href);
  const program = `const { make } = await import(${module});
    await make(process.argv[1], process.argv[2], { date: ${JSON.stringify(DATE)} });
    console.log(process.resourceUsage().maxRSS * 1024);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, source, image], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`making the image ended with status ${status}`);
  return Number(printed);
}

const measureSize: Benchmark = async ({ corpus: load }) => {
  const { name: corpus, workTree } = await load();
  return withFolder(async (folder) => {
    const made = await make(workTree, join(folder, "image"), { date: DATE });
    const repository = join(folder, "repository");
    await createRepository(repository, workTree, WIDE_WINDOW);
    const peerName = `${await gitName()} repack --window=${WIDE_WINDOW} --depth=50`;
    const ours = made.packBytes + made.idxBytes;
    const unit = "bytes of PACK and IDX";
    return [
      createRow({ name: "make-size", corpus, unit, ours, peer: packBytes(repository), peerName }, "less"),
    ];
  });
};

const measureTime: Benchmark = async ({ corpus: load, signal }) => {
  const { name: corpus, workTree } = await load();
  return withFolder(async (folder) => {
    const repository = join(folder, "repository");
    const [ours, peer] = await alternate(
      [
        () => timed(() => makeInProcess(workTree, join(folder, "image"))),
        () => {
          rmSync(repository, { recursive: true, force: true });
          return timed(() => createRepository(repository, workTree));
        },
      ],
      signal,
      LONG_ROUNDS,
    );
    const peerName = `${await gitName()} add, commit, repack --window=10`;
    return [createRow({ name: "make-time", corpus, unit: "ms", ours: ours!, peer: peer!, peerName }, "less")];
  });
};

const measureMemory: Benchmark = async ({ corpus: load }) => {
  const { name: corpus, workTree } = await load();
  const ours = await withFolder((folder) => makeInProcess(workTree, join(folder, "image")));
  const row = { name: "make-memory", corpus, unit: "bytes, at most", peerName: "target" };
  return [createRow({ ...row, ours, peer: MEMORY_TARGET }, "less")];
};

const measureDepth: Benchmark = async ({ corpus: load, signal }) => {
  const { name: corpus, workTree, files } = await load();
  const chosen = sample(files, seeded(11), READ_COUNT, READ_BYTES);
  return withFolder(async (folder) => {
    const sizes: number[] = [];
    for (const depth of DEPTHS) {
      const made = await make(workTree, join(folder, `${depth}`), { date: DATE, depth });
      sizes.push(made.packBytes + made.idxBytes);
    }
    const times = await alternate(
      DEPTHS.map(
        (depth) => () =>
          timed(async () => {
            const volume = await open(join(folder, `${depth}`));
            for (const { path } of chosen) await volume.get(path);
            await volume.close();
          }),
      ),
      signal,
    );
    const rate = (index: number): number => (1000 * chosen.length) / times[index]!;
    return DEPTHS.flatMap((depth, index): Row[] => {
      const row = { name: "make-depth", corpus };
      const whole = `depth ${DEPTHS[0]}`;
      return [
        createRow(
          { ...row, unit: `bytes, depth ${depth}`, ours: sizes[index]!, peer: sizes[0]!, peerName: whole },
          "less",
        ),
        createRow(
          {
            ...row,
            unit: `random files/s, depth ${depth}`,
            ours: rate(index),
            peer: rate(0),
            peerName: whole,
          },
          "more",
        ),
      ];
    });
  });
};

export const MAKE: Record<string, Benchmark> = {
  "make-size": measureSize,
  "make-time": measureTime,
  "make-memory": measureMemory,
  "make-depth": measureDepth,
};
