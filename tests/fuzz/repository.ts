/** A bare repository of one pack, for git as the oracle. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPack, type PackEntry } from "../support/pack.js";

/** Runs git; whatever it thinks of the repository, it must end by itself. @returns all that it prints */
export type Git = (args: readonly string[], input?: string | Buffer) => Buffer;

/** Calls `use` with a repository that holds these objects, which goes afterwards. */
export function withRepository<T>(entries: readonly PackEntry[], use: (git: Git) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "docteur-fuzz-"));
  try {
    const packs = join(folder, "objects", "pack");
    for (const sub of [packs, join(folder, "refs", "heads")]) mkdirSync(sub, { recursive: true });
    writeFileSync(join(folder, "HEAD"), "ref: refs/heads/none\n");
    writeFileSync(join(folder, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
    const { pack, idx } = buildPack(entries);
    const stem = join(packs, `pack-${pack.toString("hex", pack.length - 20)}`);
    writeFileSync(`${stem}.pack`, pack);
    writeFileSync(`${stem}.idx`, idx);
    return use((args, input) => {
      const environment = {
        PATH: process.env.PATH,
        LC_ALL: "C",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
      };
      const options = { cwd: folder, env: environment, input, maxBuffer: 1 << 26 };
      const { stdout, stderr, error, signal } = spawnSync("git", args, options);
      if (error !== undefined || signal !== null) throw error ?? new Error(`git ended by ${signal}`);
      return Buffer.concat([stdout, stderr]);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
