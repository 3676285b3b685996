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
import type { Unread, Unreads } from "../base/content.js";
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
import { joinPairs, pairsByName } from "./near-names.js";
import { Surveyed } from "./object-table.js";
import { type Planned, runInOrder } from "./ordered-jobs.js";
import type { Places } from "./pack-order.js";
import type { MeasuredPairs, Pairs, PlanObjects } from "./plan.js";
import type { Reuse } from "./reuse.js";
import { PackWriter } from "./writer.js";

/** Progress of the packer. It counts objects while surveying and encoding, pairs while comparing. */
export type PackerProgress = (phase: "read" | "compare" | "pack", done: number, total: number) => void;

/** Remembers the ids of contents. */
export interface KnownIds {
  /** @returns 20 bytes, or undefined */
  find(object: Unread): Uint8Array | undefined;
  /** @param oid 20 bytes */
  keep(object: Unread, oid: Uint8Array): void;
}

/** How to pack. */
export interface PackerOptions {
  /** The longest chain of deltas: 0 (no deltas) to 4095. */
  depth: number;
  /** Entries of an earlier image, which are taken as they are. */
  reuse?: Reuse | undefined;
  /** Ids of contents that are known without reading them: undefined for the others, which it is told. */
  ids?: KnownIds | undefined;
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

/** An entry to make, or the number of the one of the earlier image that is taken. */
interface Emission extends EncodeTask {
  entry?: number;
}

/** The entries that are taken from an earlier image, by the numbers of their objects. */
interface Taken {
  /** The numbers of the entries, or -1. */
  entries: Int32Array;
  /** Their bases, or `NO_BASE`. */
  bases: Int32Array;
  /** `NO_BASE` for objects that still need an entry; any other number for those that are taken. */
  chosen: Int32Array;
}

const NOTHING_ENCODED: EncodeResult = {
  bytes: new Uint8Array(0),
  ends: new Uint32Array(0),
  deltaLens: new Uint32Array(0),
  adlers: new Uint32Array(0),
};

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
  /** The number of the entry of the earlier image that stands for each object, or -1. */
  readonly #entries: number[] = [];

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
    if (this.#options.reuse !== undefined) {
      await this.#surveyNew(kind, objects, start, this.#options.reuse);
      return surveyed.oids(start, surveyed.count);
    }
    await runInOrder(
      this.#executor,
      this.#surveyJobs(range(start, surveyed.count)),
      (result) => {
        for (const [at, hashes] of result.pieceHashes) this.#pieceHashes.set(surveyed.filled + at, hashes);
        surveyed.fill(result);
        if (kind === "blob") this.#options.onProgress?.("read", surveyed.filled - start, objects.length);
      },
      this.#options.signal,
    );
    return surveyed.oids(start, surveyed.count);
  }

  /** Reads objects for their ids, and those that no entry of the earlier image stands for, for all the rest. */
  async #surveyNew(kind: Kind, objects: Unreads, start: number, reuse: Reuse): Promise<void> {
    const surveyed = this.#surveyed;
    const { signal, onProgress } = this.#options;
    const ids = kind === "blob" ? this.#options.ids : undefined;
    const isKnown = (number: number): boolean => {
      const oid = ids?.find(objects.at(number - start));
      if (oid !== undefined) surveyed.setOid(number, oid);
      return oid !== undefined;
    };
    const unread = [...range(start, surveyed.count)].filter((number) => !isKnown(number));
    surveyed.filled = surveyed.count;
    await runInOrder(
      this.#executor,
      this.#surveyJobs(unread, true),
      ({ oids }, numbers) => {
        for (const [at, number] of numbers.entries()) {
          const oid = oids.subarray(at * OID_LEN, (at + 1) * OID_LEN);
          surveyed.setOid(number, oid);
          ids?.keep(objects.at(number - start), oid);
        }
        if (kind === "blob") onProgress?.("read", numbers.at(-1)! + 1 - start, objects.length);
      },
      signal,
    );
    reuse.note(surveyed.oids(start, surveyed.count));
    const fresh: number[] = [];
    for (const number of range(start, surveyed.count)) {
      const entry = reuse.indexOf(surveyed.oids(number, number + 1));
      this.#entries[number] = entry;
      if (entry < 0) fresh.push(number);
    }
    await runInOrder(
      this.#executor,
      this.#surveyJobs(fresh),
      (result, numbers) => {
        for (const [at, hashes] of result.pieceHashes) this.#pieceHashes.set(numbers[at]!, hashes);
        surveyed.refill(numbers, result);
      },
      signal,
    );
  }

  /**
   * Writes a pack of surveyed objects in the given order, except that a base moves ahead of its first delta.
   * @param sink the pack begins at its present position
   * @param places each content once
   * @param sha1 begins a hash
   * @returns the pack's index, the number of deltas, and that of entries of the earlier image
   */
  async write(
    sink: Sink,
    places: Places,
    sha1: () => Sha1,
  ): Promise<{ idx: Uint8Array; deltaCount: number; reusedCount: number }> {
    const { numbers } = places;
    const taken = this.#options.reuse && this.#takenEntries(places, this.#options.reuse);
    const bases = this.#options.depth === 0 ? undefined : await this.#chooseBases(places, taken);
    this.#surveyed.dropFeatures();
    const writer = new PackWriter(sink, places.count, sha1());
    await writer.begin();
    const deltaCount = await this.#encode(writer, emissionOrder(numbers, bases), bases, taken);
    const { trailer, entries } = await writer.finish();
    const reusedCount = taken?.entries.reduce((sum, entry) => sum + (entry < 0 ? 0 : 1), 0) ?? 0;
    return { idx: buildIdx(entries, trailer, sha1()), deltaCount, reusedCount };
  }

  *#surveyJobs(wanted: Iterable<number>, isHashOnly = false): Generator<Planned<SurveyJob, number[]>> {
    const surveyed = this.#surveyed;
    const sizeOf = (number: number): number => surveyed.sizeOf(number);
    for (const numbers of batches(wanted, sizeOf, JOB_LEN.survey))
      yield {
        job: { type: "survey", objects: numbers.map((number) => surveyed.jobObject(number)), isHashOnly },
        note: numbers,
        isHeavy: numbers.some((number) => sizeOf(number) > HEAVY_LEN),
        resultLen: 0,
      };
  }

  /**
   * The base of each object, by number, `NO_BASE` for whole objects. A second round of comparisons starts
   * from the result of the first.
   */
  async #chooseBases(places: Places, taken: Taken | undefined): Promise<Int32Array> {
    const { depth } = this.#options;
    const objects = this.#planObjects(places);
    if (taken !== undefined) {
      const pairs = this.#pairs(objects, places, taken.chosen);
      const near = pairsByName(objects, places.names(this.#surveyed.count), taken.chosen);
      const round = worthwhile(objects, await this.#measure(joinPairs(pairs, near)));
      return chooseBases(objects, [round], depth, taken.bases);
    }
    const first = worthwhile(objects, await this.#measure(this.#pairs(objects, places)));
    const further = this.#pairs(objects, places, chooseBases(objects, [first], depth));
    this.#surveyed.dropFeatures();
    const second = worthwhile(objects, await this.#measure(further));
    return chooseBases(objects, [first, second], depth);
  }

  /** The entries of the earlier image that the pack takes. */
  #takenEntries({ numbers }: Places, reuse: Reuse): Taken {
    const { count } = this.#surveyed;
    const taken: Taken = {
      entries: new Int32Array(count).fill(-1),
      bases: new Int32Array(count).fill(NO_BASE),
      chosen: new Int32Array(count).fill(NO_BASE),
    };
    const numberOf = new Map<number, number>();
    for (const number of numbers) {
      const entry = this.#entries[number]!;
      taken.entries[number] = entry;
      if (entry >= 0) numberOf.set(entry, number);
    }
    for (const [entry, number] of numberOf) {
      const base = reuse.baseOf(entry);
      if (base >= 0) taken.bases[number] = numberOf.get(base)!;
      taken.chosen[number] = number;
    }
    return taken;
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

  async #encode(
    writer: PackWriter,
    order: Uint32Array,
    bases: Int32Array | undefined,
    taken: Taken | undefined,
  ): Promise<number> {
    const surveyed = this.#surveyed;
    const offsets = new Float64Array(surveyed.count);
    let deltaCount = 0;
    let done = 0;
    const copy = async (target: number, index: number): Promise<void> => {
      const { old } = this.#options.reuse!;
      const entry = old.entry(index);
      const base = taken!.bases[target]!;
      offsets[target] = writer.position;
      const baseAt = base === NO_BASE ? undefined : offsets[base]!;
      const oid = surveyed.oids(target, target + 1);
      await writer.addStream(surveyed.kindOf(target), oid, entry.size, baseAt, old.stream(entry));
      if (base !== NO_BASE) deltaCount++;
    };
    const write = async (result: EncodeResult, all: readonly Emission[]): Promise<void> => {
      let at = -1;
      for (const { target, base, piece, entry } of all) {
        if (entry !== undefined) {
          await copy(target, entry);
          this.#options.onProgress?.("pack", ++done, order.length);
          continue;
        }
        at++;
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
    await runInOrder(this.#executor, this.#encodeJobs(order, bases, taken), write, this.#options.signal);
    return deltaCount;
  }

  *#encodeJobs(
    order: Uint32Array,
    bases: Int32Array | undefined,
    taken: Taken | undefined,
  ): Generator<Planned<EncodeJob, Emission[]>> {
    const surveyed = this.#surveyed;
    const writtenLen = ({ target, piece, entry }: Emission): number => {
      if (entry !== undefined) return 0;
      const size = surveyed.sizeOf(target);
      if (piece === undefined) return size;
      const { start, end } = pieceRange(size, piece.index);
      return end - start;
    };
    const weightOf = (task: Emission): number =>
      writtenLen(task) + (task.base === undefined ? 0 : surveyed.sizeOf(task.base));
    for (const all of batches(this.#tasks(order, bases, taken), weightOf, JOB_LEN.encode)) {
      const tasks = all.filter(({ entry }) => entry === undefined);
      const named = new Set(
        tasks.flatMap(({ target, base }) => (base === undefined ? [target] : [base, target])),
      );
      const objects = [...named].map((number) => surveyed.checkedJobObject(number));
      const isHeavy = tasks.some((task) => weightOf(task) > HEAVY_LEN);
      const resultLen = tasks.reduce((sum, task) => sum + writtenLen(task), 0);
      const planned = { job: { type: "encode", objects, tasks } as const, note: all, isHeavy, resultLen };
      yield tasks.length === 0 ? { ...planned, result: NOTHING_ENCODED } : planned;
    }
  }

  *#tasks(order: Uint32Array, bases: Int32Array | undefined, taken: Taken | undefined): Generator<Emission> {
    for (const target of order) {
      const entry = taken?.entries[target] ?? -1;
      if (entry >= 0) {
        yield { target, entry };
        continue;
      }
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
