/** Things that a message counts, and of which it names the first. */

/** The number of things that are named. */
const NAMED_MAX = 5;

/** See the file's head. */
export class Named {
  readonly #first: string[] = [];
  count = 0;

  /** @param name for people */
  add(name: string): void {
    this.count++;
    if (this.#first.length < NAMED_MAX) this.#first.push(name);
  }

  /** The first names, and whether there are more. */
  toString(): string {
    return this.#first.join(", ") + (this.count > this.#first.length ? `, … (${this.count} in all)` : "");
  }
}
