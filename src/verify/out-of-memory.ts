/** Turns engines' exceptions for a lack of memory into errors of this library. */
import { DocteurError } from "../errors.js";

/** Messages of the RangeErrors for arrays, maps, strings and Wasm memories that cannot be had. */
const MESSAGE = /alloc|memory|invalid .*length|maximum size exceeded/i;

/** Advice about a lack of memory. */
export const MORE_MEMORY = "raise the memory limit (memoryLimit, --memory)";

/** The error for tables that have no room. @param cause the engine's exception */
export function tablesOutOfMemory(cause?: unknown): DocteurError {
  return new DocteurError("OutOfMemory", "there is no memory for the tables of all objects", {
    hint: `${MORE_MEMORY}, or free memory of the machine`,
    cause,
  });
}

/** The library's error for an exception, if it is one or stands for a lack of memory. */
export function typedError(error: unknown): DocteurError | undefined {
  if (error instanceof DocteurError) return error;
  const isLack = error instanceof RangeError && !("code" in error) && MESSAGE.test(error.message);
  return isLack ? tablesOutOfMemory(error) : undefined;
}
