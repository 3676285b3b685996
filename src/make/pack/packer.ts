/**
 * The packer: it makes a pack, with deltas, of objects. Only the objects decide how its work is cut into
 * jobs, every job's result depends only on the job, and results are used in order. So the number of workers
 * does not change the pack's bytes.
 *
 *     survey    ids, sketches, what each object would take as a whole     workers
 *     plan      which pairs might make good deltas                        here
 *     measure   what the delta of each pair would take                    workers
 *     choose    a base for each object, chains bounded                    here
 *     encode    deltas and zlib streams                                   workers
 *     write     entries, in order                                         here
 */

import { buildIdx } from "../../git/build-idx.js";
import { KIND, type Kind } from "../../git/objects.js";
import { OID_LEN, type Sha1 } from "../../git/oid.js";
import type { Sink } from "../../sink.js";
import type { Unreads } from "../base/content.js";
import { chooseBases, NO_BASE, worthwhile } from "./bases.js";
import { candidatePairs } from "./candidates.js";
import {
  type EncodeJob,
  type EncodeResult,
  type EncodeTask,
  type Executor,
  type MeasureJob,
  PIECED_MIN,
  pieceCount,
  pieceRange,
  type SurveyJob,
} from "./jobs.js";
import { Surveyed } from "./object-table.js";
import { type Planned, runInOrder } from "./ordered-jobs.js";
import type { Places } from "./pack-order.js";
import type { MeasuredPairs, Pairs, PlanObjects } from "./plan.js";
import { PackWriter } from "./writer.js";

/** Progress of the packer. It counts objects while surveying and encoding, pairs while comparing. */
export type PackerProgress = (phase: "read" | "compare" | "pack", done: number, total: number) => void;

/** How to pack. */
export interface PackerOptions {
  /** The longest chain of deltas: 0 (no deltas) to 4095. */
  depth: number;
  signal?: AbortSignal | undefined;
  onProgress?: PackerProgress | undefined;
}

/** Bytes of content in a job: enough to be worth the messages, and few enough that no job takes long. */
const JOB_LEN = { survey: 2 << 20, measure: 4 << 20, encode: 1 << 20 } as const;

/** The most objects, pairs or tasks of a job. */
const JOB_COUNT = 512;

/** Only parts of a larger target are compared, of this many bytes in all. */
const MEASURED_LEN = 256 << 10;

/** Two contents whose sum is larger make a job heavy. */
const HEAVY_LEN = 32 << 20;

/** Cuts a sequence at each place at which its weights reach a limit. */
function* batches<T>(items: Iterable<T>, weightOf: (item: T) => number, limit: number): Generator<T[]> {
  let batch: T[] = [];
  let weight = 0;
  for (const item of items) {
    batch.push(item);
    weight += weightOf(item);
    if (weight < limit && batch.length < JOB_COUNT) continue;
    yield batch;
    batch = [];
    weight = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Whole numbers. */
function* range(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number;
}

/** One pack under construction. */
export class Packer {
  readonly #executor: Executor;
  readonly #options: PackerOptions;
  readonly #surveyed: Surveyed;
  /** The SHA-1s of pieces, by object number. */
  readonly #pieceHashes = new Map<number, Uint8Array>();

  /** @param expected the estimated number of objects to survey */
  constructor(executor: Executor, expected: number, options: PackerOptions) {
    this.#executor = executor;
    this.#surveyed = new Surveyed(expected);
    this.#options = options;
  }

  /**
   * Reads objects for their ids, and for the data that later phases need. Numbers continue from earlier
   * surveys.
   * @returns the ids, 20 bytes each
   */
  async survey(kind: Kind, objects: Unreads): Promise<Uint8Array> {
    const surveyed = this.#surveyed;
    const start = surveyed.count;
    surveyed.add(kind, objects);
    await runInOrder(
      this.#executor,
      this.#surveyJobs(start),
      (result) => {
        for (const [at, hashes] of result.pieceHashes) this.#pieceHashes.set(surveyed.filled + at, hashes);
        surveyed.fill(result);
        if (kind === "blob") this.#options.onProgress?.("read", surveyed.filled - start, objects.length);
      },
      this.#options.signal,
    );
    return surveyed.oids(start, surveyed.count);
  }

  /**
   * Writes a pack of surveyed objects in the given order, except that a base moves ahead of its first delta.
   * @param sink the pack begins at its present position
   * @param places each content once
   * @param sha1 begins a hash
   * @returns the pack's index, and the number of deltas
   */
  async write(
    sink: Sink,
    places: Places,
    sha1: () => Sha1,
  ): Promise<{ idx: Uint8Array; deltaCount: number }> {
    const { numbers } = places;
    const bases = this.#options.depth === 0 ? undefined : await this.#chooseBases(places);
    this.#surveyed.dropFeatures();
    const writer = new PackWriter(sink, places.count, sha1());
    await writer.begin();
    const deltaCount = await this.#encode(writer, emissionOrder(numbers, bases), bases);
    const { trailer, entries } = await writer.finish();
    return { idx: buildIdx(entries, trailer, sha1()), deltaCount };
  }

  *#surveyJobs(first: number): Generator<Planned<SurveyJob>> {
    const surveyed = this.#surveyed;
    const sizeOf = (number: number): number => surveyed.sizeOf(number);
    for (const numbers of batches(range(first, surveyed.count), sizeOf, JOB_LEN.survey))
      yield {
        job: { type: "survey", objects: numbers.map((number) => surveyed.jobObject(number)) },
        note: undefined,
        isHeavy: numbers.some((number) => sizeOf(number) > HEAVY_LEN),
        resultLen: 0,
      };
  }

  /**
   * The base of each object, by number, `NO_BASE` for whole objects. A second round of comparisons starts
   * from the result of the first.
   */
  async #chooseBases(places: Places): Promise<Int32Array> {
    const { depth } = this.#options;
    const objects = this.#planObjects(places);
    const first = worthwhile(objects, await this.#measure(this.#pairs(objects, places)));
    const further = this.#pairs(objects, places, chooseBases(objects, [first], depth));
    this.#surveyed.dropFeatures();
    const second = worthwhile(objects, await this.#measure(further));
    return chooseBases(objects, [first, second], depth);
  }

  #planObjects({ numbers: order }: Places): PlanObjects {
    const { count, sizes, wholeCosts } = this.#surveyed;
    const kinds = new Uint8Array(count);
    for (let number = 0; number < count; number++) kinds[number] = KIND[this.#surveyed.kindOf(number)];
    return { order, kinds, sizes, wholeCosts };
  }

  #pairs(objects: PlanObjects, places: Places, chosen?: Int32Array): Pairs {
    const { count, features } = this.#surveyed;
    return candidatePairs(objects, { names: places.names(count), features }, chosen);
  }

  async #measure(pairs: Pairs): Promise<MeasuredPairs> {
    const costs = new Uint32Array(pairs.ids.length / 2);
    let done = 0;
    await runInOrder(
      this.#executor,
      this.#measureJobs(pairs),
      (result) => {
        costs.set(result, done);
        done += result.length;
        this.#options.onProgress?.("compare", done, costs.length);
      },
      this.#options.signal,
    );
    return { ...pairs, costs };
  }

  *#measureJobs({ ids }: Pairs): Generator<Planned<MeasureJob>> {
    const surveyed = this.#surveyed;
    const baseOf = (pair: number): number => ids[2 * pair]!;
    const targetOf = (pair: number): number => ids[2 * pair + 1]!;
    const sizeOf = (number: number): number => surveyed.sizeOf(number);
    // Every job indexes its bases anew, so all pairs of a large base should be in one job.
    const weightOf = (pair: number): number =>
      Math.min(sizeOf(targetOf(pair)), MEASURED_LEN) +
      (pair > 0 && baseOf(pair) === baseOf(pair - 1)
        ? 0
        : Math.min(sizeOf(baseOf(pair)), JOB_LEN.measure / 2));
    for (const batch of batches(range(0, ids.length / 2), weightOf, JOB_LEN.measure)) {
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

  async #encode(writer: PackWriter, order: Uint32Array, bases: Int32Array | undefined): Promise<number> {
    const surveyed = this.#surveyed;
    const offsets = new Float64Array(surveyed.count);
    let deltaCount = 0;
    let done = 0;
    const write = async (result: EncodeResult, tasks: readonly EncodeTask[]): Promise<void> => {
      for (const [at, { target, base, piece }] of tasks.entries()) {
        const kind = surveyed.kindOf(target);
        const size = surveyed.sizeOf(target);
        const oid = surveyed.oids(target, target + 1);
        const bytes = result.bytes.subarray(at === 0 ? 0 : result.ends[at - 1]!, result.ends[at]!);
        if (piece === undefined || piece.index === 0) offsets[target] = writer.position;
        if (piece !== undefined) {
          const { start, end } = pieceRange(size, piece.index);
          await writer.addPiece(kind, oid, size, { start, end, bytes, adler: result.adlers[at]! });
          if (end < size) continue;
        } else if (result.deltaLens[at] !== 0) {
          deltaCount++;
          await writer.addDelta(oid, offsets[base!]!, result.deltaLens[at]!, bytes);
        } else {
          await writer.add(kind, oid, size, bytes);
        }
        this.#options.onProgress?.("pack", ++done, order.length);
      }
    };
    await runInOrder(this.#executor, this.#encodeJobs(order, bases), write, this.#options.signal);
    return deltaCount;
  }

  *#encodeJobs(
    order: Uint32Array,
    bases: Int32Array | undefined,
  ): Generator<Planned<EncodeJob, EncodeTask[]>> {
    const surveyed = this.#surveyed;
    const writtenLen = ({ target, piece }: EncodeTask): number => {
      const size = surveyed.sizeOf(target);
      if (piece === undefined) return size;
      const { start, end } = pieceRange(size, piece.index);
      return end - start;
    };
    const weightOf = (task: EncodeTask): number =>
      writtenLen(task) + (task.base === undefined ? 0 : surveyed.sizeOf(task.base));
    for (const tasks of batches(this.#tasks(order, bases), weightOf, JOB_LEN.encode)) {
      const named = new Set(
        tasks.flatMap(({ target, base }) => (base === undefined ? [target] : [base, target])),
      );
      const objects = [...named].map((number) => surveyed.checkedJobObject(number));
      const isHeavy = tasks.some((task) => weightOf(task) > HEAVY_LEN);
      const resultLen = tasks.reduce((sum, task) => sum + writtenLen(task), 0);
      yield { job: { type: "encode", objects, tasks }, note: tasks, isHeavy, resultLen };
    }
  }

  *#tasks(order: Uint32Array, bases: Int32Array | undefined): Generator<EncodeTask> {
    for (const target of order) {
      const base = bases?.[target] ?? NO_BASE;
      const size = this.#surveyed.sizeOf(target);
      if (base !== NO_BASE) yield { target, base };
      else if (size <= PIECED_MIN) yield { target };
      else
        for (let index = 0; index < pieceCount(size); index++) {
          const hash = this.#pieceHashes.get(target)!.slice(index * OID_LEN, (index + 1) * OID_LEN);
          yield { target, piece: { index, hash } };
        }
    }
  }
}

/** The order in which objects are written: every base comes before its deltas, as late as possible. */
function emissionOrder(numbers: Uint32Array, bases: Int32Array | undefined): Uint32Array {
  if (bases === undefined) return numbers;
  const order = new Uint32Array(numbers.length);
  const isPlaced = new Uint8Array(bases.length);
  let end = 0;
  for (const number of numbers) {
    const chain: number[] = [];
    for (let at = number; at !== NO_BASE && isPlaced[at] === 0; at = bases[at]!) chain.push(at);
    for (const at of chain.reverse()) {
      isPlaced[at] = 1;
      order[end++] = at;
    }
  }
  return order;
}
