/** Verifying an image against `git index-pack` on its pack, by one thread and by two. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertSound } from "../../src/verify/index.js";
import { takeApart } from "../support/image.js";
import type { Benchmark } from "./benchmark.js";
import { runGit } from "./git.js";
import { alternate, createRow, timed } from "./measure.js";
import { gitName } from "./versions.js";

/** @param jobs threads, ours and git's */
function measureVerify(name: string, jobs: number): Benchmark {
  return async ({ corpus: load, signal }) => {
    const { image, name: corpus } = await load();
    const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
    try {
      const pack = join(folder, "a.pack");
      writeFileSync(pack, takeApart(readFileSync(image)).pack);
      const args = ["index-pack", `--threads=${jobs}`, "-o", join(folder, "a.idx"), pack];
      const [ours, peer] = await alternate(
        [() => timed(() => assertSound(image, { jobs })), () => timed(() => runGit(args, { cwd: folder }))],
        signal,
      );
      const peerName = `${await gitName()} index-pack --threads=${jobs}`;
      return [createRow({ name, corpus, unit: "ms", ours: ours!, peer: peer!, peerName }, "less")];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

export const VERIFY: Record<string, Benchmark> = {
  verify: measureVerify("verify", 1),
  "verify-2": measureVerify("verify-2", 2),
};
