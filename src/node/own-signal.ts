/** Work that ends with its caller's signal, or for its own reasons. */

/**
 * Runs work under its own signal.
 * @param outer ends the work, too
 * @param work receives the signal, and a function that aborts it
 * @returns the result of `work`
 */
export async function withOwnSignal<T>(
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, abort: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer!.reason);
  outer?.addEventListener("abort", onAbort, { once: true });
  if (outer?.aborted) onAbort();
  try {
    return await work(controller.signal, (reason) => controller.abort(reason));
  } finally {
    outer?.removeEventListener("abort", onAbort);
  }
}
