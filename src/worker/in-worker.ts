/** The caller's side: functions that run in workers. */
import { invalid } from "../arguments.js";
import { TransientError } from "../devices/range-source.js";
import { DocteurError } from "../errors.js";
import type { MemoryFiles, MemoryImage, MemoryOptions } from "../make/browser.js";
import { packError, threadDied, unpackError } from "../threads/errors.js";
import type { assertSound, verify } from "../verify/index.js";
import { type Packed, packArguments } from "./arguments.js";
import { type CallbackError, type FromWorker, isOurs, type Tasks, type ToWorker } from "./messages.js";

/** A Web Worker, or a `Worker` of node:worker_threads. */
export interface StartedWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** The functions of docteur that are worth a worker. */
export interface InWorker extends Tasks {
  makeImage(files: MemoryFiles, options?: MemoryOptions): Promise<MemoryImage>;
  verify: typeof verify;
  assertSound: typeof assertSound;
}

/** How functions run in workers. */
export interface WorkerOptions<T> {
  /**
   * Gives the functions for the calling thread, where no worker starts: a Content-Security-Policy forbids it, its script
   * is not there, or the engine has no workers. Without it, calls then fail with `Io`.
   */
  fallback?: (() => Partial<T> | Promise<Partial<T>>) | undefined;
}

/** The worker could not be started. */
class NotStarted extends Error {}

/** How workers are listened to: Web Workers, and those of Node. */
interface Listening {
  addEventListener?(type: string, listener: (event: MessageEvent & ErrorEvent) => void): void;
  on(type: string, listener: (value: unknown) => void): void;
}

/** Takes a worker's messages, and the reason of its end. */
function listenTo(
  worker: StartedWorker,
  take: (message: unknown) => void,
  end: (reason: unknown) => void,
): void {
  const listening = worker as unknown as Listening;
  if (listening.addEventListener === undefined) {
    listening.on("message", take);
    for (const type of ["messageerror", "error", "exit"]) listening.on(type, end);
    return;
  }
  listening.addEventListener("message", ({ data }) => take(data));
  listening.addEventListener("messageerror", end);
  listening.addEventListener("error", (event) => {
    // Else the engine reports it, too.
    event.preventDefault();
    end(event.error ?? event.message);
  });
}

function callbackError(error: unknown): CallbackError {
  const isTransient = error instanceof TransientError;
  return { error: packError(error), transient: isTransient ? { retryAfter: error.retryAfter } : undefined };
}

/** Runs a callback for the worker, and tells it the outcome. */
async function callBack(post: (message: ToWorker) => void, id: number, run: () => unknown): Promise<void> {
  try {
    post({ docteur: "returned", id, value: await run() });
  } catch (error) {
    post({ docteur: "threw", id, error: callbackError(error) });
  }
}

/** Does one call in a worker of its own, which ends with it. @throws NotStarted; what the function throws; a signal's reason */
function callIn(start: () => StartedWorker, name: string, packed: Packed): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let worker: StartedWorker;
    try {
      worker = start();
    } catch (cause) {
      return reject(new NotStarted("", { cause }));
    }
    const post = (message: ToWorker): void => worker.postMessage(message);
    let isReady = false;
    const settle = (finish: () => void): void => {
      worker.terminate();
      for (const signal of packed.signals) signal.removeEventListener("abort", abort);
      finish();
    };
    const abort = ({ target }: Event): void => settle(() => reject((target as AbortSignal).reason));
    for (const signal of packed.signals) signal.addEventListener("abort", abort);
    const onReady = (): void => {
      isReady = true;
      try {
        post({ docteur: "call", name, args: packed.args });
      } catch (cause) {
        settle(() =>
          reject(invalid(`an argument of ${name} cannot be passed to a worker`, undefined, cause)),
        );
      }
    };
    const onCallback = ({ callback, args, id }: Extract<FromWorker, { docteur: "callback" }>): void => {
      const run = (): unknown => packed.callbacks[callback]!(...args);
      if (id !== undefined) void callBack(post, id, run);
      else
        try {
          run();
        } catch (error) {
          settle(() => reject(error));
        }
    };
    const take = (message: unknown): void => {
      if (!isOurs(message)) return;
      const told = message as FromWorker;
      if (told.docteur === "ready") onReady();
      else if (told.docteur === "callback") onCallback(told);
      else if (told.docteur === "returned") settle(() => resolve(told.value));
      else settle(() => reject(unpackError(told.error)));
    };
    listenTo(worker, take, (cause) =>
      settle(() => reject(isReady ? threadDied("do less at a time", cause) : new NotStarted("", { cause }))),
    );
  });
}

async function call<T extends Tasks>(
  start: () => StartedWorker,
  { fallback }: WorkerOptions<T>,
  name: string,
  args: unknown[],
): Promise<unknown> {
  const packed = packArguments(args);
  for (const signal of packed.signals) signal.throwIfAborted();
  let isPassedOn = false;
  try {
    return await callIn(start, name, packed);
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    const { cause } = error;
    const task = (await fallback?.())?.[name] as ((...args: unknown[]) => unknown) | undefined;
    if (task === undefined)
      throw new DocteurError("Io", `cannot start a worker for ${name}`, {
        cause,
        hint: "its script must be there, and the Content-Security-Policy must allow it; or give a fallback",
      });
    isPassedOn = true;
    return await task(...args);
  } finally {
    if (!isPassedOn) await packed.close();
  }
}

/**
 * Functions that run in workers, so that the calling thread stays free. Each call starts a worker, and ends it when it is
 * done or its signal is aborted. Arguments are copied; sources of ranges and callbacks stay in this thread, and the worker
 * calls them.
 * @param start starts a worker whose script calls `answer`
 * @returns an object that has each function of the worker by its name: by default those of docteur
 * @throws each call: what the function throws; DocteurError `Io` if the worker does not start and there is no fallback, or
 *   ends before its work is done; `InvalidArgument` for arguments that cannot be passed
 * @example
 * const { makeImage, verify } = inWorker(() => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }), {
 *   fallback: () => import("./functions.js"),
 * });
 * const { image } = await makeImage({ "index.html": "<p>Hello</p>" });
 */
export function inWorker<T extends Tasks = InWorker>(
  start: () => StartedWorker,
  options: WorkerOptions<T> = {},
): T {
  return new Proxy({} as T, {
    get: (_, name) =>
      // A promise that resolves to this object asks whether it is a promise.
      typeof name === "string" && name !== "then"
        ? (...args: unknown[]) => call(start, options, name, args)
        : undefined,
  });
}
