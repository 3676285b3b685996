/**
 * 4 KB at random offsets of a large text file, stored whole and as a delta: with seek points and without, beside git, squashfs
 * and a plain file.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { countOutput, runGit } from "./git.js";
import { LOG_SIZE, wholeOf, writeLog } from "./large-log.js";
import { alternate, createRow, type Row, timed } from "./measure.js";
import { fileParts } from "./seek.js";
import { gitName } from "./versions.js";

const PART = 4096;
const COUNT = 50;
/** Parts that are read where each takes long. */
const SLOW_COUNT = 4;

/** Milliseconds a part, of a volume that has found the path and read nothing of the file. */
async function ourParts(image: string, path: string, places: readonly number[]): Promise<number> {
  await using volume = await open(image);
  await volume.stat(path);
  const time = await timed(async () => {
    for (const at of places) await volume.getPartial(path, at, PART);
  });
  return time / places.length;
}

/** Mounts a folder as squashfs does. @returns undefined where that is not installed, or cannot mount */
function mountSquashfs(source: string, folder: string): { path: string; end: () => void } | undefined {
  try {
    const image = join(folder, "squashfs");
    const mount = join(folder, "mount");
    mkdirSync(mount);
    execFileSync("mksquashfs", [source, image, "-comp", "zstd", "-quiet", "-no-progress"], {
      stdio: "ignore",
    });
    execFileSync("squashfuse", [image, mount], { stdio: "ignore" });
    return { path: mount, end: () => execFileSync("fusermount", ["-u", mount]) };
  } catch {
    return undefined;
  }
}

/** The two versions of the log, and what holds them. */
interface Logs {
  source: string;
  image: string;
  /** An image without seek points. */
  without: string;
  /** Where squashfs serves the files. */
  mounted: string | undefined;
  repository: string;
}

/** Measures reads of parts of one of the files. */
async function measureFile(logs: Logs, name: string, kind: string, signal: AbortSignal): Promise<Row[]> {
  const path = join(logs.source, name);
  const oid = (await runGit(["hash-object", path], { cwd: logs.repository })).toString().trim();
  await using file = await openFile(path);
  await using mounted = logs.mounted === undefined ? undefined : await openFile(join(logs.mounted, name));
  const random = seeded(7);
  const places = Array.from({ length: COUNT }, () => random(LOG_SIZE - PART));
  const few = places.slice(0, SLOW_COUNT);
  const [ours, oursOfFew, bareOurs, git, plain, fuse] = await alternate(
    [
      () => ourParts(logs.image, `/${name}`, places),
      () => ourParts(logs.image, `/${name}`, few),
      () => ourParts(logs.without, `/${name}`, few),
      () => timed(() => countOutput(["cat-file", "blob", oid], logs.repository)),
      () => fileParts(file, places, PART),
      ...(mounted === undefined ? [] : [() => fileParts(mounted, places, PART)]),
    ],
    signal,
  );
  const row = (peerName: string, peer: number, our = ours!): Row =>
    createRow(
      {
        name: "partial-read-large",
        corpus: `64 MiB, ${kind}`,
        unit: "ms/4 KB at random",
        ours: our,
        peer,
        peerName,
      },
      "less",
    );
  return [
    row(`docteur without seek points, ${SLOW_COUNT} parts`, bareOurs!, oursOfFew!),
    row(`${await gitName()} cat-file of the whole`, git!),
    row("a plain file", plain!),
    ...(fuse === undefined ? [] : [row("squashfuse, zstd", fuse)]),
  ];
}

const measureLarge: Benchmark = async ({ note, signal }) => {
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  const source = join(folder, "source");
  mkdirSync(source);
  writeLog(join(source, "log"));
  writeLog(join(source, "log.new"), true);
  const squashfs = mountSquashfs(source, folder);
  try {
    const image = join(folder, "image");
    const without = join(folder, "without");
    const { imageBytes } = await make(source, image, { signal });
    const bare = await make(source, without, { seek: Number.POSITIVE_INFINITY, signal });
    note(
      `partial-read-large: seek points take ${(100 * (imageBytes / bare.imageBytes - 1)).toFixed(2)} % of space`,
    );
    const repository = join(folder, "git");
    await runGit(["init", "--quiet", "--bare", repository]);
    for (const name of ["log", "log.new"])
      await runGit(["hash-object", "-w", join(source, name)], { cwd: repository });
    const logs: Logs = { source, image, without, mounted: squashfs?.path, repository };
    const whole = wholeOf(readFileSync(image), source);
    return [
      ...(await measureFile(logs, whole, "whole", signal)),
      ...(await measureFile(logs, whole === "log" ? "log.new" : "log", "a delta", signal)),
    ];
  } finally {
    squashfs?.end();
    rmSync(folder, { recursive: true, force: true });
  }
};

export const LARGE_READ: Record<string, Benchmark> = { "partial-read-large": measureLarge };
