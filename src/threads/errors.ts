/** Errors as they go from a worker thread to the thread that waits for it: structured clones lose their class. */
import { DocteurError, type ErrorCode, type ErrorWhere } from "../errors.js";

/** An error as plain data. `internal` is the stack of a defect in docteur itself. */
export type ErrorMessage = { code: ErrorCode; message: string; where: ErrorWhere } | { internal: string };

/** The error as plain data, without its cause, which may not be cloneable. */
export function packError(error: unknown): ErrorMessage {
  if (!(error instanceof DocteurError)) return { internal: (error as Error)?.stack ?? String(error) };
  const { code, message, path, oid, offset, hint } = error;
  return { code, message, where: { path, oid, offset, hint } };
}

/** The error from which `packError` made the data. */
export function unpackError(error: ErrorMessage): Error {
  return "internal" in error
    ? new Error(error.internal)
    : new DocteurError(error.code, error.message, error.where);
}

/** The error of a thread that ended without an answer. @param remedy what takes less memory */
export function threadDied(remedy: string, cause?: unknown): DocteurError {
  return new DocteurError("Io", "a worker thread ended before its work was done", {
    hint: `the machine may be short of memory: ${remedy}`,
    cause,
  });
}
