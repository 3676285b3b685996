/** Seek points of entries that an image takes from an earlier one: they are found in the entries' streams. */
import { entryHeaderLen } from "../git/entry.js";
import type { Points } from "../layout/objects.js";
import { SeekPoints } from "../layout/seek-points.js";
import type { OldPack } from "./pack/old-pack.js";

/**
 * @returns a function that finds the points of an entry of a whole blob, by its number: offsets from the start of the entry
 *   as `make` writes it
 */
export function pointsOfOld(old: OldPack): (entry: number) => Promise<Points | undefined> {
  let finder: SeekPoints | undefined;
  return async (number) => {
    const { size, start, end } = old.entry(number);
    finder ??= await SeekPoints.create();
    const header = entryHeaderLen(size, undefined);
    return (await finder.find(size, old.range(start, end)))?.map((point) => point + header);
  };
}
