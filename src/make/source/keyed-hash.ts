/**
 * A hash of names with a random key in every process, so that an attacker cannot choose colliding names.
 * HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; the reference code's
 * halfsiphash.c). Results differ between processes, so no output may depend on them.
 */

const rotate = (word: number, count: number): number => (word << count) | (word >>> (32 - count));

/** See the file's head. */
export class KeyedHash {
  readonly #key = globalThis.crypto.getRandomValues(new Int32Array(2));
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  /**
   * Hashes a number, and a part of a byte string.
   * @param seed 32 bits
   * @returns 32 bits, unsigned
   */
  of(seed: number, text: string, start: number, end: number): number {
    this.#v0 = this.#key[0]!;
    this.#v1 = this.#key[1]!;
    this.#v2 = 0x6c796765 ^ this.#v0;
    this.#v3 = 0x74656462 ^ this.#v1;
    this.#word(seed);
    let word = 0;
    let shift = 0;
    for (let at = start; at < end; at++) {
      word |= text.charCodeAt(at) << shift;
      shift += 8;
      if (shift < 32) continue;
      this.#word(word);
      word = 0;
      shift = 0;
    }
    this.#word(word | ((end - start) << 24));
    this.#v2 ^= 0xff;
    for (let round = 0; round < 3; round++) this.#round();
    return (this.#v1 ^ this.#v3) >>> 0;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = rotate(v2, 16);
    this.#v3 = v3;
  }
}
