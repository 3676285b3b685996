/** One change among many files: an image of the last one, beside one made anew, and beside git. Wall and processor time. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { watch } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { alternate, type Contestant, createRow, median, type Rounds, type Row } from "./measure.js";
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

/** Milliseconds on the clock, and of processors, in the program and in the system. */
interface Times {
  wall: number;
  cpu: number;
}

/** Runs commands of a shell, which tells the processor time of those that it has waited for (POSIX, "times"). */
async function run(script: string, ...args: string[]): Promise<Times> {
  const start = performance.now();
  const child = spawn("sh", ["-c", `set -e; { ${script}; } >&2; times`, "sh", ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`${script} ended with status ${status}`);
  const wall = performance.now() - start;
  const times = [...told.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g)];
  return {
    wall,
    cpu: times.reduce((sum, [, minutes, seconds]) => sum + 60e3 * +minutes! + 1e3 * +seconds!, 0),
  };
}

const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));

function docteurMake(...args: string[]): Promise<Times> {
  return run('"$@"', process.execPath, PROGRAM, "make", "-q", ...args);
}

const GIT = "git -C $1 -c user.name=a -c user.email=a";

/** Milliseconds: a file that changed just now is read again, so the next change waits until none has. */
const PAUSE = 2500;

/** A watch in this process. */
class Watched {
  readonly #controller = new AbortController();
  readonly #ended: Promise<void>;
  #onMade: () => void = () => undefined;
  /** Resolves with the first image. */
  readonly began: Promise<void>;

  constructor(source: string, image: string) {
    const { signal } = this.#controller;
    const made = this.#next();
    this.#ended = watch(source, image, { signal, onMade: () => this.#onMade() });
    this.began = Promise.race([made, this.#ended]);
  }

  /** Resolves with the next image. */
  #next(): Promise<void> {
    return new Promise((done) => {
      this.#onMade = done;
    });
  }

  /** The time from a change to its image. */
  async time(change: () => void): Promise<Times> {
    await wait(PAUSE);
    const made = this.#next();
    const start = performance.now();
    const before = process.cpuUsage();
    change();
    await Promise.race([made, this.#ended]);
    const { user, system } = process.cpuUsage(before);
    return { wall: performance.now() - start, cpu: (user + system) / 1000 };
  }

  async end(): Promise<void> {
    this.#controller.abort();
    await this.#ended;
  }
}

/** A contestant for wall time, and the processor times of its turns. */
function both(work: () => Promise<Times>): { contestant: Contestant; cpu: () => number } {
  const times: number[] = [];
  const contestant = async (): Promise<number> => {
    const { wall, cpu } = await work();
    times.push(cpu);
    return wall;
  };
  return { contestant, cpu: () => median(times.slice(-ROUNDS.most)) };
}

const measureFrom: Benchmark = async ({ signal }) => {
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  const image = join(folder, "image");
  try {
    const [source, repository] = [join(folder, "source"), join(folder, "repository")];
    createFiles(source);
    createFiles(repository);
    await run(`git init -q $1; ${GIT} add -A; ${GIT} commit -qm first; ${GIT} repack -adfq`, repository);
    await docteurMake(source, image);
    const change = (where: string): void => appendFileSync(join(where, "d3", "s63", "f7.txt"), " more");
    const watched = new Watched(source, join(folder, "watched"));
    try {
      await watched.began;
      return await compare({ source, repository, image, folder, change, watched }, signal);
    } finally {
      await watched.end();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

interface Setting {
  source: string;
  repository: string;
  image: string;
  folder: string;
  change: (where: string) => void;
  watched: Watched;
}

async function compare(
  { source, repository, image, folder, change, watched }: Setting,
  signal: AbortSignal,
): Promise<Row[]> {
  const next = join(folder, "next");
  const watching = both(() => watched.time(() => change(source)));
  const from = both(() => docteurMake("--from", image, source, next));
  const anew = both(() => docteurMake(source, next));
  const git = both(() => {
    change(repository);
    return run(`${GIT} add -A; ${GIT} commit -qm next; ${GIT} repack -adq`, repository);
  });
  const all = [watching, from, anew, git];
  const walls = await alternate(
    all.map(({ contestant }) => contestant),
    signal,
    ROUNDS,
  );
  const cpus = all.map(({ cpu }) => cpu());
  const gitPeer = `${await gitName()} add, commit, repack -ad`;
  const rows = (name: string, unit: string, values: number[]): Row[] => {
    const [watchTime, fromTime, anewTime, gitTime] = values as [number, number, number, number];
    const row = { corpus: CORPUS, unit };
    return [
      createRow(
        {
          ...row,
          name: `make-from${name}`,
          ours: fromTime,
          peer: anewTime,
          peerName: "docteur make, all anew",
        },
        "less",
      ),
      createRow(
        { ...row, name: `make-from${name}`, ours: fromTime, peer: gitTime, peerName: gitPeer },
        "less",
      ),
      createRow(
        { ...row, name: `make-watch${name}`, ours: watchTime, peer: gitTime, peerName: gitPeer },
        "less",
      ),
    ];
  };
  return [...rows("", "ms, one change", walls), ...rows("-cpu", "ms of processors, one change", cpus)];
}

export const MAKE_FROM: Record<string, Benchmark> = { "make-from": measureFrom };
