/** One change among many files: an image of the last one, beside one made anew, and beside git. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { watch } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { alternate, createRow, type Rounds, timed } from "./measure.js";
import { gitName } from "./versions.js";

const ROUNDS: Rounds = { warmUp: 1, least: 5, most: 5, enough: 0 };
const FOLDERS = 500;
const FILES = 100;
const CORPUS = `${(FOLDERS * FILES).toLocaleString("en")} text files`;

/** Text files of half a kilobyte to four. */
function createFiles(source: string): void {
  const random = seeded(50);
  const words = Array.from({ length: 5000 }, () => random(1e9).toString(36));
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(source, `d${folder % 20}`, `s${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES; file++) {
      const text = Array.from({ length: 80 + random(500) }, () => words[random(words.length)]).join(" ");
      writeFileSync(join(path, `f${file}.txt`), text);
    }
  }
}

async function docteurMake(...args: string[]): Promise<void> {
  const program = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
  const child = spawn(process.execPath, [program, "make", "-q", ...args], { stdio: "inherit" });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`docteur make ended with status ${status}`);
}

/** The times of makes of one watch, each after a change, from the change on. */
async function watchTimes(source: string, image: string, change: () => void): Promise<number[]> {
  const times: number[] = [];
  const controller = new AbortController();
  let start = 0;
  await watch(source, image, {
    signal: controller.signal,
    from: image,
    onMade: () => {
      if (start > 0) times.push(performance.now() - start);
      if (times.length === ROUNDS.most) return controller.abort();
      // A file that changed just now is read again: begin when none has.
      setTimeout(() => {
        start = performance.now();
        change();
      }, 2500);
    },
  });
  return times.sort((a, b) => a - b);
}

const measureFrom: Benchmark = async ({ signal }) => {
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  try {
    const source = join(folder, "source");
    const repository = join(folder, "repository");
    createFiles(source);
    createFiles(repository);
    const git = (...args: string[]): void =>
      void execFileSync("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a", ...args], {
        stdio: "ignore",
      });
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "first");
    git("repack", "-adfq");
    const [image, next] = [join(folder, "image"), join(folder, "next")];
    await docteurMake(source, image);
    const change = (where: string): void => appendFileSync(join(where, "d3", "s63", "f7.txt"), " more");
    const [from, anew, peer] = await alternate(
      [
        () => {
          change(source);
          return timed(() => docteurMake("--from", image, source, next));
        },
        () => timed(() => docteurMake(source, next)),
        () => {
          change(repository);
          return timed(() => {
            git("add", "-A");
            git("commit", "-qm", "next");
            git("repack", "-adq");
          });
        },
      ],
      signal,
      ROUNDS,
    );
    const watched = await watchTimes(source, image, () => change(source));
    const row = { corpus: CORPUS, unit: "ms, one change" };
    const peerName = `${await gitName()} add, commit, repack -ad`;
    return [
      createRow(
        { ...row, name: "make-from", ours: from!, peer: anew!, peerName: "docteur make, all anew" },
        "less",
      ),
      createRow({ ...row, name: "make-from", ours: from!, peer: peer!, peerName }, "less"),
      createRow(
        { ...row, name: "make-watch", ours: watched[watched.length >> 1]!, peer: peer!, peerName },
        "less",
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const MAKE_FROM: Record<string, Benchmark> = { "make-from": measureFrom };
