/** Works on the groups of a job, one after another, in whichever thread. */
import { DocteurError } from "../errors.js";
import type { Calls } from "../volume/calls.js";
import type { Done, SharedJob } from "./job.js";
import type { Result, Worker } from "./work.js";

const OID = 20;

/** A blob that is too large to be read whole: `large`. @throws any other error */
function largeOr(error: unknown): "large" {
  if (error instanceof DocteurError && error.code === "OutOfMemory") return "large";
  throw error;
}

/** Works on a blob that is read whole. @returns a promise only if the image has to be waited for */
export function workOn(
  calls: Calls,
  oid: Uint8Array,
  worker: Worker,
  signals: readonly AbortSignal[],
): Result | "large" | Promise<Result | "large"> {
  try {
    const result = calls.withObject(oid, signals, (_, bytes) =>
      worker.whole(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    );
    return result instanceof Promise ? result.catch(largeOr) : result;
  } catch (error) {
    return largeOr(error);
  }
}

/** Takes room for lines, or leaves them out. */
function keep(result: Result | "large", room: Int32Array): Result | "large" {
  if (typeof result !== "object" || result.lines.length === 0) return result;
  const size = Math.ceil((result.bytes.length + 8 * result.lines.length) / 1024);
  if (Atomics.sub(room, 0, size) >= size) return result;
  Atomics.add(room, 0, size);
  return { ...result, lines: [], bytes: new Uint8Array(0), isDropped: true };
}

/**
 * Takes groups until none is left.
 * @param stop a cell that is not 0 once the work is to end
 * @param onGroup told of each group's results
 * @param lanes blobs that are asked for at once: several if they have to be waited for
 */
export async function runGroups(
  calls: Calls,
  { oids, groupLen, next, room }: SharedJob,
  worker: Worker,
  stop: Int32Array,
  onGroup: (done: Done[]) => void | Promise<void>,
  lanes = 1,
  signals: readonly AbortSignal[] = [],
): Promise<void> {
  const count = oids.length / OID;
  const lane = async (): Promise<void> => {
    while (Atomics.load(stop, 0) === 0) {
      const first = Atomics.add(next, 0, 1) * groupLen;
      if (first >= count) return;
      const done: Done[] = [];
      for (let place = first; place < Math.min(first + groupLen, count); place++) {
        const oid = oids.subarray(place * OID, (place + 1) * OID);
        const working = workOn(calls, oid, worker, signals);
        // Waiting for what is there would take longer than to look for a word.
        const result = keep(working instanceof Promise ? await working : working, room);
        if (result !== undefined) done.push([place, result]);
      }
      await onGroup(done);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
