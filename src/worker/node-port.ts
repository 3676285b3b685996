/** A worker's way to the thread that started it, in Node: what `port.ts` is elsewhere. Deno and Bun have Web Workers, too. */
import { parentPort } from "node:worker_threads";
import * as web from "./port.js";

export function post(message: unknown, transfer: ArrayBuffer[]): void {
  if (parentPort === null) web.post(message, transfer);
  else parentPort.postMessage(message, transfer);
}

export function listen(take: (message: unknown) => void): void {
  if (parentPort === null) web.listen(take);
  else parentPort.on("message", take);
}
