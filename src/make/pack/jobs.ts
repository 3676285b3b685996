/**
 * What the packer's workers do, as plain data that goes from thread to thread: nothing here reads a file or starts
 * one.
 */

import type { Kind } from "../../git/objects.js";
import type { Content } from "../base/content.js";

/** An object, as a job names it. */
export interface JobObject {
  /** The same object has the same index in all jobs. */
  index: number;
  kind: Kind;
  /** Bytes. */
  size: number;
  content: Content;
  /** 20 bytes, where it is known: content that has another id has changed since. */
  oid?: Uint8Array;
  /** What it would take as a whole, in bytes, where that is known. */
  wholeCost?: number;
}

/** Finds the ids of objects, and what there is to know of them for finding bases. */
export interface SurveyJob {
  type: "survey";
  objects: JobObject[];
}

export interface SurveyResult {
  /** 20 bytes an object. */
  oids: Uint8Array;
  /** `FEATURE_COUNT` an object. */
  features: Uint32Array;
  /** What each would take as a whole, in bytes: an estimate. */
  wholeCosts: Uint32Array;
  /** Of every object that is larger than `PIECED_MIN`, by its place in the job: SHA-1s of its pieces, 20 bytes each. */
  pieceHashes: Map<number, Uint8Array>;
}

/** Measures deltas without making them. */
export interface MeasureJob {
  type: "measure";
  /** All that `bases` and `targets` name. */
  objects: JobObject[];
  /** Indexes, a pair a row; the targets of a base follow each other. */
  bases: Uint32Array;
  targets: Uint32Array;
}

/** What each pair's delta would take, in bytes: an estimate; 2^32 - 1 where there is no use in one. */
export type MeasureResult = Uint32Array;

/** An entry to be made. */
export interface EncodeTask {
  target: number;
  /** The object that the entry is a delta of. */
  base?: number;
  /** Of an object that goes into the pack piece by piece: which one, and its SHA-1. */
  piece?: { index: number; hash: Uint8Array };
}

/** Makes the zlib streams of entries. */
export interface EncodeJob {
  type: "encode";
  /** All that the tasks name. */
  objects: JobObject[];
  tasks: EncodeTask[];
}

export interface EncodeResult {
  /** The streams, one after the other; of a piece its part of the stream, without zlib's header and checksum. */
  bytes: Uint8Array;
  /** Where each ends. */
  ends: Uint32Array;
  /** Bytes of each that is a delta, 0 of others: what was to be one is none where the object as a whole takes no more. */
  deltaLens: Uint32Array;
  /** Of pieces, the Adler-32. */
  adlers: Uint32Array;
}

export type Job = SurveyJob | MeasureJob | EncodeJob;

/** The result of each job. */
export interface Results {
  survey: SurveyResult;
  measure: MeasureResult;
  encode: EncodeResult;
}

/** Runs jobs, some at a time. */
export interface Executor {
  /** How many jobs are worth having under way. */
  readonly width: number;
  /** @param isHeavy the job takes much memory: no two of these run at once */
  run<T extends Job>(job: T, isHeavy?: boolean): Promise<Results[T["type"]]>;
  close(): Promise<void>;
}

/** Objects above this are no deltas nor bases of deltas: both must be in memory. */
export const DELTA_MAX = 64 << 20;

/** Whole objects above this are deflated in pieces, by several workers. */
export const PIECED_MIN = 8 << 20;

/** The length of a piece. It decides where deflate blocks end, hence an image's bytes: never change it lightly. */
export const PIECE_LEN = 1 << 20;

/** Where the content of a piece is. */
export function pieceRange(size: number, index: number): { start: number; end: number } {
  return { start: index * PIECE_LEN, end: Math.min(size, (index + 1) * PIECE_LEN) };
}

/** How many pieces an object has. */
export const pieceCount = (size: number): number => Math.ceil(size / PIECE_LEN);
