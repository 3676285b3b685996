/** The worker's side: runs the functions that another thread calls. */
import { listen, post } from "#port";
import { invalid } from "../arguments.js";
import { TransientError } from "../devices/range-source.js";
import { packError, unpackError } from "../threads/errors.js";
import { unpackArguments } from "./arguments.js";
import { type CallbackError, type FromWorker, isOurs, type Tasks, type ToWorker } from "./messages.js";

/** Buffers that can go to the other thread instead of being copied: those of a result's own bytes. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const members = typeof value === "object" && value !== null ? Object.values(value) : [];
  const bytes = members.filter((member) => member instanceof Uint8Array);
  return [...new Set(bytes.map(({ buffer }) => buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => post(message, transfer);

function errorOf({ error, transient }: CallbackError): Error {
  const cause = unpackError(error);
  return transient === undefined ? cause : new TransientError(cause.message, transient);
}

/** Callbacks whose outcome is awaited. */
class Callbacks {
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #count = 0;

  call(callback: number, args: unknown[], isReport: boolean): unknown {
    if (isReport) return send({ docteur: "callback", callback, args, id: undefined });
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send({ docteur: "callback", callback, args, id });
    });
  }

  settle(message: Exclude<ToWorker, { docteur: "call" }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.docteur === "returned") waiting?.resolve(message.value);
    else waiting?.reject(errorOf(message.error));
  }
}

/**
 * Runs functions for `inWorker`, in a worker. Call it once, with the functions that the worker is there for.
 * @param tasks by the names that the other thread calls them by
 * @example
 * import { makeImage } from "docteur/make";
 * import { verify } from "docteur/verify";
 * import { answer } from "docteur/worker";
 *
 * answer({ makeImage, verify });
 */
export function answer(tasks: Tasks): void {
  const callbacks = new Callbacks();
  const run = async (name: string, args: unknown[]): Promise<void> => {
    try {
      if (!Object.hasOwn(tasks, name))
        throw invalid(`the worker does not answer ${name}`, "pass it to answer()");
      const given = unpackArguments(args, (...call) => callbacks.call(...call));
      const value = await (tasks[name] as (...args: unknown[]) => unknown)(...given);
      send({ docteur: "returned", value }, buffersOf(value));
    } catch (error) {
      send({ docteur: "threw", error: packError(error) });
    }
  };
  listen((message) => {
    if (!isOurs(message)) return;
    const ours = message as ToWorker;
    if (ours.docteur === "call") void run(ours.name, ours.args);
    else callbacks.settle(ours);
  });
  send({ docteur: "ready" });
}
