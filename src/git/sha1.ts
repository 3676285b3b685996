/** SHA-1 (FIPS 180-4, 6.1), for what is hashed at once where there is no Node: commits, and the checksum of an index. */
import type { Sha1 } from "./oid.js";

const BLOCK = 64;
/** Where a message's length stands in its last block. */
const LENGTH_AT = 56;

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

class ScriptSha1 implements Sha1 {
  readonly #state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  readonly #schedule = new Int32Array(80);
  readonly #block = new Uint8Array(BLOCK);
  readonly #view = new DataView(this.#block.buffer);
  /** Bytes so far. */
  #length = 0;

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; ) {
      const within = this.#length % BLOCK;
      const part = bytes.subarray(at, at + BLOCK - within);
      this.#block.set(part, within);
      this.#length += part.length;
      at += part.length;
      if (this.#length % BLOCK === 0) this.#take();
    }
    return this;
  }

  digest(): Uint8Array {
    const length = this.#length;
    this.update(Uint8Array.of(0x80));
    while (this.#length % BLOCK !== LENGTH_AT) this.update(Uint8Array.of(0));
    const tail = new DataView(new ArrayBuffer(8));
    tail.setBigUint64(0, BigInt(length) * 8n);
    this.update(new Uint8Array(tail.buffer));
    const digest = new DataView(new ArrayBuffer(20));
    this.#state.forEach((word, at) => {
      digest.setInt32(4 * at, word);
    });
    return new Uint8Array(digest.buffer);
  }

  /** Takes a whole block. */
  #take(): void {
    const words = this.#schedule;
    for (let at = 0; at < 16; at++) words[at] = this.#view.getInt32(4 * at);
    for (let at = 16; at < 80; at++)
      words[at] = rotate(words[at - 3]! ^ words[at - 8]! ^ words[at - 14]! ^ words[at - 16]!, 1);
    let [a, b, c, d, e] = this.#state as unknown as [number, number, number, number, number];
    for (let at = 0; at < 80; at++) {
      const [mixed, constant] =
        at < 20
          ? [(b & c) | (~b & d), 0x5a827999]
          : at < 40
            ? [b ^ c ^ d, 0x6ed9eba1]
            : at < 60
              ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
              : [b ^ c ^ d, 0xca62c1d6];
      const next = (rotate(a, 5) + mixed + e + words[at]! + constant) | 0;
      [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
    }
    [a, b, c, d, e].forEach((word, at) => {
      this.#state[at] = (this.#state[at]! + word) | 0;
    });
  }
}

/** Begins a SHA-1, in the shape of `node:crypto`'s. */
export function createSha1(): Sha1 {
  return new ScriptSha1();
}
