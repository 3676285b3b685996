/** What the two sides of a call tell each other: one worker for each call. */
import type { ErrorMessage } from "../threads/errors.js";

/** Functions that a worker runs, by name. */
export type Tasks = Readonly<Record<string, (...args: never[]) => unknown>>;

/** To the worker: the call, or the outcome of a callback. */
export type ToWorker =
  | { docteur: "call"; name: string; args: unknown[] }
  | { docteur: "returned"; id: number; value: unknown }
  | { docteur: "threw"; id: number; error: CallbackError };

/** From the worker: it has started; it calls a callback, and may wait for what that returns; the outcome of the call. */
export type FromWorker =
  | { docteur: "ready" }
  | { docteur: "callback"; callback: number; args: unknown[]; id: number | undefined }
  | { docteur: "returned"; value: unknown }
  | { docteur: "threw"; error: ErrorMessage };

/** An error of a callback. Devices try again after one that may pass. */
export type CallbackError = {
  error: ErrorMessage;
  transient: { retryAfter: number | undefined } | undefined;
};

/** Whether a message is docteur's: a bundler's development server sends others. */
export function isOurs(message: unknown): message is { docteur: string } {
  return typeof message === "object" && message !== null && "docteur" in message;
}
