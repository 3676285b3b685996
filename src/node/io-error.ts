/** Failures of the host's system calls, in words for people. */
import { DocteurError } from "../errors.js";

/** What the system said, without the call's name and path: "no space left on device". */
export function systemReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /^[A-Z0-9_]+: (.*?)(?:, \w+(?: .*)?)?$/s.exec(message)?.[1] ?? message;
}

/** The system's name for what went wrong ("ENOENT"), or undefined where `cause` is no system error. */
export function systemCode(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/**
 * An `Io` error about a file.
 * @param action what could not be done, "write" or the like
 * @param path the host's file, as it is to be shown
 * @param cause what the system call threw
 */
export function ioError(action: string, path: string, cause: unknown, hint?: string): DocteurError {
  return new DocteurError("Io", `cannot ${action} ${path}: ${systemReason(cause)}`, { path, hint, cause });
}
