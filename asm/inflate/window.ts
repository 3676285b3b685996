/**
 * An output window that slides over a stream of any length. It keeps the 32 KiB that deflate may refer to before the
 * bytes that come next:
 *
 *     │ history 32 KiB │ chunk 64 KiB │ slack, which the caller allocates │
 */
import { DISTANCE_MAX } from "./constants";
import { Inflate } from "./state";

export const HISTORY: u32 = DISTANCE_MAX;
export const CHUNK: u32 = 0x10000;
export const WINDOW: u32 = HISTORY + CHUNK;

/**
 * Drops all but the last 32 KiB from a window that begins at `window`, and opens it for the next chunk.
 * @param stop the position in the output at which the window ends at the latest
 * @returns bytes dropped: how far what is left has moved towards the window's start
 */
export function windowSlide(state: Inflate, window: usize, stop: u64): u32 {
  const filled = <u32>(state.output - window);
  const drop = filled > HISTORY ? filled - HISTORY : 0;
  memory.copy(window, window + drop, filled - drop);
  windowSet(state, window, filled - drop, stop);
  return drop;
}

/** Lays a stream's window out: the last `filled` bytes of output are at `window`. */
export function windowSet(state: Inflate, window: usize, filled: u32, stop: u64): void {
  state.history = window;
  state.output = window + filled;
  state.outputEnd = state.output + <u32>min<u64>(WINDOW - filled, stop - state.totalOut);
}
