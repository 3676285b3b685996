/** Requests that may fail for a while: a time limit for each try, and further tries after growing pauses. */
import { abortable } from "../../abort.js";
import { DocteurError } from "../../errors.js";
import { TransientError } from "../range-source.js";
import { type Clock, sleep, systemClock } from "./clock.js";

/** How long a request is waited for. */
export interface Patience {
  /** Milliseconds that one try, or one step of it, may take, beside what its bytes take at `SLOWEST`. */
  timeout: number;
  /** Further tries after the first, or after the last one that got anywhere. */
  retries: number;
}

/** By default: a server that never answers is given up after a minute and a half. */
export const PATIENCE: Patience = { timeout: 20_000, retries: 3 };

/** Bytes a millisecond below which a connection counts as stalled: 32 KiB a second. */
const SLOWEST = 32.768;
/** Milliseconds before the second try, doubled for each further one, up to the longest. */
const PAUSE = 250;
const PAUSE_MAX = 8000;
/** A server that asks for a longer pause, in milliseconds, is not waited for. */
export const RETRY_AFTER_MAX = 60_000;

/** How the name of a source begins that is a URL. */
const URL_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//;

/** What a request is, and what it may take. */
export interface Attempts<T> {
  /**
   * One try. Its signal is aborted when its time is over; a try that goes on all the same is left behind.
   * @param advance is to be called after each step, which the next try need not repeat: the next step has a time of its own
   */
  attempt(signal: AbortSignal, advance: () => void): Promise<T>;
  /** What errors call the other side. */
  name: string;
  patience: Patience;
  /** Bytes that a try, or a step of it, asks for. */
  length: number;
  /** Ends the request. */
  signal: AbortSignal;
  clock?: Clock | undefined;
  /** Told before each further try. */
  onRetry?: (() => void) | undefined;
}

/** Runs one try within its time. @param onStep is called after each of its steps */
async function limited<T>(request: Attempts<T>, clock: Clock, onStep: () => void): Promise<T> {
  const { attempt, signal, patience, length } = request;
  if (signal.aborted) throw signal.reason;
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", stop);
  const limit = Math.ceil(patience.timeout + length / SLOWEST);
  let missing = "complete answer";
  let isOver = false;
  const giveUp = (): void => controller.abort(new TransientError(`no ${missing} within ${limit} ms`));
  let callOff = clock.after(limit, giveUp);
  const advance = (): void => {
    if (isOver || controller.signal.aborted) return;
    callOff();
    callOff = clock.after(limit, giveUp);
    missing = "further bytes";
    onStep();
  };
  try {
    const answer = (async () => attempt(controller.signal, advance))();
    return await abortable(answer, [controller.signal]);
  } catch (error) {
    // A try that notices its end by itself rejects in words of its own.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    isOver = true;
    callOff();
    signal.removeEventListener("abort", stop);
  }
}

/** Milliseconds before a further try: at least half of the pause, so that tries of many clients spread. */
function pauseBefore(retry: number, error: TransientError, clock: Clock): number {
  const pause = Math.min(PAUSE_MAX, PAUSE * 2 ** (retry - 1)) * (0.5 + clock.random() / 2);
  return Math.max(pause, error.retryAfter ?? 0);
}

/** The last error of a request as users are told it. */
function finalError(name: string, error: unknown, tries: number, hint?: string): DocteurError {
  if (error instanceof DocteurError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const times = tries > 1 ? ` (after ${tries} tries)` : "";
  const code = error instanceof TransientError ? "Network" : "Io";
  const url = URL_SCHEME.test(name) ? name : undefined;
  return new DocteurError(code, `${name}: ${reason}${times}`, { cause: error, hint, url });
}

/**
 * Runs a request until it succeeds, fails for good, or has been tried often enough.
 * @returns what a try gave
 * @throws DocteurError `Network` where every try failed, `Io` for an error that is not a `TransientError`; an
 *   error of the request that is a `DocteurError`; the reason of the signal
 */
export async function retrying<T>(request: Attempts<T>): Promise<T> {
  const { name, patience, signal, clock = systemClock } = request;
  for (let tries = 1; ; tries++) {
    try {
      return await limited(request, clock, () => {
        tries = 1;
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof TransientError) || tries > patience.retries)
        throw finalError(name, error, tries);
      if ((error.retryAfter ?? 0) > RETRY_AFTER_MAX) {
        const seconds = Math.ceil(error.retryAfter! / 1000);
        throw finalError(name, error, tries, `the server asks to try again after ${seconds} seconds`);
      }
      await sleep(clock, pauseBefore(tries, error, clock), signal);
      request.onRetry?.();
    }
  }
}
