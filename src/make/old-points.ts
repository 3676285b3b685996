/** Seek points of entries that an image takes from an earlier one: they are found in the entries' streams. */
import { entryHeaderLen } from "../git/entry.js";
import { type SeekPoints, seekPointsAfter } from "../layout/objects.js";
import { SeekFinder } from "../layout/seek-points.js";
import type { OldPack } from "./pack/old-pack.js";

/**
 * @returns a function that finds the points of an entry of a whole blob, by its number: their places from the start of the
 *   entry as `make` writes it
 */
export function pointsOfOld(old: OldPack): (entry: number) => Promise<SeekPoints | undefined> {
  let finder: SeekFinder | undefined;
  return async (number) => {
    const { size, start, end } = old.entry(number);
    finder ??= await SeekFinder.create();
    const points = await finder.find(size, old.range(start, end));
    return points && seekPointsAfter(entryHeaderLen(size, undefined), points);
  };
}
