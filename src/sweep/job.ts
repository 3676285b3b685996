/** Work on many blobs, as it goes to the threads that share it. */
import type { OpenOptions } from "../opening.js";
import type { ErrorMessage } from "../threads/errors.js";
import type { Result, WorkSpec } from "./work.js";

/** The data that a thread begins with. */
export interface WorkerStart {
  image: string;
  options: OpenOptions;
  work: WorkSpec;
  /** A cell that is not 0 once the work is to end. */
  stop: Int32Array;
}

/** The blobs: all threads take groups of them in turns. */
export interface SharedJob {
  /** 20 bytes each. */
  oids: Uint8Array;
  /** Blobs of a group. */
  groupLen: number;
  /** A cell with the next group. */
  next: Int32Array;
  /** A cell with the KiB of lines that may still be kept. */
  room: Int32Array;
}

/** The place of a blob in the job, and its result. `large`: the blob takes more memory than a thread has. */
export type Done = [place: number, result: Exclude<Result, undefined> | "large"];

/** A thread's answers: results of a group, the end, an error. */
export type WorkerAnswer = { done: Done[] } | { isOver: true } | { error: ErrorMessage };
