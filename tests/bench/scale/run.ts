/** Runs a program that makes something, and measures it: time, processor time, and memory of it and of all that it starts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Milliseconds between looks at the memory of the processes. */
const LOOK = 100;

/** Bytes of memory. */
export interface Memory {
  /** The most of all processes together, at one time; of a single one also between looks. */
  peakBytes: number;
  /** Of that, memory that is not a file's. Programs that map large files have much of the other sort. */
  peakAnonymousBytes: number;
}

/** The cost of a program that ran to its end. */
export interface Cost {
  seconds: number;
  /** In the program and in the system, of all processes. */
  processorSeconds: number;
  /** Null where the system does not tell. */
  memory: Memory | null;
}

/** How to run a program. */
export interface Running {
  /** Its standard input. */
  input?: Iterable<Buffer>;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** The most seconds that it may take. */
  most?: number;
}

/** A program was ended, as it took too long. */
export class TooLong extends Error {}

/** A value of `/proc/PID/status`, in bytes. */
const fieldOf = (status: string, name: string): number =>
  1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);

/** The memory of a process, which may have ended. */
function memoryOf(pid: number): { now: number; anonymous: number; most: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return {
      now: fieldOf(status, "VmRSS"),
      anonymous: fieldOf(status, "RssAnon"),
      most: fieldOf(status, "VmHWM"),
    };
  } catch {
    return undefined;
  }
}

/** A process and all that it has started, as far as they have not ended. */
function family(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return [
      pid,
      ...children
        .split(" ")
        .filter(Boolean)
        .flatMap((child) => family(Number(child))),
    ];
  } catch {
    return [pid];
  }
}

/** Looks at the memory of a process and all that it starts. */
export class MemoryWatch {
  readonly #pid: number;
  #memory: Memory | null = null;

  constructor(pid: number) {
    this.#pid = pid;
  }

  look(): void {
    let now = 0;
    let anonymous = 0;
    let most = 0;
    for (const pid of family(this.#pid)) {
      const memory = memoryOf(pid);
      if (memory === undefined) continue;
      now += memory.now;
      anonymous += memory.anonymous;
      most = Math.max(most, memory.most);
    }
    if (most === 0) return;
    this.#memory = {
      peakBytes: Math.max(this.#memory?.peakBytes ?? 0, now, most),
      peakAnonymousBytes: Math.max(this.#memory?.peakAnonymousBytes ?? 0, anonymous),
    };
  }

  /** What was seen so far; null where the system does not tell. */
  get memory(): Memory | null {
    return this.#memory;
  }
}

/** A shell runs the program, and tells the processor time of all that it has waited for (POSIX, "times"). */
const SCRIPT = '"$@" >&2; status=$?; times; exit $status';

/** Seconds of processors, from what `times` prints: its second line is that of the processes that have ended. */
function processorSeconds(told: string): number {
  const times = [...(told.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0);
}

/**
 * Runs a program to its end.
 * @throws TooLong after `most` seconds; the signal's reason; an error if the program fails
 */
export async function runMeasured(
  command: readonly string[],
  { input = [], cwd, env, signal, most }: Running,
): Promise<Cost> {
  signal.throwIfAborted();
  const start = performance.now();
  // A group of its own, so that all of it can be ended.
  const child = spawn("sh", ["-c", SCRIPT, "sh", ...command], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
    cwd,
    env,
  });
  let told = "";
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    told += text;
  });
  const watch = new MemoryWatch(child.pid!);
  const looks = setInterval(() => watch.look(), LOOK);
  let isLate = false;
  const end = (): void => void process.kill(-child.pid!, "SIGKILL");
  const late = (): void => {
    isLate = true;
    end();
  };
  const limit = most === undefined ? undefined : setTimeout(late, 1000 * most);
  signal.addEventListener("abort", end);
  try {
    const closed = once(child, "close") as Promise<[number | null]>;
    // A program that fails closes its input; its status tells more.
    await pipeline(Readable.from(input), child.stdin).catch(() => undefined);
    const [status] = await closed;
    signal.throwIfAborted();
    if (isLate) throw new TooLong(`${command[0]} took more than ${most} seconds`);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with status ${status}`);
  } finally {
    clearInterval(looks);
    clearTimeout(limit);
    signal.removeEventListener("abort", end);
  }
  return {
    seconds: (performance.now() - start) / 1000,
    processorSeconds: processorSeconds(told),
    memory: watch.memory,
  };
}
