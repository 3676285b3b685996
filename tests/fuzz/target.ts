/** What a fuzz target is, and the loop that runs one. */
import { type Random, seeded } from "../support/random.js";
import { mutate } from "./mutate.js";

/** One case: everything that it does follows from `random`, `index` and the corpus. */
export interface Case {
  random: Random;
  /** An input to try as it is, in place of a random one. */
  given?: Uint8Array;
  /** Saved inputs, to mutate. */
  corpus: readonly Uint8Array[];
  /** Counts from 0: builds and modes take turns by it. */
  index: number;
  /** Notes the input that is about to be tried, for the report of a failure or a hang. */
  keep(input: Uint8Array): void;
  /** Counts something that happened, so that a run shows how deep it went. */
  count(what: string): void;
}

/** Prepares a target, once; then runs one case. A case that throws is a finding. */
export type Target = () => Promise<(fuzz: Case) => Promise<void>>;

/** An input of the corpus, `tests/fuzz/corpus/TARGET/NAME`. */
export interface SavedInput {
  name: string;
  bytes: Uint8Array;
}

/** Which cases to run. */
export interface RunOptions {
  seed: number;
  /** The first case; default: the corpus, whose cases have negative numbers, comes first. */
  from?: number;
  /** How many, besides the corpus; default: as many as the time allows. */
  cases?: number;
  seconds?: number;
  /** Saved inputs: tried as they are before all else, and mutated in some of the cases. */
  corpus?: readonly SavedInput[];
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
  const { seed, from, cases = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = options;
  const corpus = options.corpus?.map(({ bytes }) => bytes) ?? [];
  const run = await target();
  const end = performance.now() + seconds * 1000;
  const counts: Record<string, number> = {};
  const first = from ?? -corpus.length;
  const last = (from ?? 0) + cases;
  let index = first;
  for (; index < last && (index < 0 || performance.now() < end); index++) {
    const given = index < 0 ? corpus[corpus.length + index] : undefined;
    let input = given ?? new Uint8Array(0);
    options.onCase?.(index);
    const fuzz: Case = {
      random: seeded((seed + Math.imul(index, 0x9e3779b1)) | 0),
      index: Math.abs(index),
      corpus,
      keep(bytes) {
        input = bytes;
        options.onInput?.(bytes);
      },
      count(what) {
        counts[what] = (counts[what] ?? 0) + 1;
      },
    };
    if (given !== undefined) fuzz.given = given;
    try {
      await run(fuzz);
    } catch (error) {
      return { cases: index - first + 1, counts, failure: { index, input, error } };
    }
  }
  return { cases: index - first, counts };
}

/**
 * The input of a case: the given one as it is, a mutation of a saved one, or a new one.
 * @param generate makes a new one
 */
export function inputOf({ given, corpus, random }: Case, generate: (random: Random) => Buffer): Buffer {
  if (given !== undefined) return Buffer.from(given);
  if (corpus.length > 0 && random(4) === 0) return mutate(corpus[random(corpus.length)]!, random, 4, corpus);
  return generate(random);
}

/** Milliseconds of a processor that this process has taken: what other programs do does not count. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
