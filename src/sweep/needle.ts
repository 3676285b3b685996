/** Finds some bytes in others: by the one of them that is rarest in text and in code. */

/** Bytes by how often they stand in text and in code: the most frequent first, as counted in many programs and manuals. */
const FREQUENT =
  " etaoinsrlcdpumhf\ng_b.y,v()\"'=-0w/;:1xkTS2SEACI*{}>I<3RDLNPMOFB4qj5G8U67z[]9WV#HX\\$+K&|JYQZ@!?`%^~\t\r";

/** How rare each byte is: those that are not listed most. */
const RARITY = new Uint8Array(256).fill(255);
for (const [rank, char] of [...FREQUENT].entries())
  RARITY[char.charCodeAt(0)] = Math.min(RARITY[char.charCodeAt(0)]!, rank);

/** After so many bytes for each place where the rare byte stands alone, it counts as frequent. */
const BYTES_PER_MISS = 64;
/** Misses that are not held against it. */
const MISSES = 64;

/** Bytes to be found. */
export class Needle {
  readonly #bytes: Buffer;
  /** The place of the rarest byte. */
  readonly #at: number;

  /** @param bytes at least one */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#at = bytes.reduce((best, byte, at) => (RARITY[byte]! > RARITY[bytes[best]!]! ? at : best), 0);
  }

  /** The first place at or behind `from` where the bytes stand; -1 for none. */
  find(hay: Buffer, from: number): number {
    const { length } = this.#bytes;
    const rare = this.#bytes[this.#at]!;
    for (let at = from + this.#at, misses = 0; ; at++, misses++) {
      at = hay.indexOf(rare, at);
      if (at < 0) return -1;
      const start = at - this.#at;
      if (this.#isAt(hay, start)) return start;
      if (misses > MISSES && misses * BYTES_PER_MISS > at - from)
        return start + length > hay.length ? -1 : hay.indexOf(this.#bytes, start + 1);
    }
  }

  #isAt(hay: Buffer, start: number): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < bytes.length; index++) if (hay[start + index] !== bytes[index]) return false;
    return true;
  }
}
