/** Failures of the host's system calls, in words for people. */
import { DocteurError } from "../errors.js";

/** The system's message without the call's name and path: "no space left on device". */
export function systemReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /^[A-Z0-9_]+: (.*?)(?:, \w+(?: .*)?)?$/s.exec(message)?.[1] ?? message;
}

/** The system's name of the error ("ENOENT"); undefined if `cause` is not a system error. */
export function systemCode(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/**
 * An `Io` error about a file.
 * @param action the verb of the failed action, such as "write"
 * @param path the host's file, as the message shows it
 * @param cause the error that the system call threw
 */
export function ioError(action: string, path: string, cause: unknown, hint?: string): DocteurError {
  return new DocteurError("Io", `cannot ${action} ${path}: ${systemReason(cause)}`, { path, hint, cause });
}
