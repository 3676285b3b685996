/** What a fuzz target is, and the loop that runs one. */
import { type Random, seeded } from "../support/random.js";

/** One case: everything that it does follows from `random` and `index`. */
export interface Case {
  random: Random;
  /** Counts from 0: builds and modes take turns by it. */
  index: number;
  /** Notes the input that is about to be tried, for the report of a failure or a hang. */
  keep(input: Uint8Array): void;
  /** Counts something that happened, so that a run shows how deep it went. */
  count(what: string): void;
}

/** Prepares a target, once; then runs one case. A case that throws is a finding. */
export type Target = () => Promise<(fuzz: Case) => Promise<void>>;

/** Which cases to run. */
export interface RunOptions {
  seed: number;
  /** The first case. */
  from?: number;
  /** How many; default: as many as the time allows. */
  cases?: number;
  seconds?: number;
  /** Told before each case. */
  onCase?: (index: number) => void;
  onInput?: (input: Uint8Array) => void;
}

/** What a run did. */
export interface RunResult {
  cases: number;
  counts: Record<string, number>;
  failure?: { index: number; input: Uint8Array; error: unknown };
}

/** Runs cases until one fails, the time is over, or as many as were asked for are done. */
export async function runTarget(target: Target, options: RunOptions): Promise<RunResult> {
  const { seed, from = 0, cases = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = options;
  const run = await target();
  const end = performance.now() + seconds * 1000;
  const counts: Record<string, number> = {};
  let done = 0;
  while (done < cases && performance.now() < end) {
    const index = from + done;
    let input: Uint8Array = new Uint8Array(0);
    options.onCase?.(index);
    try {
      await run({
        random: seeded((seed + Math.imul(index, 0x9e3779b1)) | 0),
        index,
        keep(bytes) {
          input = bytes;
          options.onInput?.(bytes);
        },
        count(what) {
          counts[what] = (counts[what] ?? 0) + 1;
        },
      });
    } catch (error) {
      return { cases: done + 1, counts, failure: { index, input, error } };
    }
    done++;
  }
  return { cases: done, counts };
}
