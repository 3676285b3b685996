/**
 * Chooses the length of a large file's segments, so that its seek points cost about a hundredth of its stream. A point costs
 * the matches that cannot reach back across it. They are estimated at a few places: content beside what is before it, and the
 * two together, each as if it were deflated.
 */
import { SEEK, SEGMENT } from "../../layout/format.js";
import { WINDOW } from "./deflater.js";
import type { Engine } from "./engine.js";

/** The places that are looked at. */
const SAMPLES = 4;
/** A point may cost one byte of so many of the stream. */
const SHARE = 100;

/** The positions around which `add` looks at content of `size` bytes. */
export function samplePositions(size: number): number[] {
  return Array.from({ length: SAMPLES }, (_, sample) =>
    Math.floor(((2 * sample + 1) * size) / (2 * SAMPLES)),
  );
}

/** The estimate of one file. */
export class SegmentChoice {
  readonly #engine: Engine;
  readonly #size: number;
  /** Bytes that points would cost, and those that content takes without them. */
  #lost = 0;
  #taken = 0;
  #looked = 0;

  /** @param size bytes of the file, more than `SEGMENT.min` */
  constructor(engine: Engine, size: number) {
    this.#engine = engine;
    this.#size = size;
  }

  /** Looks at a place. @param ptr `WINDOW` bytes of content are before it, and as many behind */
  add(ptr: number): void {
    const { deflatedLenSampled } = this.#engine;
    const before = deflatedLenSampled(ptr - WINDOW, WINDOW);
    const behind = deflatedLenSampled(ptr, WINDOW);
    const both = deflatedLenSampled(ptr - WINDOW, 2 * WINDOW);
    this.#lost += Math.max(0, before + behind - both) + SEEK.length;
    this.#taken += both;
    this.#looked += 2 * WINDOW;
  }

  /** Bytes of content in a segment. There are at least two, as a file with one has neither points nor checksums. */
  get segment(): number {
    const { unit, min } = SEGMENT;
    const max = Math.min(SEGMENT.max, Math.floor(this.#size / 2 / unit) * unit);
    const samples = this.#looked / (2 * WINDOW);
    const perUnit = (this.#taken / this.#looked) * unit;
    const units = Math.round((SHARE * this.#lost) / samples / perUnit);
    return Math.max(min, Math.min(max, units * unit));
  }
}
