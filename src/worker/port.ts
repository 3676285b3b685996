/** A worker's way to the thread that started it, in engines with Web Workers. This is `#port` there. */

/** Sends a message. @param transfer buffers that go with it instead of being copied */
export function post(message: unknown, transfer: ArrayBuffer[]): void {
  (postMessage as (message: unknown, transfer: ArrayBuffer[]) => void)(message, transfer);
}

/** Takes the messages that come. */
export function listen(take: (message: unknown) => void): void {
  addEventListener("message", ({ data }) => take(data));
}
