/** `node:worker_threads` inside the program, whose scripts of threads are among its assets. */
import { Worker as FileWorker, type WorkerOptions } from "node:worker_threads";
import { readOwn } from "../../src/node/own-files.js";

export * from "node:worker_threads";

export class Worker extends FileWorker {
  /** @param script one of the package's */
  constructor(script: URL, options: WorkerOptions = {}) {
    super(readOwn(script).toString(), { ...options, eval: true });
  }
}
