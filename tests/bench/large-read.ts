/** 4 KB at random offsets of one large text file: with seek points and without, beside git, squashfs and a plain file. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { countOutput, runGit } from "./git.js";
import { alternate, createRow, type Row, timed } from "./measure.js";
import { fileParts } from "./seek.js";
import { gitName } from "./versions.js";

const MIB = 1 << 20;
const SIZE = 64 * MIB;
const PART = 4096;
const COUNT = 50;

/** Writes lines as logs have them, a chunk at a time. */
function writeLog(path: string): void {
  const random = seeded(64);
  const file = openSync(path, "w");
  const words = Array.from({ length: 4000 }, () => random(2 ** 31).toString(36));
  for (let left = SIZE; left > 0; ) {
    let text = "";
    while (text.length < MIB)
      text += `2026-11-${10 + random(20)} ${words[random(4000)]} /${words[random(400)]}/${random(1e5)} ${random(9e4)}\n`;
    left -= writeSync(file, text.slice(0, Math.min(MIB, left)), null, "latin1");
  }
}

/** Milliseconds a part, of a volume that has found the path and read nothing of the file. */
async function ourParts(image: string, places: readonly number[]): Promise<number> {
  await using volume = await open(image);
  await volume.stat("/big/log");
  const time = await timed(async () => {
    for (const at of places) await volume.getPartial("/big/log", at, PART);
  });
  return time / places.length;
}

/** Mounts the file as squashfs does. @returns undefined where that is not installed, or cannot mount */
function mountSquashfs(source: string, folder: string): { path: string; end: () => void } | undefined {
  try {
    const image = join(folder, "squashfs");
    const mount = join(folder, "mount");
    mkdirSync(mount);
    execFileSync("mksquashfs", [source, image, "-comp", "zstd", "-quiet", "-no-progress"], {
      stdio: "ignore",
    });
    execFileSync("squashfuse", [image, mount], { stdio: "ignore" });
    return { path: join(mount, "log"), end: () => execFileSync("fusermount", ["-u", mount]) };
  } catch {
    return undefined;
  }
}

const measureLarge: Benchmark = async ({ note, signal }) => {
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  const source = join(folder, "source");
  const path = join(source, "big/log");
  mkdirSync(join(source, "big"), { recursive: true });
  writeLog(path);
  const squashfs = mountSquashfs(join(source, "big"), folder);
  try {
    const image = join(folder, "image");
    const without = join(folder, "without");
    const { imageBytes } = await make(source, image, { depth: 0, signal });
    const bare = await make(source, without, { depth: 0, seek: Number.POSITIVE_INFINITY, signal });
    note(
      `partial-read-large: seek points take ${(100 * (imageBytes / bare.imageBytes - 1)).toFixed(2)} % of space`,
    );
    const repository = join(folder, "git");
    await runGit(["init", "--quiet", "--bare", repository]);
    const oid = (await runGit(["hash-object", "-w", path], { cwd: repository })).toString().trim();
    await using file = await openFile(path);
    await using mounted = squashfs && (await openFile(squashfs.path));
    const random = seeded(7);
    const places = Array.from({ length: COUNT }, () => random(SIZE - PART));
    const [ours, bareOurs, git, plain, fuse] = await alternate(
      [
        () => ourParts(image, places),
        () => ourParts(without, places.slice(0, 4)),
        () => timed(() => countOutput(["cat-file", "blob", oid], repository)),
        () => fileParts(file, places, PART),
        ...(mounted === undefined ? [] : [() => fileParts(mounted, places, PART)]),
      ],
      signal,
    );
    const row = (peerName: string, peer: number): Row =>
      createRow(
        {
          name: "partial-read-large",
          corpus: "64 MiB",
          unit: "ms/4 KB at random",
          ours: ours!,
          peer,
          peerName,
        },
        "less",
      );
    return [
      row("docteur without seek points", bareOurs!),
      row(`${await gitName()} cat-file of the whole`, git!),
      row("a plain file", plain!),
      ...(fuse === undefined ? [] : [row("squashfuse, zstd", fuse)]),
    ];
  } finally {
    squashfs?.end();
    rmSync(folder, { recursive: true, force: true });
  }
};

export const LARGE_READ: Record<string, Benchmark> = { "partial-read-large": measureLarge };
