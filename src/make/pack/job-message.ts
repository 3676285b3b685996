/**
 * Jobs as messages to another thread, with their objects as columns. The transfer of a few buffers takes a
 * fraction of the time of copying hundreds of objects, and waiting messages cost the garbage collector
 * little.
 */

import { KIND, type Kind } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import { type FileRange, type FileStamp, STAMP_LEN } from "../base/content.js";
import type { EncodeJob, Job, JobObject, MeasureJob, SurveyJob } from "./jobs.js";

const KINDS = Object.fromEntries(Object.entries(KIND).map(([kind, number]) => [number, kind as Kind]));

/** Stands in place of a file for content in memory. */
const AT_HAND = 0xffffffff;

/** Flags for the known facts about an object; for a whole file, also for its stamp. */
const HAS_OID = 1;
const HAS_COST = 2;
const HAS_STAMP = 4;
const FOLLOWS_LINKS = 8;

/** Objects, by column. */
interface Columns {
  indexes: Uint32Array;
  /** Numbers of kinds. */
  kinds: Uint8Array;
  /** Bytes. */
  sizes: Float64Array;
  /** Indexes of `files`, or `AT_HAND`. */
  fileIndexes: Uint32Array;
  /** The offsets of contents in files. */
  offsets: Float64Array;
  /** The lengths of contents in memory, and these contents one after the other. */
  lengths: Uint32Array;
  bytes: Uint8Array;
  known: Uint8Array;
  /** 20 bytes each, if they are known. */
  oids: Uint8Array;
  wholeCosts: Uint32Array;
  /** 0 where there is none. */
  segments: Uint32Array;
  /** `STAMP_LEN` each, if they are known. */
  stamps: BigInt64Array;
}

/** A job whose objects are columns. */
export interface Parcel {
  job: Omit<SurveyJob, "objects"> | Omit<MeasureJob, "objects"> | Omit<EncodeJob, "objects">;
  columns: Columns;
  /** Files of contents, byte strings; a file of consecutive objects is listed once. */
  files: string[];
}

/** @returns the job in its own buffers: `buffersOf` lists those that can be transferred */
export function packJob({ objects, ...job }: Job): Parcel {
  const count = objects.length;
  const files: string[] = [];
  const bytesLen = objects.reduce((sum, { content }) => sum + lengthAtHand(content), 0);
  const columns: Columns = {
    indexes: new Uint32Array(count),
    kinds: new Uint8Array(count),
    sizes: new Float64Array(count),
    fileIndexes: new Uint32Array(count),
    offsets: new Float64Array(count),
    lengths: new Uint32Array(count),
    bytes: new Uint8Array(bytesLen),
    known: new Uint8Array(count),
    oids: new Uint8Array(count * OID_LEN),
    wholeCosts: new Uint32Array(count),
    segments: new Uint32Array(count),
    stamps: new BigInt64Array(count * STAMP_LEN),
  };
  let end = 0;
  for (const [at, { index, kind, size, content, oid, wholeCost, segment }] of objects.entries()) {
    columns.indexes[at] = index;
    columns.kinds[at] = KIND[kind];
    columns.sizes[at] = size;
    if (content instanceof Uint8Array) {
      columns.fileIndexes[at] = AT_HAND;
      columns.lengths[at] = content.length;
      columns.bytes.set(content, end);
      end += content.length;
    } else {
      const { path, offset } = content;
      if (files.at(-1) !== path) files.push(path);
      columns.fileIndexes[at] = files.length - 1;
      columns.offsets[at] = offset;
    }
    columns.known[at] = (oid === undefined ? 0 : HAS_OID) | (wholeCost === undefined ? 0 : HAS_COST);
    if ("stamp" in content && content.stamp !== undefined) packStamp(columns, at, content.stamp);
    if (oid !== undefined) columns.oids.set(oid, at * OID_LEN);
    columns.wholeCosts[at] = wholeCost ?? 0;
    columns.segments[at] = segment ?? 0;
  }
  return { job, columns, files };
}

function packStamp({ known, stamps }: Columns, at: number, stamp: FileStamp): void {
  known[at]! |= HAS_STAMP | (stamp.followsLinks ? FOLLOWS_LINKS : 0);
  const row = at * STAMP_LEN;
  stamps[row] = stamp.dev;
  stamps[row + 1] = stamp.ino;
  stamps[row + 2] = stamp.mtimeNs;
  stamps[row + 3] = stamp.ctimeNs;
}

/** The range of an object's content, which is in a file. */
function unpackRange(columns: Columns, files: readonly string[], at: number): FileRange {
  const { known, stamps, fileIndexes, offsets } = columns;
  const range: FileRange = { path: files[fileIndexes[at]!]!, offset: offsets[at]! };
  if ((known[at]! & HAS_STAMP) === 0) return range;
  const [dev, ino, mtimeNs, ctimeNs] = stamps.subarray(at * STAMP_LEN, (at + 1) * STAMP_LEN);
  const followsLinks = (known[at]! & FOLLOWS_LINKS) !== 0;
  return { ...range, stamp: { dev: dev!, ino: ino!, mtimeNs: mtimeNs!, ctimeNs: ctimeNs!, followsLinks } };
}

function lengthAtHand(content: JobObject["content"]): number {
  return content instanceof Uint8Array ? content.length : 0;
}

/** The buffers of a parcel, which need not be copied. */
export function buffersOf({ columns }: Parcel): ArrayBuffer[] {
  return Object.values(columns).map(({ buffer }) => buffer as ArrayBuffer);
}

/** @returns the unpacked job */
export function unpackJob({ job, columns, files }: Parcel): Job {
  let end = 0;
  const contentOf = (at: number): JobObject["content"] => {
    if (columns.fileIndexes[at] !== AT_HAND) return unpackRange(columns, files, at);
    const start = end;
    end += columns.lengths[at]!;
    return columns.bytes.subarray(start, end);
  };
  const objects = Array.from(columns.indexes, (index, at): JobObject => {
    const object: JobObject = {
      index,
      kind: KINDS[columns.kinds[at]!]!,
      size: columns.sizes[at]!,
      content: contentOf(at),
    };
    if (columns.known[at]! & HAS_OID) object.oid = columns.oids.subarray(at * OID_LEN, (at + 1) * OID_LEN);
    if (columns.known[at]! & HAS_COST) object.wholeCost = columns.wholeCosts[at]!;
    if (columns.segments[at] !== 0) object.segment = columns.segments[at]!;
    return object;
  });
  return { ...job, objects } as Job;
}
