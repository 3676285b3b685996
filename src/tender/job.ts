/** What a supervisor and the thread of its guest tell each other. */
import type { ErrorCode } from "../errors.js";
import type { Outcome } from "./index.js";

/** A file that is attached as a block device. */
export interface DeviceFile {
  path: string;
  /** Bytes of a block, 512 by default. */
  blockSize?: number | undefined;
}

/** What a thread is to run. */
export interface Job {
  /** A path, or a module's bytes. */
  guest: string | Uint8Array;
  devices: [name: string, DeviceFile][];
  args: readonly string[];
  memoryLimit: number;
  /** The descriptor that takes the guest's output. */
  output: number;
}

/** How the thread's work ended: an outcome, or why the guest was not started. */
export type Answer =
  | { outcome: Outcome; isPipeBroken: boolean }
  | { error: { code: ErrorCode; message: string; hint: string | undefined } };
