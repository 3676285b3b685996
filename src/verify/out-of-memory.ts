/** Memory that JavaScript has not: what engines say of it becomes an error of the library's. */
import { DocteurError } from "../errors.js";

/** Messages of the RangeErrors for arrays, maps, strings and Wasm memories that cannot be had. */
const MESSAGE = /alloc|memory|invalid .*length|maximum size exceeded/i;

/** What to do about a lack of memory. */
export const MORE_MEMORY = "raise the memory limit (memoryLimit, --memory)";

/** The error for tables that have no room. @param cause what the engine said of it */
export function tablesOutOfMemory(cause?: unknown): DocteurError {
  return new DocteurError("OutOfMemory", "there is no memory for the tables of all objects", {
    hint: `${MORE_MEMORY}, or free memory of the machine`,
    cause,
  });
}

/** An error of the library's for one that was thrown, where it is one or stands for a lack of memory. */
export function typedError(error: unknown): DocteurError | undefined {
  if (error instanceof DocteurError) return error;
  const isLack = error instanceof RangeError && !("code" in error) && MESSAGE.test(error.message);
  return isLack ? tablesOutOfMemory(error) : undefined;
}
