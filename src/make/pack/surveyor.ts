/** Reads objects for their ids, and for the data that later steps need: sketches, and sizes as whole objects. */
import type { Kind } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import type { Forgetting, Unreads } from "../base/content.js";
import { batches, HEAVY_LEN, range } from "./batches.js";
import type { Executor, SurveyJob, SurveyResult } from "./jobs.js";
import { Surveyed } from "./object-table.js";
import type { PackerOptions } from "./options.js";
import { type Planned, runInOrder } from "./ordered-jobs.js";
import type { Reuse } from "./reuse.js";

/** Bytes of content in a job: enough to be worth the messages, and few enough that no job takes long. */
const JOB_LEN = 2 << 20;

/** Keeps what is known of some objects, which are numbered from 0 on. */
function renumber<T>(known: Map<number, T>, numbers: Uint32Array): void {
  const before = new Map(known);
  known.clear();
  for (const [at, number] of numbers.entries()) {
    const value = before.get(number);
    if (value !== undefined) known.set(at, value);
  }
}

/** See the file's head. */
export class Surveyor {
  readonly objects: Surveyed;
  /** The SHA-1s of pieces, by object number. */
  readonly pieceHashes = new Map<number, Uint8Array>();
  /** Bytes of a segment of objects that get seek points if they are stored whole, by number. */
  readonly segments = new Map<number, number>();
  readonly #executor: Executor;
  readonly #options: PackerOptions;

  /** @param expected the estimated number of objects */
  constructor(executor: Executor, expected: number, options: PackerOptions) {
    this.#executor = executor;
    this.objects = new Surveyed(expected);
    this.#options = options;
  }

  /** Surveys objects. Numbers continue from earlier surveys. @returns the ids, 20 bytes each */
  async survey(kind: Kind, contents: Unreads): Promise<Uint8Array> {
    const { objects } = this;
    const { reuse } = this.#options;
    const start = objects.count;
    objects.add(kind, contents);
    if (reuse === undefined) await this.#surveyAll(kind, contents, start);
    else await this.#surveyNew(kind, contents, start, reuse);
    objects.settle();
    return objects.oids(start, objects.count);
  }

  /** See `Surveyed.keep`. */
  keep(contents: Forgetting, numbers: Uint32Array): void {
    this.objects.keep(contents, numbers);
    renumber(this.pieceHashes, numbers);
    renumber(this.segments, numbers);
  }

  async #surveyAll(kind: Kind, contents: Unreads, start: number): Promise<void> {
    const { objects } = this;
    const { signal, onProgress } = this.#options;
    await runInOrder(
      this.#executor,
      this.#jobs(range(start, objects.count)),
      (result) => {
        const first = objects.filled;
        this.#keep(result, (at) => first + at);
        objects.fill(result);
        if (kind === "blob") onProgress?.("read", objects.filled - start, contents.length);
      },
      signal,
    );
  }

  /** Keeps what a survey tells of a few large objects. @param numberOf the number of an object by its place */
  #keep({ pieceHashes, segments }: SurveyResult, numberOf: (at: number) => number): void {
    for (const [at, hashes] of pieceHashes) this.pieceHashes.set(numberOf(at), hashes);
    for (const [at, segment] of segments) this.segments.set(numberOf(at), segment);
  }

  /** Reads objects for their ids, and those that no entry of the earlier image stands for, for all the rest. */
  async #surveyNew(kind: Kind, contents: Unreads, start: number, reuse: Reuse): Promise<void> {
    const { objects } = this;
    const { signal } = this.#options;
    objects.filled = objects.count;
    await this.#findIds(kind, contents, start);
    const entries = reuse.find(objects.oids(start, objects.count));
    objects.setEntries(start, entries);
    const fresh: number[] = [];
    for (const [index, entry] of entries.entries()) if (entry < 0) fresh.push(start + index);
    await runInOrder(
      this.#executor,
      this.#jobs(fresh),
      (result, numbers) => {
        this.#keep(result, (at) => numbers[at]!);
        objects.refill(numbers, result);
      },
      signal,
    );
  }

  /** Finds the ids of objects: from memory, or by reading them. */
  async #findIds(kind: Kind, contents: Unreads, start: number): Promise<void> {
    const { objects } = this;
    const { signal, onProgress, ids } = this.#options;
    const known = kind === "blob" ? ids : undefined;
    const unread: number[] = [];
    for (let index = 0; index < contents.length; index++) {
      const oid = known?.find(contents, index);
      if (oid === undefined) unread.push(start + index);
      else objects.setOid(start + index, oid);
    }
    await runInOrder(
      this.#executor,
      this.#jobs(unread, true),
      ({ oids }, numbers) => {
        for (const [at, number] of numbers.entries()) {
          const oid = oids.subarray(at * OID_LEN, (at + 1) * OID_LEN);
          objects.setOid(number, oid);
          known?.keep(contents, number - start, oid);
        }
        if (kind === "blob") onProgress?.("read", numbers.at(-1)! + 1 - start, contents.length);
      },
      signal,
    );
  }

  *#jobs(wanted: Iterable<number>, isHashOnly = false): Generator<Planned<SurveyJob, number[]>> {
    const { objects } = this;
    const { seekMin } = this.#options;
    const sizeOf = (number: number): number => objects.sizeOf(number);
    for (const numbers of batches(wanted, sizeOf, JOB_LEN))
      yield {
        job: {
          type: "survey",
          objects: numbers.map((number) => objects.jobObject(number)),
          isHashOnly,
          seekMin,
        },
        note: numbers,
        isHeavy: numbers.some((number) => sizeOf(number) > HEAVY_LEN),
        resultLen: 0,
      };
  }
}
