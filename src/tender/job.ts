/** The messages between a supervisor and its guest's thread, and facts that both need without loading the tender. */
import type { SharedDevice } from "../devices/shared.js";
import type { ErrorCode } from "../errors.js";
import type { Outcome } from "./index.js";

/** Bytes of memory that a guest may have by default: as many as with `solo5-hvt`. */
export const MEMORY_LIMIT = 512 << 20;

/** The status of a guest that called `abort`, or trapped. */
export const ABORT_STATUS = 255;

/** The status of a guest whose console failed. */
export const CONSOLE_STATUS = 8;

/** A file, or an image on another machine, that is attached as a block device. */
export interface DeviceFile {
  /** A path, or a URL that `open` takes. */
  path: string;
  /** Bytes of a block, 512 by default. */
  blockSize?: number | undefined;
}

/** The task of a thread. */
export interface Job {
  /** A path, or a module's bytes. */
  guest: string | Uint8Array;
  /** The supervisor's thread serves those at URLs. */
  devices: [name: string, DeviceFile | SharedDevice][];
  args: readonly string[];
  memoryLimit: number;
  /** The descriptor that takes the guest's output. */
  output: number;
}

/** The end of the thread's work: an outcome, or the reason why the guest was not started. */
export type Answer =
  | { outcome: Outcome; isPipeBroken: boolean }
  | { error: { code: ErrorCode; message: string; hint: string | undefined } };
