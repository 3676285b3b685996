/**
 * Copies entries of an earlier image into a new pack. Entries that follow each other in both are copied as one range,
 * byte for byte; an entry whose header must change, as its base is another distance away, is copied by itself.
 */
import { NO_BASE } from "./bases.js";
import type { Surveyed } from "./object-table.js";
import type { OldPack } from "./old-pack.js";
import type { Taken } from "./taken.js";
import type { PackWriter } from "./writer.js";

/** See the file's head. */
export class Copier {
  readonly #old: OldPack;
  readonly #surveyed: Surveyed;
  readonly #taken: Taken;
  readonly #writer: PackWriter;
  readonly #offsets: Float64Array;
  /** The range that is noted and not yet copied, from the start of the old PACK; empty if both are equal. */
  #start = 0;
  #end = 0;

  /** @param offsets by number, filled: the offset of each object's entry in the new pack */
  constructor(old: OldPack, surveyed: Surveyed, taken: Taken, writer: PackWriter, offsets: Float64Array) {
    this.#old = old;
    this.#surveyed = surveyed;
    this.#taken = taken;
    this.#writer = writer;
    this.#offsets = offsets;
  }

  /** Copies the entries of some objects. @param numbers in the order of writing @returns the number of deltas */
  async copy(numbers: Uint32Array): Promise<number> {
    const old = this.#old;
    let deltaCount = 0;
    for (const number of numbers) {
      const entry = this.#taken.entries[number]!;
      const base = this.#taken.bases[number]!;
      const offset = old.offsetOf(entry);
      if (base !== NO_BASE) deltaCount++;
      if (offset !== this.#end) await this.#flush(offset);
      const position = this.#writer.position + offset - this.#start;
      this.#offsets[number] = position;
      if (this.#isMovable(entry, base, position)) {
        this.#end = old.endOf(entry);
        const baseAt = base === NO_BASE ? undefined : this.#offsets[base]!;
        this.#writer.note(this.#oidOf(number), position, baseAt, old.crcOf(entry));
        continue;
      }
      await this.#flush(offset);
      await this.#copyOne(number, entry, base);
      this.#start = this.#end = old.endOf(entry);
    }
    await this.#flush(0);
    return deltaCount;
  }

  /** Whether the entry keeps its bytes at a new position. */
  #isMovable(entry: number, base: number, position: number): boolean {
    const old = this.#old;
    if (!old.isPlain(entry)) return false;
    if (base === NO_BASE) return true;
    return position - this.#offsets[base]! === old.offsetOf(entry) - old.offsetOf(old.baseOf(entry));
  }

  /** Copies the noted range. @param next the start of the next one */
  async #flush(next: number): Promise<void> {
    if (this.#end > this.#start) await this.#writer.addNoted(this.#old.range(this.#start, this.#end));
    this.#start = this.#end = next;
  }

  async #copyOne(number: number, entry: number, base: number): Promise<void> {
    const old = this.#old;
    const baseAt = base === NO_BASE ? undefined : this.#offsets[base]!;
    const { size, start, end } = old.entry(entry);
    const kind = this.#surveyed.kindOf(number);
    await this.#writer.addStream(kind, this.#oidOf(number), size, baseAt, old.range(start, end));
  }

  #oidOf(number: number): Uint8Array {
    return this.#surveyed.oids(number, number + 1);
  }
}
