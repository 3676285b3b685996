/** The packer's table of its objects. */

import { rowsOf } from "../../git/byte-strings.js";
import { KIND, type Kind } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import type { Forgetting, Unread, Unreads } from "../base/content.js";
import { OidSet } from "../base/oid-set.js";
import type { JobObject, SurveyResult } from "./jobs.js";
import { FEATURE_COUNT } from "./plan.js";

/** Objects whose features there is room for at first. */
const FEATURED_MIN = 1 << 12;

/** A column with room for more. */
function longer<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  column: T,
  length: number,
): T {
  const copy = new (column.constructor as new (length: number) => T)(length);
  copy.set(column);
  return copy;
}

/** The facts about the objects, by number: columns, as there may be a million of them. */
export class Surveyed {
  /** For each survey its first number and its contents, all of one kind. */
  readonly #parts: { first: number; kind: Kind; objects: Unreads }[] = [];
  #oids = new Uint8Array(0);
  /** Bytes. Sizes are known before the survey, so this column is filled at once. */
  sizes = new Float64Array(0);
  wholeCosts = new Uint32Array(0);
  /** `FEATURE_COUNT` in a row, and each object's row: equal contents have one, which is that of the first of them. */
  features = new Uint32Array(0);
  featureRows = new Uint32Array(0);
  #featured = 0;
  /** The objects that have features, by their ids. */
  #known: OidSet | undefined;
  /** The numbers of the entries of an earlier image that stand for the objects, or -1; empty without such an image. */
  entries = new Int32Array(0);
  #room = 0;
  /** The number of objects, and the number for which the other columns are filled. */
  count = 0;
  filled = 0;

  /**
   * @param expected the estimated number of objects: a growing column takes twice its memory while it is
   *   copied
   */
  constructor(expected: number) {
    this.#reserve(expected);
  }

  add(kind: Kind, objects: Unreads): void {
    this.#parts.push({ first: this.count, kind, objects });
    if (this.count + objects.length > this.#room) this.#reserve(this.count + objects.length + 1);
    for (let index = 0; index < objects.length; index++) this.sizes[this.count++] = objects.sizeOf(index);
  }

  #reserve(room: number): void {
    this.#room = room;
    this.#oids = longer(this.#oids, room * OID_LEN);
    this.sizes = longer(this.sizes, room);
    this.wholeCosts = longer(this.wholeCosts, room);
    this.featureRows = longer(this.featureRows, room);
    this.#known = undefined;
  }

  /** Takes the result of a survey of the next objects. */
  fill({ oids, wholeCosts, features }: SurveyResult): void {
    this.#oids.set(oids, this.filled * OID_LEN);
    this.wholeCosts.set(wholeCosts, this.filled);
    for (let at = 0; at < wholeCosts.length; at++)
      this.#setFeatures(this.filled + at, features.subarray(at * FEATURE_COUNT, (at + 1) * FEATURE_COUNT));
    this.filled += wholeCosts.length;
  }

  /** Ends a survey of many objects, of which some may have been equal. */
  settle(): void {
    this.#known = undefined;
  }

  #setFeatures(number: number, features: Uint32Array): void {
    this.#known ??= new OidSet(this.#oids);
    const equal = this.#known.findOrAdd(number);
    if (equal !== undefined) {
      this.featureRows[number] = this.featureRows[equal]!;
      return;
    }
    const row = this.#featured++;
    if ((row + 1) * FEATURE_COUNT > this.features.length)
      this.features = longer(this.features, Math.max(FEATURED_MIN * FEATURE_COUNT, 2 * this.features.length));
    this.features.set(features, row * FEATURE_COUNT);
    this.featureRows[number] = row;
  }

  /** Takes the result of a survey of some objects that were filled before. */
  refill(numbers: readonly number[], { oids, wholeCosts, features }: SurveyResult): void {
    for (const [at, number] of numbers.entries()) {
      this.setOid(number, oids.subarray(at * OID_LEN, (at + 1) * OID_LEN));
      this.wholeCosts[number] = wholeCosts[at]!;
      this.#setFeatures(number, features.subarray(at * FEATURE_COUNT, (at + 1) * FEATURE_COUNT));
    }
  }

  /** @param oid 20 bytes */
  setOid(number: number, oid: Uint8Array): void {
    this.#oids.set(oid, number * OID_LEN);
  }

  /**
   * Forgets all objects but some, which are numbered from 0 on. It is for the time after the first survey.
   * @param objects of that survey
   * @param numbers ascending
   */
  keep(objects: Forgetting, numbers: Uint32Array): void {
    if (numbers.length === this.count) return;
    objects.keep(numbers);
    this.#oids = rowsOf(this.#oids, numbers, OID_LEN);
    this.sizes = rowsOf(this.sizes, numbers);
    this.wholeCosts = rowsOf(this.wholeCosts, numbers);
    this.featureRows = rowsOf(this.featureRows, numbers);
    if (this.entries.length > 0) this.entries = rowsOf(this.entries, numbers);
    this.#room = this.count = this.filled = numbers.length;
  }

  /** @param entries of the objects from `start` on */
  setEntries(start: number, entries: Int32Array): void {
    if (this.entries.length < start + entries.length) this.entries = longer(this.entries, this.#room);
    this.entries.set(entries, start);
  }

  /** Frees the columns that are useless once bases are chosen. */
  dropFeatures(): void {
    this.features = new Uint32Array(0);
    this.featureRows = new Uint32Array(0);
  }

  /** The numbers of the kinds of all objects. */
  kinds(): Uint8Array {
    const kinds = new Uint8Array(this.count);
    for (const { first, kind, objects } of this.#parts) kinds.fill(KIND[kind], first, first + objects.length);
    return kinds;
  }

  kindOf(number: number): Kind {
    return this.#partOf(number).kind;
  }

  sizeOf(number: number): number {
    return this.sizes[number]!;
  }

  oids(from: number, to: number): Uint8Array {
    return this.#oids.subarray(from * OID_LEN, to * OID_LEN);
  }

  wholeCostOf(number: number): number {
    return this.wholeCosts[number]!;
  }

  /** The object in the form for a job. */
  jobObject(number: number): JobObject {
    const { size, content } = this.#unread(number);
    return { index: number, kind: this.kindOf(number), size, content };
  }

  /** The object for jobs that check that the content has not changed since the survey. */
  checkedJobObject(number: number): JobObject {
    // A copy: a message with a view of a buffer would carry the whole buffer.
    const oid = this.oids(number, number + 1).slice();
    return { ...this.jobObject(number), oid, wholeCost: this.wholeCostOf(number) };
  }

  #partOf(number: number): { first: number; kind: Kind; objects: Unreads } {
    return this.#parts.findLast(({ first }) => first <= number)!;
  }

  #unread(number: number): Unread {
    const { first, objects } = this.#partOf(number);
    return objects.at(number - first);
  }
}
