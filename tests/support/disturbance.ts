/**
 * The conditions by which sha1dc.ts rules out disturbance vectors, derived from the vectors alone. In a local
 * collision that begins with bit b of step t, the disturbance has a sign, and the message takes it back with
 * signs that follow from it:
 *
 * - the message bit that begins it has its sign; that of step t + 1 (bit b + 5), which takes back the rotated
 *   disturbance, and that of step t + 5 (bit b - 2), which takes back what is then added as e, have the other;
 * - in the rounds of majority (40 to 59) so have those of steps t + 2 (bit b), t + 3 and t + 4 (bit b - 2): the
 *   function passes a difference on with its sign, or not at all;
 * - where two of these fall on one bit, the message has no difference there, and they must make up for each
 *   other: two corrections have different signs, a correction and a beginning the same.
 *
 * Bit 31 has no sign. What has neighbours, whose carries could mix with it, is left out.
 */

/** A disturbance vector I(k, b) or II(k, b). */
export interface Vector {
  type: 1 | 2;
  k: number;
  b: number;
}

/** Bit i of word t and bit j of word u are equal, or differ. */
export interface Condition {
  t: number;
  i: number;
  u: number;
  j: number;
  differ: boolean;
}

const FIRST = 35;
const LAST = 64;

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** The disturbances of step t, from -5 on. */
export function expandVector({ type, k, b }: Vector): (t: number) => number {
  const words = new Int32Array(85);
  const at = (t: number): number => (t < -5 ? 0 : words[t + 5]!);
  words[k + 20] = 1 << b;
  if (type === 2) words[k + 6] = words[k + 8] = rotate(1, (31 + b) % 32);
  for (let t = k + 16; t < 80; t++) words[t + 5] = rotate(at(t - 3) ^ at(t - 8) ^ at(t - 14) ^ at(t - 16), 1);
  for (let t = k - 1; t >= -5; t--)
    words[t + 5] = rotate(at(t + 16), 31) ^ at(t + 13) ^ at(t + 8) ^ at(t + 2);
  return at;
}

/** Signs that are the same or opposite, as far as is known. */
class Signs {
  readonly #above = new Map<string, { name: string; opposite: boolean }>();

  find(name: string): { name: string; opposite: boolean } {
    let opposite = false;
    for (let above = this.#above.get(name); above !== undefined; above = this.#above.get(name)) {
      name = above.name;
      opposite = opposite !== above.opposite;
    }
    return { name, opposite };
  }

  join(a: string, b: string, opposite: boolean): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x.name === y.name) return;
    this.#above.set(x.name, { name: y.name, opposite: (x.opposite !== y.opposite) !== opposite });
  }
}

/** A part of a local collision: `after` steps after its beginning. */
interface Part {
  after: number;
  begin: string;
  isClean: boolean;
}

/** What falls on a bit of a word of the schedule. */
function partsOf(at: (t: number) => number, t: number, bit: number): Part[] {
  const has = (step: number, b: number): boolean => ((at(step) >>> (b & 31)) & 1) === 1;
  return [0, -5, 0, 2, 2, 2]
    .map((shift, after) => ({ after, step: t - after, b: (bit + shift + 32) % 32 }))
    .filter(({ step, b }) => has(step, b))
    .map(({ after, step, b }) => ({
      after,
      begin: `${step}:${b}`,
      isClean: step >= FIRST && !has(step, b - 1) && !has(step, b + 1),
    }));
}

/** The conditions of a vector: each between a bit and the one before it that it depends on. */
export function conditionsOf(vector: Vector): Condition[] {
  const at = expandVector(vector);
  const signs = new Signs();
  const bits: { t: number; i: number }[] = [];
  for (let t = FIRST; t <= LAST; t++)
    for (let i = 0; i < 31; i++) {
      const parts = partsOf(at, t, i);
      const isMajority = t >= 40 && t < 60;
      const inFunction = (part: Part): boolean => part.after >= 2 && part.after <= 4;
      if (partsOf(at, t, i + 1).length > 0 || parts.some((part) => !part.isClean)) continue;
      if (!isMajority && parts.some(inFunction)) continue;
      const [a, b] = parts;
      if (parts.length === 1) {
        signs.join(`bit ${t}:${i}`, a!.begin, a!.after > 0);
        bits.push({ t, i });
      } else if (parts.length === 2 && !parts.every(inFunction)) {
        signs.join(a!.begin, b!.begin, a!.after > 0);
      }
    }
  const last = new Map<string, { t: number; i: number; opposite: boolean }>();
  const conditions: Condition[] = [];
  for (const { t, i } of bits) {
    const { name, opposite } = signs.find(`bit ${t}:${i}`);
    const before = last.get(name);
    if (before !== undefined)
      conditions.push({ t: before.t, i: before.i, u: t, j: i, differ: before.opposite !== opposite });
    last.set(name, { t, i, opposite });
  }
  return conditions;
}
