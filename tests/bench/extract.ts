/** Extracting a whole image, as a command, against git's checkout of the same commit. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Benchmark } from "./benchmark.js";
import { runGit } from "./git.js";
import { alternate, createRow, type Row, timed } from "./measure.js";
import { gitName } from "./versions.js";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));

async function extractAll({ corpus, signal }: Parameters<Benchmark>[0]): Promise<Row[]> {
  const { name, repository, image, commit, files } = await corpus();
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  const target = join(folder, "out");
  /** Files per second of work that fills an empty directory. */
  const rate = async (work: () => Promise<unknown>): Promise<number> => {
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target);
    return files.length / ((await timed(work)) / 1000);
  };
  const checkOut = ["-C", repository, `--work-tree=${target}`, "checkout", "-q", "-f", commit, "--", "."];
  try {
    const [ours, peer] = (await alternate(
      [
        () => rate(() => run(process.execPath, [PROGRAM, "extract", "-q", image, "-C", target])),
        () => rate(() => runGit(checkOut)),
      ],
      signal,
    )) as [number, number];
    const peerName = `${await gitName()} checkout`;
    return [createRow({ name: "extract", corpus: name, unit: "files/s", ours, peer, peerName }, "more")];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const EXTRACT: Record<string, Benchmark> = { extract: extractAll };
