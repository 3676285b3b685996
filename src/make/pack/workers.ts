/** Decides how many workers a pack needs, starts them and ends them. */
import { availableParallelism } from "node:os";
import { startThreads } from "../../threads/start.js";
import type { Effort } from "../base/effort.js";
import { fileContents } from "../base/file-contents.js";
import { compilePacker } from "./compile-packer.js";
import { createEngine } from "./engine.js";
import type { Executor } from "./jobs.js";
import { LocalExecutor } from "./local-executor.js";
import { Pool, threadUrl } from "./pool.js";
import { JobRunner } from "./runner.js";

/** More workers do not save time. */
export const WORKERS_MAX = 8;

/**
 * The most memory of a process by default; its memory without workers, for each object, and for each worker.
 * In bytes.
 */
const MEMORY = { most: 512e6, process: 150e6, object: 250, worker: 55e6 } as const;

/** Bytes of content whose packing takes less time than starting threads. */
const LOCAL_LEN = 1 << 20;

/** The amount of work: the number of objects, at least roughly, and the bytes of all their contents. */
export interface PackLoad {
  objectCount: number;
  contentLen: number;
}

/** One for each processor, within the memory limit. */
export function defaultWorkers(objectCount: number, processors = availableParallelism()): number {
  const left = MEMORY.most - MEMORY.process - objectCount * MEMORY.object;
  return Math.max(1, Math.min(processors, WORKERS_MAX, Math.floor(left / MEMORY.worker)));
}

async function start({ workers, effort }: WorkerOptions, load: PackLoad): Promise<Executor> {
  const { objectCount, contentLen } = load;
  const module = await compilePacker();
  const start = (): Executor => new Pool(workers ?? defaultWorkers(objectCount), module, effort);
  const pool = contentLen <= LOCAL_LEN ? undefined : startThreads(threadUrl, start);
  return pool ?? new LocalExecutor(new JobRunner(createEngine(module, effort), fileContents));
}

/** The number of threads, 1 to `WORKERS_MAX`, by default `defaultWorkers`; and the effort of their work. */
export interface WorkerOptions {
  workers?: number | undefined;
  effort?: Effort | undefined;
}

/**
 * Does work with the packer's jobs on threads. They end with the work, or at once when the signal aborts.
 */
export async function withWorkers<T>(
  options: WorkerOptions,
  load: PackLoad,
  signal: AbortSignal | undefined,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  const executor = await start(options, load);
  const stop = (): void => void executor.close();
  signal?.addEventListener("abort", stop);
  try {
    return await work(executor);
  } finally {
    signal?.removeEventListener("abort", stop);
    await executor.close();
  }
}
