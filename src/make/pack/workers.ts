/** How many workers a pack is worth, and their life. */
import { availableParallelism } from "node:os";
import { compilePacker } from "../../wasm.js";
import { fileContents } from "../source/file.js";
import { createEngine } from "./engine.js";
import type { Executor } from "./jobs.js";
import { LocalExecutor } from "./local.js";
import { Pool } from "./pool.js";
import { JobRunner } from "./runner.js";

/** More take more memory than the packer promises to take. */
export const WORKERS_MAX = 8;

/** Content that is packed in less time than threads take to start, in bytes. */
const LOCAL_LEN = 1 << 20;

async function start(workers: number | undefined, contentLen: number): Promise<Executor> {
  const module = await compilePacker();
  if (contentLen <= LOCAL_LEN) return new LocalExecutor(new JobRunner(createEngine(module), fileContents));
  return new Pool(workers ?? Math.min(availableParallelism(), WORKERS_MAX), module);
}

/**
 * Does work with the packer's jobs on threads, which end with it, or at once when the signal says so.
 * @param workers how many threads, 1 to `WORKERS_MAX`; by default one a processor
 * @param contentLen bytes of content that there are to pack
 */
export async function withWorkers<T>(
  workers: number | undefined,
  contentLen: number,
  signal: AbortSignal | undefined,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  const executor = await start(workers, contentLen);
  const stop = (): void => void executor.close();
  signal?.addEventListener("abort", stop);
  try {
    return await work(executor);
  } finally {
    signal?.removeEventListener("abort", stop);
    await executor.close();
  }
}
