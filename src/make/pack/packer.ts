/**
 * The packer: objects in, a pack out, deltas and all. Its work is cut into jobs by the objects alone, every job's
 * result depends on nothing but the job, and results are used in order: the pack's bytes are the same whatever the
 * number of workers.
 *
 *     survey    ids, sketches, what each object would take as a whole     workers
 *     plan      which pairs might make good deltas                        here
 *     measure   what the delta of each pair would take                    workers
 *     choose    a base for each object, chains bounded                    here
 *     encode    deltas and zlib streams                                   workers
 *     write     entries, in order                                         here
 */
import type { Content } from "../content.js";
import { KIND, type Kind, OID_LEN } from "../objects.js";
import { type Planned, runInOrder } from "./in-order.js";
import {
  type EncodeJob,
  type EncodeResult,
  type EncodeTask,
  type Executor,
  type JobObject,
  type MeasureJob,
  PIECED_MIN,
  pieceCount,
  pieceRange,
  type SurveyJob,
} from "./jobs.js";
import {
  candidatePairs,
  chooseBases,
  FEATURE_COUNT,
  type MeasuredPairs,
  type Pairs,
  type PlanObjects,
} from "./plan.js";
import type { PackWriter } from "./writer.js";

/** An object to be packed. */
export interface PackObject {
  kind: Kind;
  /** Bytes. */
  size: number;
  content: Content;
}

/** An object that was surveyed, for the pack. */
export interface Placed {
  /** How many were surveyed before it. */
  number: number;
  /** Its first path from the root, a byte string ("latin1"): objects of similar names make likely bases. */
  path: string;
}

/** How far the packer has come: what is counted are objects while surveying and encoding, pairs while comparing. */
export type PackerProgress = (phase: "read" | "compare" | "pack", done: number, total: number) => void;

/** How to pack. */
export interface PackerOptions {
  /** The longest chain of deltas: from 0, no deltas, to 4095. */
  depth: number;
  signal?: AbortSignal | undefined;
  onProgress?: PackerProgress | undefined;
}

/** How much content a job has, in bytes: enough to be worth the messages, too little to wait for. */
const JOB_LEN = { survey: 2 << 20, measure: 4 << 20, encode: 1 << 20 } as const;

/** The number of objects, pairs or tasks a job has at most. */
const JOB_COUNT = 512;

/** Two contents that are larger than this together make a job heavy. */
const HEAVY_LEN = 32 << 20;

const NO_BASE = -1;

/** Cuts a sequence where its weights reach a limit. @returns the places of the cuts, the end among them */
function* cuts(count: number, weightOf: (at: number) => number, limit: number): Generator<[number, number]> {
  let start = 0;
  let weight = 0;
  for (let at = 0; at < count; at++) {
    weight += weightOf(at);
    if (weight < limit && at + 1 - start < JOB_COUNT) continue;
    yield [start, at + 1];
    start = at + 1;
    weight = 0;
  }
  if (start < count) yield [start, count];
}

/** One pack in the making. */
export class Packer {
  readonly #executor: Executor;
  readonly #options: PackerOptions;
  readonly #objects: PackObject[] = [];
  readonly #oids: Uint8Array[] = [];
  readonly #features: Uint32Array[] = [];
  readonly #wholeCosts: number[] = [];
  readonly #pieceHashes = new Map<number, Uint8Array>();

  constructor(executor: Executor, options: PackerOptions) {
    this.#executor = executor;
    this.#options = options;
  }

  /**
   * Reads objects for their ids, and for what is to be known of them later.
   * @returns the ids, 20 bytes each
   */
  async survey(objects: readonly PackObject[]): Promise<Uint8Array> {
    const first = this.#objects.length;
    for (const object of objects) this.#objects.push(object);
    const planned = function* (this: Packer): Generator<Planned<SurveyJob>> {
      for (const [start, end] of cuts(objects.length, (at) => objects[at]!.size, JOB_LEN.survey)) {
        const job: SurveyJob = { type: "survey", objects: [] };
        for (let at = start; at < end; at++) job.objects.push(this.#jobObject(first + at));
        yield { job, isHeavy: job.objects.some(({ size }) => size > HEAVY_LEN) };
      }
    };
    await runInOrder(
      this.#executor,
      planned.call(this),
      ({ oids, features, wholeCosts, pieceHashes }, job) => {
        for (let at = 0; at < job.objects.length; at++) {
          const hashes = pieceHashes[at];
          if (hashes !== undefined) this.#pieceHashes.set(this.#oids.length, hashes);
          this.#oids.push(oids.slice(at * OID_LEN, (at + 1) * OID_LEN));
          this.#wholeCosts.push(wholeCosts[at]!);
        }
        this.#features.push(features);
        this.#options.onProgress?.("read", this.#oids.length - first, objects.length);
      },
      this.#options.signal,
    );
    const all = new Uint8Array(objects.length * OID_LEN);
    for (let at = 0; at < objects.length; at++) all.set(this.#oids[first + at]!, at * OID_LEN);
    return all;
  }

  /**
   * Writes objects that were surveyed: in the order given, but for bases, which come right before the first that is a delta of
   * them.
   * @param writer its header is written; the caller finishes it
   * @param objects each content once
   * @returns how many of them are deltas
   */
  async write(writer: PackWriter, objects: readonly Placed[]): Promise<number> {
    const numbers = Uint32Array.from(objects, ({ number }) => number);
    const paths = objects.map(({ path }) => path);
    const bases = this.#options.depth === 0 ? undefined : await this.#chooseBases(numbers, paths);
    return this.#encode(writer, emissionOrder(numbers, bases), bases);
  }

  #jobObject(number: number): JobObject {
    const { kind, size, content } = this.#objects[number]!;
    const oid = this.#oids[number];
    if (oid === undefined) return { index: number, kind, size, content };
    return { index: number, kind, size, content, oid, wholeCost: this.#wholeCosts[number]! };
  }

  /**
   * The base of each of `numbers`, by number, `NO_BASE` for those that are none; the column is as long as there are
   * objects. A second round of comparisons looks around what the first has found.
   */
  async #chooseBases(numbers: Uint32Array, paths: string[]): Promise<Int32Array> {
    const { depth } = this.#options;
    const objects = this.#planObjects(numbers, paths);
    const first = await this.#measure(numbers, candidatePairs(objects));
    const second = await this.#measure(
      numbers,
      candidatePairs(objects, chooseBases(objects, [first], depth)),
    );
    const chosen = chooseBases(objects, [first, second], depth);
    const bases = new Int32Array(this.#objects.length).fill(NO_BASE);
    for (let row = 0; row < chosen.length; row++)
      if (chosen[row] !== NO_BASE) bases[numbers[row]!] = numbers[chosen[row]!]!;
    return bases;
  }

  async #measure(numbers: Uint32Array, pairs: Pairs): Promise<MeasuredPairs> {
    const costs = new Uint32Array(pairs.targets.length);
    let done = 0;
    await runInOrder(
      this.#executor,
      this.#measureJobs(numbers, pairs),
      (result) => {
        costs.set(result, done);
        done += result.length;
        this.#options.onProgress?.("compare", done, costs.length);
      },
      this.#options.signal,
    );
    return { ...pairs, costs };
  }

  #planObjects(numbers: Uint32Array, paths: string[]): PlanObjects {
    const count = numbers.length;
    const all = new Uint32Array(this.#objects.length * FEATURE_COUNT);
    let at = 0;
    for (const part of this.#features) {
      all.set(part, at);
      at += part.length;
    }
    const features = new Uint32Array(count * FEATURE_COUNT);
    const kinds = new Uint8Array(count);
    const sizes = new Float64Array(count);
    const wholeCosts = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const number = numbers[row]!;
      const { kind, size } = this.#objects[number]!;
      features.set(all.subarray(number * FEATURE_COUNT, (number + 1) * FEATURE_COUNT), row * FEATURE_COUNT);
      kinds[row] = KIND[kind];
      sizes[row] = size;
      wholeCosts[row] = this.#wholeCosts[number]!;
    }
    return { count, kinds, sizes, paths, features, wholeCosts };
  }

  *#measureJobs(numbers: Uint32Array, { bases, targets }: Pairs): Generator<Planned<MeasureJob>> {
    const sizeOf = (row: number): number => this.#objects[numbers[row]!]!.size;
    const weightOf = (at: number): number =>
      sizeOf(targets[at]!) + (at > 0 && bases[at] === bases[at - 1] ? 0 : sizeOf(bases[at]!));
    for (const [start, end] of cuts(targets.length, weightOf, JOB_LEN.measure)) {
      const job: MeasureJob = {
        type: "measure",
        objects: [],
        bases: bases.slice(start, end).map((row) => numbers[row]!),
        targets: targets.slice(start, end).map((row) => numbers[row]!),
      };
      let isHeavy = false;
      for (let at = start; at < end; at++) isHeavy ||= sizeOf(bases[at]!) + sizeOf(targets[at]!) > HEAVY_LEN;
      job.objects = [...new Set([...job.bases, ...job.targets])].map((number) => this.#jobObject(number));
      yield { job, isHeavy };
    }
  }

  async #encode(writer: PackWriter, order: Uint32Array, bases: Int32Array | undefined): Promise<number> {
    const offsets = new Map<number, number>();
    let deltaCount = 0;
    let done = 0;
    const write = async (result: EncodeResult, { tasks }: EncodeJob): Promise<void> => {
      for (const [at, { target, base, piece }] of tasks.entries()) {
        const { kind, size } = this.#objects[target]!;
        const oid = this.#oids[target]!;
        const bytes = result.bytes.subarray(at === 0 ? 0 : result.ends[at - 1]!, result.ends[at]!);
        if (piece === undefined || piece.index === 0) offsets.set(target, writer.position);
        if (piece !== undefined) {
          const { start, end } = pieceRange(size, piece.index);
          await writer.addPiece(kind, oid, size, { start, end, bytes, adler: result.adlers[at]! });
          if (end < size) continue;
        } else if (result.deltaLens[at] !== 0) {
          deltaCount++;
          await writer.addDelta(oid, offsets.get(base!)!, result.deltaLens[at]!, bytes);
        } else {
          await writer.add(kind, oid, size, bytes);
        }
        this.#options.onProgress?.("pack", ++done, order.length);
      }
    };
    await runInOrder(this.#executor, this.#encodeJobs(order, bases), write, this.#options.signal);
    return deltaCount;
  }

  *#encodeJobs(order: Uint32Array, bases: Int32Array | undefined): Generator<Planned<EncodeJob>> {
    const tasks = [...this.#tasks(order, bases)];
    const weightOf = ({ target, base, piece }: EncodeTask): number => {
      const { size } = this.#objects[target]!;
      if (piece === undefined) return size + (base === undefined ? 0 : this.#objects[base]!.size);
      const { start, end } = pieceRange(size, piece.index);
      return end - start;
    };
    for (const [start, end] of cuts(tasks.length, (at) => weightOf(tasks[at]!), JOB_LEN.encode)) {
      const part = tasks.slice(start, end);
      const named = new Set(
        part.flatMap(({ target, base }) => (base === undefined ? [target] : [base, target])),
      );
      const job: EncodeJob = {
        type: "encode",
        objects: [...named].map((number) => this.#jobObject(number)),
        tasks: part,
      };
      yield { job, isHeavy: part.some((task) => weightOf(task) > HEAVY_LEN) };
    }
  }

  *#tasks(order: Uint32Array, bases: Int32Array | undefined): Generator<EncodeTask> {
    for (const target of order) {
      const base = bases?.[target] ?? NO_BASE;
      const { size } = this.#objects[target]!;
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

/** The order in which objects are written: every base before its deltas, and no earlier than it must be. */
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
