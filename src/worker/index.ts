/**
 * `docteur/worker`: `makeImage` and `verify` in workers that the caller's application names itself.
 * @module docteur/worker
 */
export { answer } from "./answer.js";
export { type InWorker, inWorker, type StartedWorker, type WorkerOptions } from "./in-worker.js";
export type { Tasks } from "./messages.js";
