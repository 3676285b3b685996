/** The errors of Node's `fs`: those of system calls, and those of wrong arguments, with Node's words. */
import { ERRNO, type Errno, errnoOf } from "../posix/errno.js";

/** An error of a system call, as Node gives it. */
export interface SystemError extends Error {
  /** Linux's number, negative. */
  errno: number;
  code: string;
  /** The system call, such as `open`. */
  syscall: string;
  /** The path that the caller gave, and for calls with two of them the other one. */
  path?: string;
  dest?: string;
}

/** The system call that an operation stands for, and its paths. */
export interface Call {
  syscall: string;
  path?: string | undefined;
  dest?: string | undefined;
}

/**
 * An error of a system call.
 * @param cause the error of the volume that led to it
 */
export function systemError(code: Errno, { syscall, path, dest }: Call, cause?: unknown): SystemError {
  const [errno, text] = ERRNO[code];
  const paths = `${path === undefined ? "" : ` '${path}'`}${dest === undefined ? "" : ` -> '${dest}'`}`;
  const options = cause === undefined ? undefined : { cause };
  const error = new Error(`${code}: ${text}, ${syscall}${paths}`, options);
  return Object.assign(error, {
    errno,
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
    ...(dest === undefined ? {} : { dest }),
  });
}

/** The error that Node would give in place of one of a volume. The reason of a signal becomes an `AbortError`. */
export function translated(error: unknown, call: Call, signal?: AbortSignal): unknown {
  const code = errnoOf(error);
  if (code === undefined) return signal?.aborted ? abortError(signal) : error;
  // Only errors of the image and its device say more than their names do.
  return systemError(code, call, code === "EIO" || code === "ENOMEM" ? error : undefined);
}

/** The error of an operation whose signal was aborted. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: signal.reason });
  error.name = "AbortError";
  return Object.assign(error, { code: "ABORT_ERR" });
}

/** An error with a code of Node's own, such as `ERR_INVALID_ARG_TYPE`. */
export function nodeError<T extends Error>(
  type: new (message: string) => T,
  code: string,
  message: string,
): T & { code: string } {
  const error = new type(message);
  // Node shows the code beside the name, in the stack only.
  error.stack = error.stack?.replace(/^(\w+)/, `$1 [${code}]`) ?? "";
  return Object.assign(error, { code });
}

/** Whether an error says that the caller's arguments are wrong: calls with callbacks throw it. */
export function isArgumentError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^ERR_(INVALID|OUT_OF_RANGE)/.test(code);
}

/** A value in Node's messages: its type, and for short ones the value. */
function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const { name } = (value.constructor as { name?: string } | undefined) ?? {};
    return name ? `an instance of ${name}` : "[Object: null prototype] {}";
  }
  if (typeof value === "string") {
    const short = value.length > 28 ? `${value.slice(0, 25)}...` : value;
    return `type string (${short.includes("'") ? JSON.stringify(short) : `'${short}'`})`;
  }
  const text = typeof value === "bigint" ? `${value}n` : Object.is(value, -0) ? "-0" : String(value);
  return `type ${typeof value} (${text})`;
}

/** @param expected such as "of type number" */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The "${name}" ${kind} must be ${expected}. Received ${received(value)}`;
  return nodeError(TypeError, "ERR_INVALID_ARG_TYPE", message);
}

/** A value as `util.inspect` shows it, as far as Node's messages need it. */
function inspected(value: unknown): string {
  if (typeof value === "string") return `'${value.replaceAll("\0", "\\x00")}'`;
  if (value instanceof Uint8Array) {
    const bytes = [...value.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return `<${value.constructor.name} ${bytes}>`;
  }
  return String(value);
}

/** @param reason such as "is invalid encoding" */
export function invalidValue(name: string, reason: string, value: unknown): TypeError {
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The ${kind} '${name}' ${reason}. Received ${inspected(value)}`;
  return nodeError(TypeError, "ERR_INVALID_ARG_VALUE", message);
}

/** A number as Node's messages show it: large ones with separators. */
function numberText(value: unknown): string {
  if (!Number.isInteger(value) || Math.abs(value as number) <= 2 ** 32) return String(value);
  return String(value).replace(/\B(?=(\d{3})+$)/g, "_");
}

/** @param range such as ">= 0" */
export function outOfRange(name: string, range: string, value: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${numberText(value)}`;
  return nodeError(RangeError, "ERR_OUT_OF_RANGE", message);
}
