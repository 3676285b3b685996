/**
 * The jobs of the packer's workers, as plain data that goes from thread to thread. This file reads no files
 * and starts no threads.
 */

import type { Kind } from "../../git/objects.js";
import type { Content } from "../base/content.js";

/** An object in a job. */
export interface JobObject {
  /** An object has one index in all jobs. */
  index: number;
  kind: Kind;
  /** Bytes. */
  size: number;
  content: Content;
  /** 20 bytes, if it is known: content with another id has changed since. */
  oid?: Uint8Array;
  /** Bytes that it would take as a whole object, if known. */
  wholeCost?: number;
  /** Bytes of content between the seek points that it gets if it is stored whole. */
  segment?: number;
}

/** Finds the ids of objects, and the data for finding bases. */
export interface SurveyJob {
  type: "survey";
  objects: JobObject[];
  /** Find only ids: the other columns of the result are empty. */
  isHashOnly?: boolean;
  /** Bytes from which on blobs that are stored whole get seek points: none without it. */
  seekMin?: number;
}

export interface SurveyResult {
  /** 20 bytes an object. */
  oids: Uint8Array;
  /** `FEATURE_COUNT` an object. */
  features: Uint32Array;
  /** An estimate of the bytes that each would take as a whole object. */
  wholeCosts: Uint32Array;
  /**
   * For every object larger than `PIECED_MIN`, by its place in the job: the SHA-1s of its pieces, 20 bytes
   * each.
   */
  pieceHashes: Map<number, Uint8Array>;
  /** For every object that gets seek points if it is stored whole, by its place in the job: bytes of its segments. */
  segments: Map<number, number>;
}

/** Measures deltas without making them. */
export interface MeasureJob {
  type: "measure";
  /** All objects that `bases` and `targets` name. */
  objects: JobObject[];
  /** Indexes, a pair a row; the targets of a base follow each other. */
  bases: Uint32Array;
  targets: Uint32Array;
}

/** An estimate of the bytes that each pair's delta would take; 2^32 - 1 if the delta is useless. */
export type MeasureResult = Uint32Array;

/** An entry to make. */
export interface EncodeTask {
  target: number;
  /** The object that the entry is a delta of. */
  base?: number;
  /** For an object that is packed in pieces: the piece's number, and its SHA-1. */
  piece?: { index: number; hash: Uint8Array };
}

/** Makes the zlib streams of entries. */
export interface EncodeJob {
  type: "encode";
  /** All objects that the tasks name. */
  objects: JobObject[];
  tasks: EncodeTask[];
}

export interface EncodeResult {
  /**
   * The streams, one after the other; for a piece, its part of the stream, without zlib's header and
   * checksum.
   */
  bytes: Uint8Array;
  /** The end of each stream. */
  ends: Uint32Array;
  /**
   * Bytes of each delta, 0 for whole objects. A planned delta becomes a whole object if that is not larger.
   */
  deltaLens: Uint32Array;
  /** The Adler-32 of pieces. */
  adlers: Uint32Array;
  /** The numbers of points and of marks of each stream, and all of them, one stream after the other: see `Segments`. */
  pointCounts: Uint32Array;
  points: Uint32Array;
  markCounts: Uint32Array;
  marks: Uint32Array;
}

export type Job = SurveyJob | MeasureJob | EncodeJob;

/** The result of each job. */
export interface Results {
  survey: SurveyResult;
  measure: MeasureResult;
  encode: EncodeResult;
}

/** Runs jobs, several at a time. */
export interface Executor {
  /** The useful number of concurrent jobs. */
  readonly width: number;
  /** @param isHeavy the job takes much memory: two such jobs never run at once */
  run<T extends Job>(job: T, isHeavy?: boolean): Promise<Results[T["type"]]>;
  close(): Promise<void>;
}

/** Larger objects are neither deltas nor bases: both must be in memory. */
export const DELTA_MAX = 64 << 20;

/** Larger whole objects are deflated in pieces, by several workers. */
export const PIECED_MIN = 8 << 20;

/** The length of a piece. It decides where deflate blocks end, hence an image's bytes: never change it lightly. */
export const PIECE_LEN = 1 << 20;

/** The place of a piece's content. */
export function pieceRange(size: number, index: number): { start: number; end: number } {
  return { start: index * PIECE_LEN, end: Math.min(size, (index + 1) * PIECE_LEN) };
}

/** The number of pieces of an object. */
export const pieceCount = (size: number): number => Math.ceil(size / PIECE_LEN);
