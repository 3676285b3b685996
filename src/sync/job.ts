/** What `openSync` and the thread that serves it tell each other. */
import type { MessagePort } from "node:worker_threads";
import type { SharedDevice } from "../devices/shared.js";
import type { ErrorMessage } from "../threads/errors.js";

/** What a serving thread is given. */
export interface ServeJob {
  source: string;
  options: object;
  port: MessagePort;
  /** Becomes 1 with the answer. */
  signal: Int32Array;
}

/** Its answer. */
export type ServeAnswer = { shared: SharedDevice } | { error: ErrorMessage };
