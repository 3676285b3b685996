/**
 * Checks of callers' arguments: wrong types, numbers out of range and misspelt options are `InvalidArgument`
 * errors, never exceptions of the engine.
 */
import { DocteurError } from "./errors.js";
import { suggest } from "./text/nearest.js";

/** A path or a name: its bytes, or a string, which stands for its UTF-8. */
export type Path = string | Uint8Array;

/** Checks a value. Returns the expected form, for messages, or undefined if the value has it. */
export type Check = (value: unknown) => string | undefined;

/** The checks of a method's options, by name. An option that is undefined is not given. */
export type Checks = Readonly<Record<string, Check>>;

/** A value in a message: its type, or the value itself if it is short. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint")
    return typeof value === "bigint" ? "a bigint" : String(value);
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** An `InvalidArgument` error. */
export function invalid(message: string, hint?: string, cause?: unknown): DocteurError {
  return new DocteurError("InvalidArgument", message, { hint, cause });
}

/** @throws DocteurError `InvalidArgument` for a value that fails the check */
export function checkValue(name: string, value: unknown, check: Check): void {
  const expected = check(value);
  if (expected !== undefined) throw invalid(`${name} must be ${expected}, not ${shown(value)}`);
}

/**
 * Checks an options object.
 * @param method the method's name, for messages
 * @returns the options; an empty object where they are undefined
 * @throws DocteurError `InvalidArgument` for a value that is not an object, an unknown name or a wrong value
 */
export function checkOptions<T extends object>(method: string, options: T | undefined, checks: Checks): T {
  if (options === undefined) return {} as T;
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw invalid(`${method}: the options must be an object, not ${shown(options)}`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw invalid(`${method} has no option ${shown(name)}`, suggest(name, Object.keys(checks)));
    }
    if (value !== undefined) checkValue(`${method}: ${name}`, value, checks[name]!);
  }
  return options;
}

export const isBoolean: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");

export const isString: Check = (value) => (typeof value === "string" ? undefined : "a string");

/** Any number: its range is checked elsewhere. */
export const isNumber: Check = (value) => (typeof value === "number" ? undefined : "a number");

export const isFunction: Check = (value) => (typeof value === "function" ? undefined : "a function");

/** Any value: it is checked elsewhere. */
export const isAnything: Check = () => undefined;

/** One of some words. */
export function isOneOf(...words: readonly string[]): Check {
  return (value) => (words.includes(value as string) ? undefined : `one of ${words.join(", ")}`);
}

/** A whole number in a range. */
export function isWhole(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `a whole number, ${range}`;
}

/** A git object id, 40 hexadecimal digits. */
export const isOid: Check = (value) =>
  typeof value === "string" && /^[0-9a-f]{40}$/i.test(value)
    ? undefined
    : "an object id, 40 hexadecimal digits";

/** An `AbortSignal` of any realm or library. */
export const isSignal: Check = (value) => {
  const signal = value as Partial<AbortSignal> | null;
  const fits =
    typeof signal === "object" &&
    signal !== null &&
    typeof signal.aborted === "boolean" &&
    typeof signal.addEventListener === "function" &&
    typeof signal.removeEventListener === "function";
  return fits ? undefined : "an AbortSignal";
};

/** A list of paths. */
export const isListOfPaths: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string" || isBytes(item))
    ? undefined
    : "a list of paths: strings, or bytes";

/** Whether a value is a `Uint8Array` of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]")
  );
}

/** A compiled WebAssembly module of any realm. */
export const isModule: Check = (value) =>
  value instanceof WebAssembly.Module ||
  Object.prototype.toString.call(value) === "[object WebAssembly.Module]"
    ? undefined
    : "a WebAssembly.Module";

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();

/** @throws DocteurError `InvalidArgument` for a string that has no UTF-8 */
export function textOf(what: string, value: string): string {
  if (LONE_SURROGATE.test(value))
    throw invalid(`${what} ${shown(value)} holds half of a surrogate pair, which has no UTF-8`);
  return value;
}

/**
 * The bytes of a name or a path: a string's UTF-8, or a copy of the bytes given.
 * @param what names the value in errors
 * @throws DocteurError `InvalidArgument` for anything else, and for a string that has no UTF-8
 */
export function textBytes(what: string, value: unknown): Uint8Array {
  if (typeof value === "string") return encoder.encode(textOf(what, value));
  if (!isBytes(value)) throw invalid(`${what} must be a string or a Uint8Array, not ${shown(value)}`);
  try {
    return new Uint8Array(value);
  } catch (cause) {
    throw invalid(`${what} is a Uint8Array whose buffer was detached`, undefined, cause);
  }
}
