/** Times of many small operations. */

/** A value that so many percent of the values do not exceed. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!;
}

/** Microseconds. */
export interface Latency {
  p50: number;
  p99: number;
}

/** @param values milliseconds */
export const latencyOf = (values: readonly number[]): Latency => ({
  p50: Math.round(percentile(values, 50) * 10_000) / 10,
  p99: Math.round(percentile(values, 99) * 10_000) / 10,
});

/** Rounds seconds to a tenth, and milliseconds to a hundredth. */
export const tenths = (seconds: number): number => Math.round(seconds * 10) / 10;
export const hundredths = (milliseconds: number): number => Math.round(milliseconds * 100) / 100;
