/** Suggests a known word for an unknown one. */

/**
 * The edit distance of Damerau and Levenshtein (optimal string alignment): insertions, deletions,
 * substitutions and swaps of neighbours that turn one word into the other. Its time and memory grow with the
 * product of the lengths.
 */
export function editDistance(left: string, right: string): number {
  const width = right.length + 1;
  const distances = new Uint32Array((left.length + 1) * width);
  for (let row = 0; row <= left.length; row++)
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (row === 0 || column === 0) {
        distances[at] = row + column;
        continue;
      }
      const substitution = left[row - 1] === right[column - 1] ? 0 : 1;
      let least = Math.min(
        distances[at - 1]! + 1,
        distances[at - width]! + 1,
        distances[at - width - 1]! + substitution,
      );
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwap) least = Math.min(least, distances[at - 2 * width - 2]! + 1);
      distances[at] = least;
    }
  return distances.at(-1)!;
}

/** Longer words are not compared: they are not typing errors. */
const WORD_MAX = 64;

/**
 * The known word that an unknown one probably misspells: at most a third of the letters differ, or the known
 * word begins with the unknown one.
 * @returns undefined if no word is near
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    const isNear = distance <= Math.ceil(Math.max(word.length, candidate.length) / 3);
    if (!isNear && !(word.length > 1 && candidate.startsWith(word))) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** The hint for an unknown word: the nearest known one, or all of them. */
export function suggest(word: string, known: readonly string[]): string {
  const likely = nearest(word, known);
  return likely === undefined ? `there is ${known.join(", ")}` : `did you mean ${likely}?`;
}
