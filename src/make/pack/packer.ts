/**
 * The packer: it makes a pack, with deltas, of objects. Only the objects decide how its work is cut into
 * jobs, every job's result depends only on the job, and results are used in order. So the number of workers
 * does not change the pack's bytes.
 *
 *     survey    ids, sketches, what each object would take as a whole     workers    surveyor.ts
 *     plan      which pairs might make good deltas                        here       comparer.ts
 *     measure   what the delta of each pair would take                    workers    comparer.ts
 *     choose    a base for each object, chains bounded                    here       comparer.ts
 *     encode    deltas and zlib streams                                   workers    encoder.ts
 *     copy      entries of an earlier image                               here       copier.ts
 *     write     entries, in order                                         here       writer.ts
 */

import { buildIdx } from "../../git/build-idx.js";
import { KIND, type Kind } from "../../git/objects.js";
import type { Sha1 } from "../../git/oid.js";
import type { Sink } from "../../sink.js";
import type { Forgetting, Unreads } from "../base/content.js";
import { Comparer } from "./comparer.js";
import { emissionOrder } from "./emission-order.js";
import { Encoder } from "./encoder.js";
import type { Executor } from "./jobs.js";
import type { PackerOptions } from "./options.js";
import type { Places } from "./pack-order.js";
import { Surveyor } from "./surveyor.js";
import { takeEntries } from "./taken.js";
import { PackWriter, type WrittenPack, type WrittenPoints } from "./writer.js";

/** A pack, and counts of its objects. */
export interface PackedObjects extends WrittenPack {
  deltaCount: number;
  /** Those whose entries are from the earlier image. */
  reusedCount: number;
  /** The number of each row's object, its kind (`KIND`), and bytes of its content. */
  numbers: Uint32Array;
  types: Uint8Array;
  sizes: Float64Array;
  /** The seek points of entries that are new, and the number of each row's entry in the earlier image, or -1. */
  points: WrittenPoints;
  entries: Int32Array | undefined;
}

/** One pack under construction. */
export class Packer {
  readonly #executor: Executor;
  readonly #options: PackerOptions;
  readonly #surveyor: Surveyor;

  /** @param expected the estimated number of objects to survey */
  constructor(executor: Executor, expected: number, options: PackerOptions) {
    this.#executor = executor;
    this.#surveyor = new Surveyor(executor, expected, options);
    this.#options = options;
  }

  /**
   * Reads objects for their ids, and for the data that later phases need. Numbers continue from earlier
   * surveys.
   * @returns the ids, 20 bytes each
   */
  survey(kind: Kind, objects: Unreads): Promise<Uint8Array> {
    return this.#surveyor.survey(kind, objects);
  }

  /**
   * Forgets surveyed objects that the pack will not hold. The others are numbered from 0 on, in their order. It is for the
   * time after the first survey.
   * @param objects of that survey
   * @param numbers ascending
   */
  keep(objects: Forgetting, numbers: Uint32Array): void {
    this.#surveyor.keep(objects, numbers);
  }

  /** The ids of all surveyed objects, by number, 20 bytes each. */
  oids(): Uint8Array {
    const { objects } = this.#surveyor;
    return objects.oids(0, objects.count);
  }

  /**
   * Writes a pack of surveyed objects in the given order, except that an object and its deltas stay together.
   * @param sink the pack begins at its present position
   * @param places each content once
   * @param sha1 begins a hash
   * @param hot numbers of objects that come right after the first one, with their bases
   * @returns the pack's index, counts, and columns of its objects
   */
  async write(
    sink: Sink,
    places: Places,
    sha1: () => Sha1,
    hot: readonly number[] = [],
  ): Promise<PackedObjects> {
    const { reuse, depth } = this.#options;
    const { objects } = this.#surveyor;
    const taken = reuse && takeEntries(places.numbers, objects, reuse);
    const comparer = new Comparer(this.#executor, objects, places, this.#options);
    const bases = depth === 0 ? undefined : await comparer.chooseBases(taken);
    objects.dropFeatures();
    const writer = new PackWriter(sink, places.count, sha1());
    await writer.begin();
    const first = hot.length === 0 ? hot : [places.numbers[0]!, ...hot];
    const order = emissionOrder(places.numbers, bases, first);
    const plan = { order, bases, taken };
    const encoder = new Encoder(this.#executor, this.#surveyor, this.#options, plan, writer);
    const deltaCount = await encoder.run();
    const { trailer, entries, bases: rows, points } = await writer.finish();
    const reusedCount = taken?.count ?? 0;
    return {
      idx: buildIdx(entries, trailer, sha1()),
      bases: rows,
      deltaCount,
      reusedCount,
      numbers: order,
      types: Uint8Array.from(order, (number) => KIND[objects.kindOf(number)]),
      sizes: Float64Array.from(order, (number) => objects.sizeOf(number)),
      points,
      entries: taken && Int32Array.from(order, (number) => taken.entries[number]!),
    };
  }
}
