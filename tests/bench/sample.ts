/** Random choices that are the same in every run. */
import type { Random } from "../support/random.js";

/** A copy in random order (Fisher and Yates). */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** The first items of a random order that stay within a count and a sum of sizes; one at least, if there is any. */
export function sample<T extends { size: number }>(
  list: readonly T[],
  random: Random,
  count: number,
  bytes: number,
): T[] {
  const chosen: T[] = [];
  let left = bytes;
  for (const item of shuffled(list, random)) {
    if (chosen.length === count) break;
    if (item.size > left && chosen.length > 0) continue;
    chosen.push(item);
    left -= item.size;
  }
  return chosen;
}
