/** Finds the base of each object: plans pairs, measures their deltas on workers, and chooses. */
import { chooseBases, worthwhile } from "./bases.js";
import { batches, HEAVY_LEN, range } from "./batches.js";
import { candidatePairs } from "./candidates.js";
import type { Executor, MeasureJob } from "./jobs.js";
import { joinPairs, pairsByName } from "./near-names.js";
import type { Surveyed } from "./object-table.js";
import type { PackerOptions } from "./options.js";
import { type Planned, runInOrder } from "./ordered-jobs.js";
import type { Places } from "./pack-order.js";
import type { MeasuredPairs, Pairs, PlanObjects } from "./plan.js";
import type { Taken } from "./taken.js";

/** Bytes of content in a job. */
const JOB_LEN = 4 << 20;
/** Only parts of a larger target are compared, of this many bytes in all. */
const MEASURED_LEN = 256 << 10;

/** See the file's head. */
export class Comparer {
  readonly #executor: Executor;
  readonly #surveyed: Surveyed;
  readonly #places: Places;
  readonly #options: PackerOptions;

  constructor(executor: Executor, surveyed: Surveyed, places: Places, options: PackerOptions) {
    this.#executor = executor;
    this.#surveyed = surveyed;
    this.#places = places;
    this.#options = options;
  }

  /**
   * The base of each object, by number, `NO_BASE` for whole objects. A second round of comparisons starts from the
   * result of the first, unless the work is to be fast. With an earlier image there is one round: only objects that
   * are not taken need a base.
   */
  async chooseBases(taken: Taken | undefined): Promise<Int32Array> {
    const { depth, effort } = this.#options;
    const objects = this.#planObjects();
    if (taken !== undefined) {
      if (taken.isAll) return taken.bases;
      const pairs = this.#pairs(objects, taken.chosen);
      const near = pairsByName(objects, this.#places.names(this.#surveyed.count), taken.chosen);
      const round = worthwhile(objects, await this.#measure(joinPairs(pairs, near)));
      return chooseBases(objects, [round], depth, taken.bases);
    }
    const first = worthwhile(objects, await this.#measure(this.#pairs(objects)));
    if (effort === "fast") return chooseBases(objects, [first], depth);
    const further = this.#pairs(objects, chooseBases(objects, [first], depth));
    this.#surveyed.dropFeatures();
    const second = worthwhile(objects, await this.#measure(further));
    return chooseBases(objects, [first, second], depth);
  }

  #planObjects(): PlanObjects {
    const { sizes, wholeCosts } = this.#surveyed;
    return { order: this.#places.numbers, kinds: this.#surveyed.kinds(), sizes, wholeCosts };
  }

  #pairs(objects: PlanObjects, chosen?: Int32Array): Pairs {
    const { count, features, featureRows } = this.#surveyed;
    const names = this.#places.names(count);
    const likeness = { names, features, featureRows };
    return candidatePairs(objects, likeness, chosen, this.#options.effort);
  }

  async #measure(pairs: Pairs): Promise<MeasuredPairs> {
    const costs = new Uint32Array(pairs.ids.length / 2);
    let done = 0;
    await runInOrder(
      this.#executor,
      this.#jobs(pairs),
      (result) => {
        costs.set(result, done);
        done += result.length;
        this.#options.onProgress?.("compare", done, costs.length);
      },
      this.#options.signal,
    );
    return { ...pairs, costs };
  }

  *#jobs({ ids }: Pairs): Generator<Planned<MeasureJob>> {
    const surveyed = this.#surveyed;
    const baseOf = (pair: number): number => ids[2 * pair]!;
    const targetOf = (pair: number): number => ids[2 * pair + 1]!;
    const sizeOf = (number: number): number => surveyed.sizeOf(number);
    // Every job indexes its bases anew, so all pairs of a large base should be in one job.
    const weightOf = (pair: number): number =>
      Math.min(sizeOf(targetOf(pair)), MEASURED_LEN) +
      (pair > 0 && baseOf(pair) === baseOf(pair - 1) ? 0 : Math.min(sizeOf(baseOf(pair)), JOB_LEN / 2));
    for (const batch of batches(range(0, ids.length / 2), weightOf, JOB_LEN)) {
      const job: MeasureJob = {
        type: "measure",
        objects: [],
        bases: Uint32Array.from(batch, baseOf),
        targets: Uint32Array.from(batch, targetOf),
      };
      job.objects = [...new Set([...job.bases, ...job.targets])].map((number) => surveyed.jobObject(number));
      const isHeavy = batch.some((pair) => sizeOf(baseOf(pair)) + sizeOf(targetOf(pair)) > HEAVY_LEN);
      yield { job, note: undefined, isHeavy, resultLen: 0 };
    }
  }
}
