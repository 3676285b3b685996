/**
 * Finds the seek points of a zlib stream, and the checksums of its content (docs/FORMAT.md): the places behind empty stored
 * blocks at every multiple of a segment, across which no match reaches. The first such place tells the segment. A stream has
 * all of them or none.
 */
import { COPY_OVERRUN } from "../inflate/copy";
import { WINDOW, windowSet, windowSlide } from "../inflate/window";
import { INFLATE_SIZE, Inflate, NEED_OUTPUT, zlibInit, zlibRun } from "../inflate/zlib";
import { Status } from "../base/status";

/** Segments are multiples of this number of bytes, between two of them. `SEGMENT` in src/layout/format.ts. */
const UNIT: u32 = 1 << 16;
const SEGMENT_MIN: u32 = 4 * UNIT;
const SEGMENT_MAX: u32 = 16 * UNIT;
/** A segment has so many cells. */
const CELLS: u32 = 16;
const SMALLEST: u32 = UNIT / CELLS;

/** A record: │ place u64 │ Adler-32 u32 × 16 │ */
const CHECKSUMS: usize = 8;
const RECORD: usize = CHECKSUMS + 4 * CELLS;
/** More than there can be segments in what 64 KiB inflate to. */
const RECORDS_MAX: u32 = 512;
/** zlib's header, behind which the first segment begins. */
const HEADER: u64 = 2;

const inflater: Inflate = changetype<Inflate>(memory.data(INFLATE_SIZE, 16));
// @ts-ignore: decorator
@lazy
const window: usize = memory.data(WINDOW + <u32>COPY_OVERRUN, 16);
/** The checksums at multiples of `SMALLEST`, until the segment is known. */
// @ts-ignore: decorator
@lazy
const early: usize = memory.data(4 * 256, 8);
/** Records that are complete, and the one that is being made. */
// @ts-ignore: decorator
@lazy
const records: usize = memory.data(72 * 512, 8);
if (RECORD != 72 || RECORDS_MAX != 512 || SEGMENT_MAX / SMALLEST != 256) ERROR("the tables have other sizes");
let recordCount: u32 = 0;

let streamSize: u64 = 0;
/** Bytes of content between two points, or 0 while this is unknown. */
let segment: u32 = 0;
/** The position in the content of the next checksum, or the content's end. */
let stop: u64 = 0;

/** Begins a zlib stream. @param size bytes that it inflates to */
export function seekPointsBegin(size: f64): void {
  streamSize = <u64>size;
  segment = 0;
  recordCount = 0;
  stop = min<u64>(SMALLEST, streamSize);
  store<u32>(early, 1);
  const state = inflater;
  zlibInit(state, streamSize, true);
  state.outputSlack = COPY_OVERRUN;
  windowSet(state, window, 0, stop);
}

/** Bytes of a segment, once it is known. */
export function seekSegment(): u32 {
  return segment;
}

/** Where records are that the last run has completed: `seekRecordCount()` of them. They are gone with the next run. */
export function seekRecords(): usize {
  return records;
}

export function seekRecordCount(): u32 {
  return recordCount;
}

/** Begins the record of the next segment. */
function beginRecord(place: u64, adler: u32): void {
  const record = records + recordCount * RECORD;
  memory.fill(record, 0, RECORD);
  store<u64>(record, place);
  store<u32>(record, adler, CHECKSUMS);
}

/** Takes the checksum at the stop. @returns whether the stream can still have points */
function mark(): bool {
  const state = inflater;
  const isFlushed = state.flushIn != 0 && state.flushOut == stop;
  let within = <u32>stop;
  if (segment) {
    within = <u32>(stop % segment);
    if (within) store<u32>(records + recordCount * RECORD + (within / (segment / CELLS) << 2), state.adler, CHECKSUMS);
  } else if (within >= SEGMENT_MIN && within % UNIT == 0 && isFlushed) {
    segment = within;
    within = 0;
    beginRecord(HEADER, 1);
    for (let cell: u32 = 1; cell < CELLS; cell++)
      store<u32>(records + (cell << 2), load<u32>(early + ((cell * (segment / UNIT)) << 2)), CHECKSUMS);
  } else {
    if (within == SEGMENT_MAX) return false;
    store<u32>(early + ((within / SMALLEST) << 2), state.adler);
  }
  if (within) return true;
  if (!isFlushed || ++recordCount == RECORDS_MAX) return false;
  beginRecord(state.flushIn, state.adler);
  return true;
}

/**
 * Inflates the next piece of the stream.
 * @param input `len` bytes, 64 KiB at the most; 8 more may be read
 * @returns OK at the stream's end: it has all points; NEED_INPUT (-1); NEED_OUTPUT (-2) or an error of the decoder: it
 *   has none
 */
export function seekPointsRun(input: usize, len: u32): i32 {
  const state = inflater;
  // The record that is being made moves to the front.
  memory.copy(records, records + recordCount * RECORD, RECORD);
  recordCount = 0;
  state.input = input;
  state.inputEnd = input + len;
  while (true) {
    const status = zlibRun(state);
    if (status == Status.OK) return finish();
    if (status != NEED_OUTPUT || state.totalOut == streamSize) return status;
    if (state.totalOut == stop) {
      if (!mark()) return NEED_OUTPUT;
      const isPoint = segment != 0 && stop % segment == 0;
      stop = min<u64>(stop + (segment ? segment / CELLS : SMALLEST), streamSize);
      // The window is empty at a point: a match that reaches back across it is one too far.
      const filled = isPoint ? 0 : <u32>(state.output - window);
      if (stop - state.totalOut <= WINDOW - filled) {
        windowSet(state, window, filled, stop);
        continue;
      }
    }
    windowSlide(state, window, stop);
  }
}

function finish(): i32 {
  if (inflater.totalOut < streamSize) return Status.BAD_INFLATED_SIZE;
  if (!segment) return NEED_OUTPUT;
  recordCount++;
  return Status.OK;
}
