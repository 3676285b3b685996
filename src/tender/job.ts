/** What a supervisor and the thread of its guest tell each other, and what both must know without loading the tender. */
import type { SharedDevice } from "../devices/shared.js";
import type { ErrorCode } from "../errors.js";
import type { Outcome } from "./index.js";

/** Bytes of memory that a guest may have unless its tender says otherwise: what `solo5-hvt` gives one. */
export const MEMORY_LIMIT = 512 << 20;

/** The status of a guest that called `abort`, or trapped. */
export const ABORT_STATUS = 255;

/** The status of a guest whose console takes no more. */
export const CONSOLE_STATUS = 8;

/** A file, or an image on another machine, that is attached as a block device. */
export interface DeviceFile {
  /** A path, or a URL that `open` takes. */
  path: string;
  /** Bytes of a block, 512 by default. */
  blockSize?: number | undefined;
}

/** What a thread is to run. */
export interface Job {
  /** A path, or a module's bytes. */
  guest: string | Uint8Array;
  /** Those at URLs are served by the supervisor's thread. */
  devices: [name: string, DeviceFile | SharedDevice][];
  args: readonly string[];
  memoryLimit: number;
  /** The descriptor that takes the guest's output. */
  output: number;
}

/** How the thread's work ended: an outcome, or why the guest was not started. */
export type Answer =
  | { outcome: Outcome; isPipeBroken: boolean }
  | { error: { code: ErrorCode; message: string; hint: string | undefined } };
