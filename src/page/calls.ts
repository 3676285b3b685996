/** Calls of the worker, as functions. */
import type { Api, Call, Event, Reply } from "./protocol.js";

/** An error of the worker, in words for people. */
export class CallError extends Error {
  readonly hint: string | undefined;

  constructor({ message, hint }: { message: string; hint: string | undefined }) {
    super(message);
    this.hint = hint;
  }
}

type Ending = { resolve: (value: never) => void; reject: (error: Error) => void };

/** Starts the worker. @param listener takes its events */
export function startWorker(url: URL, listener: (event: Event) => void): Api {
  const worker = new Worker(url, { type: "module" });
  const endings = new Map<number, Ending>();
  let count = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply | Event>) => {
    if ("event" in data) return listener(data);
    const ending = endings.get(data.id);
    endings.delete(data.id);
    if ("error" in data) ending?.reject(new CallError(data.error));
    else ending?.resolve(data.value as never);
  };
  const failed = (): void => {
    const error = new CallError({ message: "the page's worker has ended", hint: "reload the page" });
    for (const { reject } of endings.values()) reject(error);
    endings.clear();
  };
  worker.onerror = failed;
  const call = (method: keyof Api, args: unknown[]): Promise<never> =>
    new Promise((resolve, reject) => {
      const id = count++;
      endings.set(id, { resolve, reject });
      worker.postMessage({ id, method, args } satisfies Call);
    });
  return new Proxy({} as Api, {
    get:
      (_, method) =>
      (...args: unknown[]) =>
        call(method as keyof Api, args),
  });
}
