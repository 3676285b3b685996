/** The forms of a call in `fs`: with a promise, with a callback, and synchronous. */
import { finish, type Steps, settle } from "../posix/steps.js";
import { invalidType, isArgumentError } from "./errors.js";

/** An operation by its arguments. */
export type Operation = (...given: unknown[]) => Steps<unknown>;

/** A function of any arguments, as the parts of an `fs` are put together. */
export type Form = (...given: unknown[]) => unknown;

/** Called with an error, or with null and the results. */
export type Callback = (error: unknown, ...results: unknown[]) => void;

/** Results of a callback, where they are not one value. */
export type Spread = (value: never) => readonly unknown[];

/** The form whose result is a promise. Wrong arguments reject it, too. */
export function promised(operation: Operation): Form {
  return async (...given) => settle(operation(...given));
}

/** The synchronous form. */
export function synchronous(operation: Operation): Form {
  return (...given) => finish(operation(...given));
}

/** Calls a function later, so that what it throws is nobody's rejection. */
export function later(call: () => void): void {
  queueMicrotask(call);
}

/**
 * Does work and calls back.
 * @throws errors that say that the caller's arguments are wrong, at once
 */
export function callBack(steps: Steps<unknown>, callback: Callback, spread?: Spread): void {
  let first: IteratorResult<unknown, unknown>;
  try {
    first = steps.next();
  } catch (error) {
    if (isArgumentError(error)) throw error;
    later(() => callback(error));
    return;
  }
  settle(steps, first).then(
    (value) => {
      const results = spread?.(value as never) ?? (value === undefined ? [] : [value]);
      later(() => callback(null, ...results));
    },
    (error: unknown) => later(() => callback(error)),
  );
}

/** The callback among the arguments of a call: the last of them. @throws `ERR_INVALID_ARG_TYPE` where there is none */
export function callbackOf(given: unknown[]): Callback {
  const callback = given.pop();
  if (typeof callback !== "function") throw invalidType("cb", "of type function", undefined);
  return callback as Callback;
}

/** The form whose last argument is called back. */
export function calledBack(operation: Operation, spread?: Spread): Form {
  return (...given) => {
    const callback = callbackOf(given);
    callBack(operation(...given), callback, spread);
  };
}
