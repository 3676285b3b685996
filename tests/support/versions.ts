/** Versions of a large file, as images have them: one is stored whole, and the others as deltas. */
import type { Random } from "./random.js";

/** A version with some lines more, some less, and sometimes a piece of it in another place. */
export function editedVersion(base: Buffer, random: Random, edits: number): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let count = 0; count < edits; count++) {
    const to = Math.min(base.length, at + random(Math.ceil((2 * base.length) / edits)));
    pieces.push(base.subarray(at, to), Buffer.from(`edit ${count} ${random(2 ** 31)}\n`));
    at = Math.min(base.length, to + random(60));
    if (random(8) > 0) continue;
    const from = random(base.length);
    pieces.push(base.subarray(from, from + random(30_000)));
  }
  pieces.push(base.subarray(at));
  return Buffer.concat(pieces);
}
