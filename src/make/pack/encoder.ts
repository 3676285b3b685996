/** Writes the entries of a pack in their order: made on workers, or taken from an earlier image. */

import { OID_LEN } from "../../git/oid.js";
import { NO_BASE } from "./bases.js";
import { batches, HEAVY_LEN } from "./batches.js";
import { Copier } from "./copier.js";
import {
  type EncodeJob,
  type EncodeResult,
  type EncodeTask,
  type Executor,
  PIECED_MIN,
  pieceCount,
  pieceRange,
} from "./jobs.js";
import type { PackerOptions } from "./options.js";
import { type Planned, runInOrder } from "./ordered-jobs.js";
import type { Surveyor } from "./surveyor.js";
import type { Taken } from "./taken.js";
import type { PackWriter, SeekParts } from "./writer.js";

/** Bytes of content in a job. */
const JOB_LEN = 1 << 20;
/** Entries that are taken together: progress is told in between. */
const RUN_LEN = 4096;

/** Consecutive objects whose entries are taken: a range of places in the order of writing. */
interface Run {
  first: number;
  end: number;
}

/** An entry to make, or some to take. */
type Emission = EncodeTask | Run;

const isRun = (emission: Emission): emission is Run => "first" in emission;

const NOTHING_ENCODED: EncodeResult = {
  bytes: new Uint8Array(0),
  ends: new Uint32Array(0),
  deltaLens: new Uint32Array(0),
  adlers: new Uint32Array(0),
  pointCounts: new Uint32Array(0),
  points: new Uint32Array(0),
  markCounts: new Uint32Array(0),
  marks: new Uint32Array(0),
};

/** What is written, and how. */
export interface Plan {
  /** The numbers of objects: every base comes before its deltas. */
  order: Uint32Array;
  /** The base of each object, by number, or `NO_BASE`; undefined if all are whole. */
  bases: Int32Array | undefined;
  taken: Taken | undefined;
}

/** See the file's head. */
export class Encoder {
  readonly #executor: Executor;
  readonly #survey: Surveyor;
  readonly #options: PackerOptions;
  readonly #plan: Plan;
  readonly #writer: PackWriter;
  /** The offset of each object's entry, by number. */
  readonly #offsets: Float64Array;
  readonly #copier: Copier | undefined;
  #deltaCount = 0;
  #done = 0;

  constructor(executor: Executor, survey: Surveyor, options: PackerOptions, plan: Plan, writer: PackWriter) {
    this.#executor = executor;
    this.#survey = survey;
    this.#options = options;
    this.#plan = plan;
    this.#writer = writer;
    this.#offsets = new Float64Array(survey.objects.count);
    const { taken } = plan;
    if (taken === undefined) return;
    this.#copier = new Copier(options.reuse!.old, survey.objects, taken, writer, this.#offsets);
  }

  /** Writes all entries. @returns the number of deltas */
  async run(): Promise<number> {
    await runInOrder(
      this.#executor,
      this.#jobs(),
      (result, emissions) => this.#write(result, emissions),
      this.#options.signal,
    );
    return this.#deltaCount;
  }

  async #write(result: EncodeResult, emissions: readonly Emission[]): Promise<void> {
    let at = 0;
    let point = 0;
    let mark = 0;
    for (const emission of emissions) {
      this.#options.signal?.throwIfAborted();
      const before = this.#done;
      if (isRun(emission)) await this.#copy(emission);
      else {
        const points = result.points.subarray(point, point + result.pointCounts[at]!);
        const marks = result.marks.subarray(mark, mark + result.markCounts[at]!);
        point += points.length;
        mark += marks.length;
        await this.#writeOne(result, at++, emission, { points, marks });
      }
      if (this.#done > before) this.#options.onProgress?.("pack", this.#done, this.#plan.order.length);
    }
  }

  async #copy({ first, end }: Run): Promise<void> {
    this.#deltaCount += await this.#copier!.copy(this.#plan.order.subarray(first, end));
    this.#done += end - first;
  }

  /** @param at the entry's place in the result */
  async #writeOne(
    { bytes: all, ends, deltaLens, adlers }: EncodeResult,
    at: number,
    { target, base, piece }: EncodeTask,
    found: Pick<SeekParts, "points" | "marks">,
  ): Promise<void> {
    const { objects } = this.#survey;
    const writer = this.#writer;
    const kind = objects.kindOf(target);
    const size = objects.sizeOf(target);
    const oid = objects.oids(target, target + 1);
    const bytes = all.subarray(at === 0 ? 0 : ends[at - 1]!, ends[at]!);
    if (piece === undefined || piece.index === 0) this.#offsets[target] = writer.position;
    const segment = this.#survey.segments.get(target);
    const seek = segment === undefined ? undefined : { segment, ...found };
    if (piece !== undefined) {
      const { start, end } = pieceRange(size, piece.index);
      await writer.addPiece(kind, oid, size, { start, end, bytes, adler: adlers[at]!, seek });
      if (end < size) return;
    } else if (deltaLens[at] !== 0) {
      this.#deltaCount++;
      await writer.addDelta(oid, this.#offsets[base!]!, deltaLens[at]!, bytes);
    } else {
      await writer.add(kind, oid, size, bytes, seek);
    }
    this.#done++;
  }

  *#jobs(): Generator<Planned<EncodeJob, Emission[]>> {
    const { objects } = this.#survey;
    const writtenLen = ({ target, piece }: EncodeTask): number => {
      const size = objects.sizeOf(target);
      if (piece === undefined) return size;
      const { start, end } = pieceRange(size, piece.index);
      return end - start;
    };
    const weightOf = (emission: Emission): number =>
      isRun(emission)
        ? 0
        : writtenLen(emission) + (emission.base === undefined ? 0 : objects.sizeOf(emission.base));
    for (const emissions of batches(this.#emissions(), weightOf, JOB_LEN)) {
      const tasks = emissions.filter((emission) => !isRun(emission)) as EncodeTask[];
      const named = new Set(
        tasks.flatMap(({ target, base }) => (base === undefined ? [target] : [base, target])),
      );
      const jobObjects = [...named].map((number) => {
        const segment = this.#survey.segments.get(number);
        const object = objects.checkedJobObject(number);
        return segment === undefined ? object : { ...object, segment };
      });
      const isHeavy = tasks.some((task) => weightOf(task) > HEAVY_LEN);
      const resultLen = tasks.reduce((sum, task) => sum + writtenLen(task), 0);
      const job = { type: "encode", objects: jobObjects, tasks } as const;
      const planned = { job, note: emissions, isHeavy, resultLen };
      yield tasks.length === 0 ? { ...planned, result: NOTHING_ENCODED } : planned;
    }
  }

  *#emissions(): Generator<Emission> {
    const { order, taken } = this.#plan;
    const isTaken = (place: number): boolean => (taken?.entries[order[place]!] ?? -1) >= 0;
    for (let place = 0; place < order.length; ) {
      const first = place;
      while (place < order.length && place < first + RUN_LEN && isTaken(place)) place++;
      if (place > first) yield { first, end: place };
      else yield* this.#tasks(order[place++]!);
    }
  }

  /** The tasks of an entry to make. */
  *#tasks(target: number): Generator<EncodeTask> {
    const base = this.#plan.bases?.[target] ?? NO_BASE;
    const size = this.#survey.objects.sizeOf(target);
    if (base !== NO_BASE) yield { target, base };
    else if (size <= PIECED_MIN) yield { target };
    else
      for (let index = 0; index < pieceCount(size); index++) {
        const hashes = this.#survey.pieceHashes.get(target)!;
        const hash = hashes.slice(index * OID_LEN, (index + 1) * OID_LEN);
        yield { target, piece: { index, hash } };
      }
  }
}
