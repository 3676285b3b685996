/** Runs jobs, one at a time, in any JavaScript engine. Its creator decides how content is read. */

import { hashObject, objectHeader } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import { SEGMENT } from "../../layout/format.js";
import type { Content, Contents } from "../base/content.js";
import { ContentHasher } from "./content-hasher.js";
import { Deflater, type Segments, WINDOW } from "./deflater.js";
import { type Engine, PART_END } from "./engine.js";
import {
  DELTA_MAX,
  type EncodeJob,
  type EncodeResult,
  type Job,
  type JobObject,
  type MeasureJob,
  type MeasureResult,
  PIECE_LEN,
  PIECED_MIN,
  pieceCount,
  pieceRange,
  type Results,
  type SurveyJob,
  type SurveyResult,
} from "./jobs.js";
import { FEATURE_COUNT } from "./plan.js";
import { outOfMemory, Room } from "./room.js";
import { SegmentChoice, samplePositions } from "./segment-choice.js";

/** An entry without its header. */
interface Entry {
  stream: Uint8Array;
  /** Bytes of the delta, if it is one. */
  deltaLen?: number;
  /** The Adler-32 of a piece. */
  adler?: number;
  /** If it has seek points: see `Segments`. */
  points?: Segments["points"];
  marks?: Segments["marks"];
}

/** Content in the engine's memory. */
interface Loaded {
  ptr: number;
  len: number;
  /** Whether its hash was found to match its id. */
  isChecked: boolean;
}

/** The most bytes of kept contents beyond those of the present job; and the estimated overhead of each. */
const KEPT_LEN = 8 << 20;
const KEPT_OVERHEAD = 256;

/**
 * A delta that takes more than this share of its target's estimated size is compared with the whole object.
 * The estimate is usually too high by less than this share.
 */
const DOUBT = 15 / 16;

/**
 * Bytes that a delta's entry takes more than a whole object's, besides its stream: the reference to its base.
 */
const DELTA_OVERHEAD = 3;

const NOTHING = new Uint32Array(0);

/** Whether an object gets seek points if it is stored whole. */
function isSeekable({ kind, size }: JobObject, seekMin: number): boolean {
  return kind === "blob" && size >= seekMin && size > SEGMENT.min;
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** See the file's head. */
export class JobRunner {
  readonly #engine: Engine;
  readonly #contents: Contents;
  /** By index, the least recently used first. */
  readonly #loaded = new Map<number, Loaded>();
  #loadedLen = 0;
  /** Indexes that must stay where they are. */
  readonly #pinned = new Set<number>();
  /** Rooms for content that is used once, for a delta, and for a stream. */
  readonly #content: Room;
  readonly #delta: Room;
  readonly #stream: Room;
  readonly #deflater: Deflater;
  readonly #hasher: ContentHasher;
  /** An index for making deltas, and the number of its object: the next delta often has this base, too. */
  #indexed: { base: number; index: number } | undefined;

  constructor(engine: Engine, contents: Contents) {
    this.#engine = engine;
    this.#contents = contents;
    this.#hasher = new ContentHasher(contents);
    const room = (): Room =>
      new Room(
        (len) => this.#allocate(len),
        (ptr) => engine.free(ptr),
      );
    this.#content = room();
    this.#delta = room();
    this.#stream = room();
    this.#deflater = new Deflater(engine, this.#stream);
  }

  /**
   * @returns the job's result
   * @throws DocteurError `Io` if content cannot be read or has changed, `OutOfMemory`
   */
  run<T extends Job>(job: T): Results[T["type"]] {
    try {
      return this.#run(job) as Results[T["type"]];
    } finally {
      this.#dropIndex();
      this.#pinned.clear();
      for (const room of [this.#content, this.#delta, this.#stream]) room.trim();
    }
  }

  #run(job: Job): Results[Job["type"]] {
    switch (job.type) {
      case "survey":
        return this.#survey(job);
      case "measure":
        return this.#measure(job);
      case "encode":
        return this.#encode(job);
    }
  }

  /** The engine's present memory. A later allocation, such as a new hash, may replace the buffer. */
  #bytes(ptr: number, len: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#engine.memory.buffer, ptr, len);
  }

  /** Allocates memory of the engine. It drops kept contents if it needs room. */
  #allocate(len: number): number {
    while (true) {
      const ptr = this.#engine.alloc(len);
      if (ptr !== 0) return ptr;
      if (!this.#dropOne()) throw outOfMemory(len);
    }
  }

  #dropOne(): boolean {
    for (const [index, { ptr, len }] of this.#loaded) {
      if (this.#pinned.has(index)) continue;
      this.#engine.free(ptr);
      this.#loaded.delete(index);
      this.#loadedLen -= len + KEPT_OVERHEAD;
      return true;
    }
    return false;
  }

  /** An object's content. It stays in place until `#pinned` releases it. */
  #load(object: JobObject, isToBeChecked: boolean): Loaded {
    const { index, size, content } = object;
    this.#pinned.add(index);
    let loaded = this.#loaded.get(index);
    if (loaded !== undefined) {
      this.#loaded.delete(index);
    } else {
      while (this.#loadedLen + size > KEPT_LEN && this.#dropOne());
      loaded = this.#fetch(content, size);
      this.#loadedLen += size + KEPT_OVERHEAD;
    }
    this.#loaded.set(index, loaded);
    if (isToBeChecked && !loaded.isChecked) {
      if (!isEqual(this.#oid(object, loaded.ptr), object.oid!)) throw this.#changed(object);
      loaded.isChecked = true;
    }
    return loaded;
  }

  /** Content in its own memory. */
  #fetch(content: Content, size: number): Loaded {
    const ptr = this.#allocate(Math.max(size, 1));
    try {
      this.#read(content, size, 0, this.#bytes(ptr, size));
    } catch (error) {
      this.#engine.free(ptr);
      throw error;
    }
    return { ptr, len: size, isChecked: false };
  }

  #read(content: Content, size: number, at: number, into: Uint8Array): void {
    const file = this.#contents.open(content, size);
    try {
      file.read(into, at);
      file.settle();
    } finally {
      file.close();
    }
  }

  #changed({ content, size }: JobObject): Error {
    const file = this.#contents.open(content, size);
    file.close();
    return file.changed();
  }

  /** The id of an object whose content was read to `ptr`. */
  #oid({ kind, size }: JobObject, ptr: number): Uint8Array {
    return hashObject(this.#contents.sha1(), kind, this.#bytes(ptr, size));
  }

  /** Finds ids alone. */
  #hashAll(objects: readonly JobObject[]): SurveyResult {
    const oids = new Uint8Array(objects.length * OID_LEN);
    for (const [at, object] of objects.entries()) oids.set(this.#hasher.oidOf(object), at * OID_LEN);
    return { oids, features: NOTHING, wholeCosts: NOTHING, pieceHashes: new Map(), segments: new Map() };
  }

  #survey({ objects, isHashOnly, seekMin = Number.POSITIVE_INFINITY }: SurveyJob): SurveyResult {
    if (isHashOnly) return this.#hashAll(objects);
    const count = objects.length;
    const oids = new Uint8Array(count * OID_LEN);
    const features = new Uint32Array(count * FEATURE_COUNT);
    const wholeCosts = new Uint32Array(count);
    const pieceHashes = new Map<number, Uint8Array>();
    const segments = new Map<number, number>();
    const sketch = this.#allocate(FEATURE_COUNT * 4);
    for (const [at, object] of objects.entries()) {
      const { size, content } = object;
      const choice = isSeekable(object, seekMin) ? new SegmentChoice(this.#engine, size) : undefined;
      if (size > DELTA_MAX) {
        const { oid, hashes } = this.#surveyPieces(object, choice);
        if (choice !== undefined) segments.set(at, choice.segment);
        oids.set(oid, at * OID_LEN);
        wholeCosts[at] = Math.min(size, 0xffffffff);
        pieceHashes.set(at, hashes);
        continue;
      }
      const ptr = this.#content.reserve(size);
      this.#read(content, size, 0, this.#bytes(ptr, size));
      oids.set(this.#oid(object, ptr), at * OID_LEN);
      if (size > PIECED_MIN) pieceHashes.set(at, this.#hashPieces(ptr, size));
      if (choice !== undefined) {
        for (const position of samplePositions(size)) choice.add(ptr + position);
        segments.set(at, choice.segment);
      }
      this.#engine.contentSketch(ptr, size, sketch);
      wholeCosts[at] = this.#engine.deflatedLenSampled(ptr, size) >>> 0;
      features.set(new Uint32Array(this.#engine.memory.buffer, sketch, FEATURE_COUNT), at * FEATURE_COUNT);
    }
    this.#engine.free(sketch);
    return { oids, features, wholeCosts, pieceHashes, segments };
  }

  #sha1(ptr: number, len: number): Uint8Array {
    const hash = this.#contents.sha1();
    hash.update(this.#bytes(ptr, len));
    return hash.digest();
  }

  #hashPieces(ptr: number, len: number): Uint8Array {
    const hashes = new Uint8Array(pieceCount(len) * OID_LEN);
    for (let index = 0; index < pieceCount(len); index++) {
      const { start, end } = pieceRange(len, index);
      hashes.set(this.#sha1(ptr + start, end - start), index * OID_LEN);
    }
    return hashes;
  }

  /** Hashes content that is too large to be held. */
  #surveyPieces(
    object: JobObject,
    choice: SegmentChoice | undefined,
  ): { oid: Uint8Array; hashes: Uint8Array } {
    const { size, content } = object;
    const hashes = new Uint8Array(pieceCount(size) * OID_LEN);
    const sampled = new Set(samplePositions(size).map((position) => Math.floor(position / PIECE_LEN)));
    const whole = this.#contents.sha1();
    whole.update(objectHeader(object.kind, size));
    const ptr = this.#content.reserve(PIECE_LEN);
    const file = this.#contents.open(content, size);
    try {
      file.settle();
      for (let index = 0; index < pieceCount(size); index++) {
        const { start, end } = pieceRange(size, index);
        const bytes = this.#bytes(ptr, end - start);
        file.read(bytes, start);
        whole.update(bytes);
        // The middle of a piece has enough before it and behind.
        if (sampled.has(index)) choice?.add(ptr + PIECE_LEN / 2);
        hashes.set(this.#sha1(ptr, end - start), index * OID_LEN);
      }
      file.settle();
    } finally {
      file.close();
    }
    return { oid: whole.digest(), hashes };
  }

  #measure({ objects, bases, targets }: MeasureJob): MeasureResult {
    const byIndex = new Map(objects.map((object) => [object.index, object]));
    const costs = new Uint32Array(targets.length);
    for (let start = 0, end = 0; start < targets.length; start = end) {
      const base = this.#load(byIndex.get(bases[start]!)!, false);
      const index = this.#index(base, false);
      for (end = start; end < targets.length && bases[end] === bases[start]; end++) {
        costs[end] = this.#measureDelta(index, byIndex.get(targets[end]!)!);
        this.#pinned.delete(targets[end]!);
      }
      this.#engine.deltaIndexFree(index);
      this.#pinned.clear();
    }
    return costs;
  }

  /** Indexes a base, to measure or make its deltas. */
  #index({ ptr, len }: Loaded, isFine: boolean): number {
    while (true) {
      const index = this.#engine.deltaIndex(ptr, len, isFine ? 1 : 0);
      if (index !== 0) return index;
      if (!this.#dropOne()) throw outOfMemory(len);
    }
  }

  #measureDelta(index: number, object: JobObject): number {
    const { ptr, len } = this.#load(object, false);
    const to = this.#delta.reserve(len);
    return this.#engine.deltaMeasure(index, ptr, len, to, len) >>> 0;
  }

  #encode({ objects, tasks }: EncodeJob): EncodeResult {
    const byIndex = new Map(objects.map((object) => [object.index, object]));
    const entries = tasks.map(({ target, base, piece }) => {
      const object = byIndex.get(target)!;
      if (base !== this.#indexed?.base) this.#dropIndex();
      const entry =
        piece !== undefined
          ? this.#encodePiece(object, piece)
          : base !== undefined
            ? this.#encodeDelta(object, byIndex.get(base)!)
            : this.#encodeWhole(object);
      this.#pinned.clear();
      // The index refers to its base's memory.
      if (this.#indexed !== undefined) this.#pinned.add(this.#indexed.base);
      return entry;
    });
    const result: EncodeResult = {
      bytes: new Uint8Array(entries.reduce((sum, { stream }) => sum + stream.length, 0)),
      ends: new Uint32Array(tasks.length),
      deltaLens: Uint32Array.from(entries, ({ deltaLen }) => deltaLen ?? 0),
      adlers: Uint32Array.from(entries, ({ adler }) => adler ?? 0),
      pointCounts: Uint32Array.from(entries, ({ points = [] }) => points.length),
      points: Uint32Array.from(entries.flatMap(({ points = [] }) => points)),
      markCounts: Uint32Array.from(entries, ({ marks = [] }) => marks.length),
      marks: Uint32Array.from(entries.flatMap(({ marks = [] }) => marks)),
    };
    let end = 0;
    for (const [at, { stream }] of entries.entries()) {
      result.bytes.set(stream, end);
      end += stream.length;
      result.ends[at] = end;
    }
    return result;
  }

  #dropIndex(): void {
    if (this.#indexed !== undefined) this.#engine.deltaIndexFree(this.#indexed.index);
    this.#indexed = undefined;
  }

  #encodeWhole(object: JobObject): Entry {
    const { ptr, len } = this.#load(object, true);
    return object.segment === undefined
      ? { stream: this.#deflater.whole(ptr, len) }
      : this.#deflater.wholeSegments(ptr, len, object.segment);
  }

  #encodeDelta(object: JobObject, baseObject: JobObject): Entry {
    const base = this.#load(baseObject, true);
    const target = this.#load(object, true);
    this.#indexed ??= { base: baseObject.index, index: this.#index(base, true) };
    const { index } = this.#indexed;
    const delta = this.#delta.reserve(target.len);
    const deltaLen = this.#engine.deltaEncode(index, target.ptr, target.len, delta, target.len);
    if (deltaLen === 0) return this.#encodeWhole(object);
    const entry = { stream: this.#deflater.whole(delta, deltaLen), deltaLen };
    if (entry.stream.length < object.wholeCost! * DOUBT) return entry;
    const whole = this.#encodeWhole(object);
    return whole.stream.length < entry.stream.length + DELTA_OVERHEAD ? whole : entry;
  }

  #encodePiece(object: JobObject, piece: { index: number; hash: Uint8Array }): Entry {
    const { size, content, segment = Number.POSITIVE_INFINITY } = object;
    const { start, end } = pieceRange(size, piece.index);
    const from = start - Math.min(start % segment, WINDOW);
    const ptr = this.#content.reserve(end - from);
    this.#read(content, size, from, this.#bytes(ptr, end - from));
    const at = ptr + start - from;
    const len = end - start;
    if (!isEqual(this.#sha1(at, len), piece.hash)) throw this.#changed(object);
    if (object.segment !== undefined) return this.#deflater.segments({ ptr: at, start, len, size }, segment);
    const adler = this.#engine.adler32(1, at, len) >>> 0;
    const how = end === size ? PART_END.stream : PART_END.byte;
    return { stream: this.#deflater.part(at, start - from, len, how), adler };
  }
}
