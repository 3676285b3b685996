/**
 * squashfs and git on the site that `npm run scale` makes an image of: their archives are made from the same files, which are
 * generated again for each, and asked for the same paths.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { GIT_ENVIRONMENT } from "../../support/git.js";
import { seeded } from "../../support/random.js";
import { whyNoPrograms } from "../../support/servers.js";
import { median, timed } from "../measure.js";
import { hundredths, type Latency, latencyOf, tenths } from "./latency.js";
import { type Cost, type Memory, MemoryWatch, runMeasured, TooLong } from "./run.js";
import { type SiteShape, siteImport, siteTar } from "./site.js";

/** Random look-ups, and random reads. */
const READS = 10_000;
const OPENS = 9;
/** Threads of those that take a number. */
const THREADS = 2;

/** How a peer makes its archive, and answers. */
export interface PeerFigures {
  name: string;
  /** Why there is nothing else: programs that are not installed, or the time that was not enough. */
  missing?: string;
  bytes?: number;
  makeSeconds?: number;
  makeProcessorSeconds?: number;
  makeMemory?: Memory | null;
  /** From starting the program to its first answer. */
  openMs?: number;
  lookupMicroseconds?: Latency;
  readMicroseconds?: Latency;
  /** Of the program that answers, after all of these. */
  servingMemory?: Memory | null;
}

/** Answers questions about an archive. */
interface Server {
  lookUp(path: string): void;
  /** @returns bytes of the file */
  read(path: string): number;
  /** Ends the program. @returns its memory */
  end(): Promise<Memory | null>;
}

/** A way to keep the site. */
interface Peer {
  name: string;
  needs: readonly string[];
  /** Whether it is mounted. */
  isMounted: boolean;
  /** Makes the archive in an empty folder. */
  make(folder: string, shape: SiteShape, limits: Limits): Promise<Cost>;
  /** Bytes of the archive. */
  size(folder: string): number;
  serve(folder: string): Promise<Server>;
}

interface Limits {
  signal: AbortSignal;
  /** Seconds. */
  most: number;
}

/** squashfs, by the programs that come with it, and served by FUSE: the system's own driver needs a privileged user. */
function squashfs(name: string, options: readonly string[]): Peer {
  const archive = (folder: string): string => join(folder, "site.squashfs");
  return {
    name,
    needs: ["sqfstar", "squashfuse_ll", "fusermount3"],
    isMounted: true,
    make: (folder, shape, limits) =>
      runMeasured(["sqfstar", "-comp", "zstd", ...options, "-quiet", "-no-progress", archive(folder)], {
        input: siteTar(shape),
        ...limits,
      }),
    size: (folder) => statSync(archive(folder)).size,
    serve: async (folder) => mounted(archive(folder), join(folder, "mount")),
  };
}

/** The memory that a program has taken. */
function memoryNow(pid: number): Memory | null {
  const watch = new MemoryWatch(pid);
  watch.look();
  return watch.memory;
}

/** Milliseconds between looks for a mount. */
const PAUSE = 1;

async function mounted(archive: string, directory: string): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const before = statSync(directory).dev;
  const child = spawn("squashfuse_ll", ["-f", archive, directory], { stdio: "ignore" });
  const closed = once(child, "close");
  while (statSync(directory).dev === before) {
    if (child.exitCode !== null) throw new Error("squashfuse_ll mounts nothing");
    await setTimeout(PAUSE);
  }
  return {
    lookUp: (path) => void statSync(join(directory, path)),
    read: (path) => readFileSync(join(directory, path)).length,
    end: async () => {
      const memory = memoryNow(child.pid!);
      execFileSync("fusermount3", ["-u", directory]);
      await closed;
      return memory;
    },
  };
}

/** The sum of some costs, one after the other. */
function together(costs: readonly Cost[]): Cost {
  const most = (of: (memory: Memory) => number): number =>
    Math.max(...costs.map(({ memory }) => (memory === null ? 0 : of(memory))));
  return {
    seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0),
    processorSeconds: costs.reduce((sum, cost) => sum + cost.processorSeconds, 0),
    memory: costs.some(({ memory }) => memory === null)
      ? null
      : {
          peakBytes: most(({ peakBytes }) => peakBytes),
          peakAnonymousBytes: most(({ peakAnonymousBytes }) => peakAnonymousBytes),
        },
  };
}

/** A bare repository with one pack. */
const GIT: Peer = {
  name: "git",
  needs: ["git", "mkfifo"],
  isMounted: false,
  async make(folder, shape, { signal, most }) {
    const repository = join(folder, "git");
    execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", repository], {
      env: GIT_ENVIRONMENT,
    });
    const running = { cwd: repository, env: GIT_ENVIRONMENT, signal };
    const imported = await runMeasured(["git", "fast-import", "--quiet"], {
      ...running,
      input: siteImport(shape),
      most,
    });
    const packed = await runMeasured(
      [
        ...["git", "-c", "repack.writeBitmaps=false", "-c", `pack.threads=${THREADS}`],
        ...["repack", "-q", "-a", "-d", "-f", "--window=10", "--depth=50"],
      ],
      { ...running, most: most - imported.seconds },
    );
    return together([imported, packed]);
  },
  size: (folder) => {
    const packs = join(folder, "git/objects/pack");
    return readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
  },
  serve: async (folder) => new CatFile(join(folder, "git"), folder),
};

/** A program that answers each line on its standard input, asked through named pipes, since those can be read at once. */
class Asked {
  readonly #child;
  readonly #closed: Promise<unknown>;
  readonly #to: number;
  readonly #from: number;
  readonly #buffer = Buffer.allocUnsafe(1 << 16);

  constructor(pipe: string, command: readonly string[], cwd: string) {
    for (const end of ["in", "out"]) execFileSync("mkfifo", [`${pipe}.${end}`]);
    this.#child = spawn("sh", ["-c", 'exec "$@" <"$0.in" >"$0.out"', pipe, ...command], {
      cwd,
      env: GIT_ENVIRONMENT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#closed = once(this.#child, "close");
    this.#to = openSync(`${pipe}.in`, "w");
    this.#from = openSync(`${pipe}.out`, "r");
    for (const end of ["in", "out"]) rmSync(`${pipe}.${end}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  ask(line: string): void {
    writeSync(this.#to, `${line}\n`);
  }

  /** The next bytes of an answer, at least one; valid until the next call. */
  answer(): Buffer {
    const length = readSync(this.#from, this.#buffer);
    if (length === 0) throw new Error("a peer ended before it answered");
    return this.#buffer.subarray(0, length);
  }

  /** An answer of one line. */
  line(): string {
    let text = "";
    while (!text.endsWith("\n")) text += this.answer().toString("latin1");
    return text;
  }

  async end(): Promise<void> {
    closeSync(this.#to);
    closeSync(this.#from);
    await this.#closed;
  }
}

/** `git cat-file`, asked for one path after the other: a program for types and sizes, and one for contents. */
class CatFile implements Server {
  readonly #start: (option: string) => Asked;
  #check: Asked | undefined;
  #batch: Asked | undefined;

  constructor(repository: string, folder: string) {
    this.#start = (option) => new Asked(join(folder, option), ["git", "cat-file", `--${option}`], repository);
  }

  lookUp(path: string): void {
    this.#check ??= this.#start("batch-check");
    this.#check.ask(`HEAD:${path}`);
    const line = this.#check.line();
    if (!line.includes(" blob ")) throw new Error(`git answers ${line}`);
  }

  read(path: string): number {
    this.#batch ??= this.#start("batch");
    this.#batch.ask(`HEAD:${path}`);
    const first = this.#batch.answer();
    const head = first.subarray(0, first.indexOf("\n") + 1).toString("latin1");
    const size = Number(/ blob (\d+)\n$/.exec(head)?.[1]);
    if (Number.isNaN(size)) throw new Error(`git answers ${head}`);
    // A line feed follows the content.
    for (let left = size + 1 - (first.length - head.length); left > 0; ) left -= this.#batch.answer().length;
    return size;
  }

  async end(): Promise<Memory | null> {
    const memory = this.#batch === undefined ? null : memoryNow(this.#batch.pid);
    await this.#check?.end();
    await this.#batch?.end();
    return memory;
  }
}

const PEERS: readonly Peer[] = [
  squashfs("squashfs (zstd)", []),
  squashfs("squashfs (zstd, 1 MiB)", ["-b", "1M"]),
  GIT,
];

/** Measures how an archive answers. */
async function measureServer(
  peer: Peer,
  folder: string,
  paths: readonly string[],
): Promise<Partial<PeerFigures>> {
  const random = seeded(3);
  const some = (): string => paths[random(paths.length)]!;
  const opens: number[] = [];
  for (let turn = 0; turn < OPENS; turn++) {
    let server: Server | undefined;
    opens.push(
      await timed(async () => {
        server = await peer.serve(folder);
        server.lookUp(some());
      }),
    );
    await server!.end();
  }
  const server = await peer.serve(folder);
  const times = async (work: (path: string) => unknown): Promise<Latency> => {
    const all: number[] = [];
    for (let turn = 0; turn < READS; turn++) all.push(await timed(() => work(some())));
    return latencyOf(all);
  };
  const lookupMicroseconds = await times((path) => server.lookUp(path));
  const readMicroseconds = await times((path) => server.read(path));
  return {
    openMs: hundredths(median(opens)),
    lookupMicroseconds,
    readMicroseconds,
    servingMemory: await server.end(),
  };
}

/** Why a peer cannot be measured on this machine. */
function whyNot({ needs, isMounted }: Peer): string | undefined {
  const missing = whyNoPrograms(...needs);
  if (missing !== undefined || !isMounted) return missing;
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "/dev/fuse cannot be used";
  }
}

/** Makes one peer's archive and measures it. @param paths of files, to be asked for */
async function measurePeer(
  peer: Peer,
  folder: string,
  shape: SiteShape,
  paths: readonly string[],
  limits: Limits,
): Promise<PeerFigures> {
  const { name } = peer;
  const missing = whyNot(peer);
  if (missing !== undefined) return { name, missing };
  mkdirSync(folder);
  try {
    const { seconds, processorSeconds, memory } = await peer.make(folder, shape, limits);
    return {
      name,
      bytes: peer.size(folder),
      makeSeconds: tenths(seconds),
      makeProcessorSeconds: tenths(processorSeconds),
      makeMemory: memory,
      ...(await measureServer(peer, folder, paths)),
    };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    return { name, missing: `did not finish in ${limits.most} seconds` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures all peers, one after the other. @param folder an existing one, for their archives */
export async function measurePeers(
  folder: string,
  shape: SiteShape,
  paths: readonly string[],
  limits: Limits,
): Promise<PeerFigures[]> {
  const figures: PeerFigures[] = [];
  for (const peer of PEERS) figures.push(await measurePeer(peer, join(folder, "peer"), shape, paths, limits));
  return figures;
}

/** Microseconds of a pipe alone: for a line to a program that gives it back. It is part of git's latencies. */
export async function pipeLatency(folder: string): Promise<Latency> {
  const asked = new Asked(join(folder, "cat"), ["cat"], folder);
  const times: number[] = [];
  for (let turn = 0; turn < READS; turn++)
    times.push(
      await timed(() => {
        asked.ask("HEAD:v1/part-1/topic-1/page-1.html");
        asked.line();
      }),
    );
  await asked.end();
  return latencyOf(times);
}
