/**
 * Work that is written once and runs over volumes that answer at once and over those that answer by promises: a generator
 * yields every answer that it waits for.
 */

import { invalid } from "../arguments.js";

/** Work whose result is a `T`. */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Waits for an answer: `const entry = yield* answer(volume.stat(path))`. */
export function* answer<T>(value: T | PromiseLike<T>): Steps<T> {
  return (yield value) as T;
}

/**
 * Does work whose answers are all there at once.
 * @throws the work's errors; DocteurError `InvalidArgument` for a volume that answers by promises
 */
export function finish<T>(steps: Steps<T>): T {
  let state = steps.next();
  while (state.done !== true) {
    const { value } = state;
    if (value instanceof Promise) {
      value.catch(() => undefined);
      throw invalid(
        "this volume cannot be read synchronously",
        "openSync of docteur/sync opens one that can",
      );
    }
    state = steps.next(value);
  }
  return state.value;
}

/** Does work, and waits for answers. @param first the outcome of the first step, if it has been taken */
export async function settle<T>(steps: Steps<T>, first?: IteratorResult<unknown, T>): Promise<T> {
  let state = first ?? steps.next();
  while (state.done !== true) {
    let value: unknown;
    try {
      value = await state.value;
    } catch (error) {
      state = steps.throw(error);
      continue;
    }
    state = steps.next(value);
  }
  return state.value;
}
