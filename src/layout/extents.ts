/** The parts of the PACK that an object's delta chain needs. */
import { REACH_ENTRY_MAX, REACH_MAX } from "./format.js";
import { entryEnd, type LayoutObjects } from "./objects.js";
import type { Bases, Extent } from "./writer.js";

/** Parts with at most this many bytes between them are one extent: a request costs more than the bytes. */
const GAP_MAX = 1 << 14;
/** Objects with more deltas below them get neither extents nor points: crafted images may have long chains. */
const CHAIN_MAX = 255;

const NONE: Bases = { extents: [], reach: undefined };

/** Finds extents. */
export class Extents {
  readonly #objects: LayoutObjects;
  readonly #chain: number[] = [];

  constructor(objects: LayoutObjects) {
    this.#objects = objects;
  }

  /** The row of the whole object at the end of a delta chain; undefined if the chain is too long. */
  baseOf(row: number): number | undefined {
    const { bases } = this.#objects;
    let base = row;
    for (let links = 0; bases[base]! >= 0; links++) {
      if (links === CHAIN_MAX) return undefined;
      base = bases[base]!;
    }
    return base;
  }

  /**
   * The entries of an object and of all its bases: extents, the last in the PACK first, or how far they reach. Neighbours
   * are one extent; the object's own entry is left out if nothing was joined to it.
   */
  of(row: number): Bases {
    const { bases, offsets } = this.#objects;
    if (bases[row]! < 0) return NONE;
    const chain = this.#chain;
    chain.length = 0;
    for (let at = row; at >= 0; at = bases[at]!) {
      if (chain.length > CHAIN_MAX) return NONE;
      // Sorted as it grows, the largest row first: mostly, bases come before their deltas.
      let place = chain.length;
      chain.push(at);
      for (; place > 0 && chain[place - 1]! < at; place--) chain[place] = chain[place - 1]!;
      chain[place] = at;
    }
    const extents: Extent[] = [];
    let start = offsets[chain[0]!]!;
    let end = entryEnd(this.#objects, chain[0]!);
    const push = (): void => {
      if (start !== offsets[row] || end !== entryEnd(this.#objects, row))
        extents.push({ offset: start, length: end - start });
    };
    for (let index = 1; index < chain.length; index++) {
      const next = chain[index]!;
      if (start - entryEnd(this.#objects, next) > GAP_MAX) {
        push();
        end = entryEnd(this.#objects, next);
      }
      start = offsets[next]!;
    }
    push();
    const reach = offsets[row]! - offsets[chain.at(-1)!]!;
    const isNear = chain[0] === row && reach <= REACH_MAX;
    const isSmall = entryEnd(this.#objects, row) - offsets[row]! <= REACH_ENTRY_MAX;
    return { extents, reach: isNear && isSmall ? reach : undefined };
  }
}
