/**
 * The most recent small trees, by content. In a deep source most folders hold one entry, and many are equal.
 * Looking a tree up takes a fraction of the time of hashing it.
 */

/** The number of slots, and the most bytes of the content in a slot. */
const SLOTS = 1 << 12;
const CONTENT_MAX = 64;

/** See the file's head. */
export class RecentTrees {
  readonly #contents = new Uint8Array(SLOTS * CONTENT_MAX);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #numbers = new Uint32Array(SLOTS);

  /** The number that was kept with a content. */
  find(content: Uint8Array): number | undefined {
    if (content.length === 0 || content.length > CONTENT_MAX) return undefined;
    const slot = slotOf(content);
    if (this.#lengths[slot] !== content.length) return undefined;
    const start = slot * CONTENT_MAX;
    for (let at = 0; at < content.length; at++)
      if (this.#contents[start + at] !== content[at]) return undefined;
    return this.#numbers[slot];
  }

  /** Keeps a content, in place of another. */
  keep(content: Uint8Array, number: number): void {
    if (content.length > CONTENT_MAX) return;
    const slot = slotOf(content);
    this.#contents.set(content, slot * CONTENT_MAX);
    this.#lengths[slot] = content.length;
    this.#numbers[slot] = number;
  }
}

/** A tree ends with an id, whose bytes are spread evenly. */
function slotOf(content: Uint8Array): number {
  const end = content.length;
  return (content[end - 1]! | (content[end - 2]! << 8)) & (SLOTS - 1);
}
