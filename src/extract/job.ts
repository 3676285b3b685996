/** Work of writing files, as it goes to the thread that does it. */
import type { OpenOptions } from "../opening.js";
import type { ErrorMessage } from "../threads/errors.js";
import type { Root } from "./destination.js";
import type { Item } from "./plan.js";

/** Files and links of one directory of the destination. Paths are byte strings. */
export interface FolderJob {
  /** The directory. */
  path: string;
  /** Whether it was made just now, so that nothing stands in it. */
  isNew: boolean;
  items: Item[];
}

/** What has been done. */
export interface Counts {
  /** Files and links that were written, and the bytes in them. */
  written: number;
  bytes: number;
  /** Files and links that were there already. */
  kept: number;
}

/** What holds for all files. */
export interface WriteSettings {
  root: Root;
  overwrite: boolean;
  /** The modification time, in seconds since 1970; undefined for the time of writing. */
  seconds: number | undefined;
  /** A cell that is not 0 once the work is to end. */
  stop: Int32Array;
}

/** The data that a thread begins with. */
export interface WorkerStart {
  image: string;
  options: OpenOptions;
  settings: WriteSettings;
}

/** A thread's answer to a job. */
export type WorkerAnswer = { counts: Counts } | { error: ErrorMessage };
