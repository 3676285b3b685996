/** What the packer knows of its objects. */

import type { Kind } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import type { Unread, Unreads } from "../base/content.js";
import type { JobObject, SurveyResult } from "./jobs.js";
import { FEATURE_COUNT } from "./plan.js";

/** What is known of the objects, by number: columns, as there may be a million of them. */
export class Surveyed {
  /** Of each survey its first number and what was surveyed, all of one kind. */
  readonly #parts: { first: number; kind: Kind; objects: Unreads }[] = [];
  readonly #oids: Uint8Array;
  /** Bytes: filled at once, as they are known. */
  readonly sizes: Float64Array;
  readonly wholeCosts: Uint32Array;
  features: Uint32Array;
  /** How many there are, and of how many the other columns are filled. */
  count = 0;
  filled = 0;

  /** @param most how many objects there may be: columns that grow would be there twice while they are copied */
  constructor(most: number) {
    this.#oids = new Uint8Array(most * OID_LEN);
    this.sizes = new Float64Array(most);
    this.wholeCosts = new Uint32Array(most);
    this.features = new Uint32Array(most * FEATURE_COUNT);
  }

  add(kind: Kind, objects: Unreads): void {
    this.#parts.push({ first: this.count, kind, objects });
    for (let index = 0; index < objects.length; index++) this.sizes[this.count++] = objects.at(index)!.size;
  }

  /** Takes the result of a survey of the next objects. */
  fill({ oids, wholeCosts, features }: SurveyResult): void {
    this.#oids.set(oids, this.filled * OID_LEN);
    this.wholeCosts.set(wholeCosts, this.filled);
    this.features.set(features, this.filled * FEATURE_COUNT);
    this.filled += wholeCosts.length;
  }

  /** Forgets what is of no use once bases are chosen. */
  dropFeatures(): void {
    this.features = new Uint32Array(0);
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

  /** The object as a job names it. */
  jobObject(number: number): JobObject {
    const { size, content } = this.#unread(number);
    return { index: number, kind: this.kindOf(number), size, content };
  }

  /** The same for jobs that make sure that the content is what was surveyed. */
  checkedJobObject(number: number): JobObject {
    // A copy: what a message holds a view of goes with it whole.
    const oid = this.oids(number, number + 1).slice();
    return { ...this.jobObject(number), oid, wholeCost: this.wholeCostOf(number) };
  }

  #partOf(number: number): { first: number; kind: Kind; objects: Unreads } {
    return this.#parts.findLast(({ first }) => first <= number)!;
  }

  #unread(number: number): Unread {
    const { first, objects } = this.#partOf(number);
    return objects.at(number - first)!;
  }
}
