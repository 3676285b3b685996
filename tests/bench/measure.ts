/** Fair comparisons: contestants take turns in one process, and medians count. */
import { setImmediate } from "node:timers/promises";

/** One line of the results. */
export interface Row {
  /** The benchmark: `docs/BENCHMARKS.md` says what each measures. */
  name: string;
  /** The data's name. */
  corpus: string;
  unit: string;
  ours: number;
  peer: number;
  /** The peer and its version; `target` for a limit to stay below. */
  peerName: string;
  /** How many times better ours is: above 1 where ours is faster, or smaller. */
  ratio: number;
}

/** Does its work once. @returns what was measured of it, in the same unit for every contestant */
export type Contestant = () => number | Promise<number>;

export interface Rounds {
  /** Turns that do not count, for caches and compilers to settle. */
  warmUp: number;
  /** Turns that count, at least. */
  least: number;
  /** No more turns than this, however short. */
  most: number;
  /** Further turns are taken until so many milliseconds are over. */
  enough: number;
}

export const ROUNDS: Rounds = { warmUp: 2, least: 5, most: 15, enough: 3000 };

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Runs the contestants in turns, A B C A B C …. Young garbage is collected before every run (with `--expose-gc`), so that
 * none pays for another's; a full collection would also make V8 forget code that it has optimised, which slows the next run.
 * @returns the median of each
 */
export async function alternate(
  contestants: readonly Contestant[],
  signal: AbortSignal,
  { warmUp, least, most, enough }: Rounds = ROUNDS,
): Promise<number[]> {
  const { gc } = globalThis as { gc?: (options: { type: "minor" }) => void };
  const results: number[][] = contestants.map(() => []);
  let start = 0;
  for (let round = -warmUp; round < least || (round < most && performance.now() - start < enough); round++) {
    if (round === 0) start = performance.now();
    for (const [index, contestant] of contestants.entries()) {
      await setImmediate();
      signal.throwIfAborted();
      gc?.({ type: "minor" });
      const result = await contestant();
      if (round >= 0) results[index]!.push(result);
    }
  }
  return results.map(median);
}

/** Four significant digits, as more would be noise; counts stay as they are. */
export function significant(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

/** A finished row. @param better whether more of the unit is better, or less */
export function createRow(row: Omit<Row, "ratio">, better: "more" | "less"): Row {
  const { ours, peer } = row;
  const ratio = better === "more" ? ours / peer : peer / ours;
  return { ...row, ours: significant(ours), peer: significant(peer), ratio: significant(ratio) };
}

const COLUMNS = [18, 10, 10, 7] as const;

/** The head of the table that `formatRow` fills. */
export function tableHead(): string {
  const [name, ours, peer, ratio] = COLUMNS;
  const numbers = `${"ours".padStart(ours)} ${"peer".padStart(peer)} ${"ratio".padStart(ratio)}`;
  return `${"name".padEnd(name)}${numbers}  unit; peer; corpus`;
}

/** One line for people. */
export function formatRow({ name, corpus, unit, ours, peer, peerName, ratio }: Row): string {
  const [nameWidth, oursWidth, peerWidth, ratioWidth] = COLUMNS;
  const numbers = `${String(ours).padStart(oursWidth)} ${String(peer).padStart(peerWidth)} ${ratio.toFixed(2).padStart(ratioWidth)}`;
  return `${name.padEnd(nameWidth)}${numbers}  ${unit}; ${peerName}; ${corpus}`;
}
