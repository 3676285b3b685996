/**
 * Checkpoints: places in the streams of large objects, at which inflating can be taken up again, as zran and
 * indexed_gzip keep them. All operations share them. An object is known by its entry's offset from the PACK's start.
 *
 *     row, an object:  │ object u64 │ size u64 │ first u32 │ count u32 │ used u32 │ … │
 *     checkpoint:      │ next u32 │ note u32 │ … │ Stream, without its tables │ the 32 KiB before its place │
 *
 * A row's checkpoints are in ascending order. Objects that are read share the memory equally. An object that has not
 * been read for long gives its memory up first. The distance between checkpoints follows from an object's size and its
 * share, so that its checkpoints are spread over the whole of it.
 */
import { heapFree } from "../base/heap";
import { HISTORY } from "../inflate/window";
import { Inflate } from "../inflate/zlib";
import { cacheAlloc } from "./cache";
import { STREAM_KEPT, Stream } from "./stream";

@unmanaged
class Row {
  object: u64;
  size: u64;
  first: usize;
  count: u32;
  /** The time of the last read. */
  used: u32;
  pad: u32;
}

@unmanaged
export class Checkpoint {
  next: usize;
  /** For the caller's own use: a place in the window's last 32 KiB. */
  note: u32;
  pad0: u32;
  pad1: u32;

  /** Its place: bytes from the object's start. */
  @inline
  get position(): u64 {
    return this.stream.inflate.totalOut;
  }

  /** Its stream, whose tables and windows are missing: `streamResume` makes it whole. */
  @inline
  get stream(): Stream {
    return changetype<Stream>(changetype<usize>(this) + STREAM);
  }

  /** The 32 KiB of the object before its place. */
  @inline
  get history(): usize {
    return changetype<usize>(this) + STREAM + STREAM_KEPT;
  }
}

const STREAM: usize = 16;
const CHECKPOINT: usize = STREAM + STREAM_KEPT + HISTORY;

const ROWS: u32 = 16;
const ROW: usize = offsetof<Row>();
const rows: usize = memory.data(16 * 32, 8);
if (ROW != 32) ERROR("a row has another size");
/** The least distance between checkpoints, in bytes. */
const STEP_MIN: u64 = 0x40000;
/** An object is idle if so many reads of others have come since its last one. */
const IDLE: u32 = 64;

/** The most checkpoints, and the present number. */
let most: u32 = 0;
let total: u32 = 0;
let clock: u32 = 0;

/** @param limit bytes that checkpoints may take, in a heap that has just been initialised */
export function checkpointsInit(limit: u32): void {
  most = limit / <u32>CHECKPOINT;
  total = 0;
  clock = 0;
  memory.fill(rows, 0, ROWS * ROW);
}

/** Gives all memory back. */
export function checkpointsShed(): void {
  for (let index: u32 = 0; index < ROWS; index++) clear(rowAt(index));
}

// @ts-ignore: decorator
@inline
function rowAt(index: u32): Row {
  return changetype<Row>(rows + index * ROW);
}

/** The row of an object, or with 0 a free row; null if there is none. */
function rowOf(object: u64): Row | null {
  for (let index: u32 = 0; index < ROWS; index++) {
    const row = rowAt(index);
    if (row.object == object) return row;
  }
  return null;
}

/** Frees the checkpoints of a row, and the row. */
function clear(row: Row): void {
  thin(row, u64.MAX_VALUE);
  row.object = 0;
  row.used = 0;
}

/** Frees the checkpoints of a row that are less than `step` bytes behind the one before. */
function thin(row: Row, step: u64): void {
  let last: u64 = 0;
  let place = changetype<usize>(row) + offsetof<Row>("first");
  while (load<usize>(place)) {
    const checkpoint = changetype<Checkpoint>(load<usize>(place));
    if (checkpoint.position - last >= step) {
      last = checkpoint.position;
      place = changetype<usize>(checkpoint);
    } else {
      store<usize>(place, checkpoint.next);
      heapFree(changetype<usize>(checkpoint));
      row.count--;
      total--;
    }
  }
}

/** The row that was used longest ago. */
function oldestRow(): Row {
  let oldest = rowAt(0);
  for (let index: u32 = 1; index < ROWS; index++) {
    const row = rowAt(index);
    if (row.used < oldest.used) oldest = row;
  }
  return oldest;
}

// @ts-ignore: decorator
@inline
function isIdle(row: Row): bool {
  return clock - row.used > IDLE;
}

/** The distance between checkpoints, in bytes, that an object's share of the memory allows. */
function stepOf(size: u64): u64 {
  let active: u32 = 0;
  for (let index: u32 = 0; index < ROWS; index++) {
    const row = rowAt(index);
    if (row.object && !isIdle(row)) active++;
  }
  const share = most / max<u32>(active, 1);
  return max<u64>(STEP_MIN, size / (max<u32>(share, 1) + 1) + 1);
}

/** Makes room for one checkpoint more. @returns whether there is */
function makeRoom(): bool {
  for (let index: u32 = 0; index < ROWS && total >= most; index++) {
    const row = rowAt(index);
    if (row.count && isIdle(row)) clear(row);
  }
  for (let index: u32 = 0; index < ROWS && total >= most; index++) {
    const row = rowAt(index);
    thin(row, stepOf(row.size));
  }
  return total < most;
}

/** The last checkpoint of a row at or before a position, or null. */
function lastUpTo(row: Row, position: u64): Checkpoint | null {
  let found: Checkpoint | null = null;
  let at = row.first;
  while (at && changetype<Checkpoint>(at).position <= position) {
    found = changetype<Checkpoint>(at);
    at = changetype<Checkpoint>(at).next;
  }
  return found;
}

/** Notes that an object is read. Its checkpoints then stay longer than those of objects that are not read. */
export function checkpointsUse(object: u64, size: u64): void {
  let row = rowOf(object);
  if (row == null) {
    row = oldestRow();
    clear(row);
    row.object = object;
    row.size = size;
  }
  row.used = ++clock;
}

/** Forgets an object's checkpoints, because its bytes have changed. */
export function checkpointsDrop(object: u64): void {
  const row = rowOf(object);
  if (row != null) clear(row);
}

/** The last checkpoint of an object at or before a position; null if there is none. */
export function checkpointBefore(object: u64, position: u64): Checkpoint | null {
  const row = rowOf(object);
  return row == null ? null : lastUpTo(row, position);
}

/** The place of an object's first checkpoint behind a position, or its size. */
export function checkpointAfter(object: u64, position: u64, size: u64): u64 {
  const row = rowOf(object);
  if (row == null) return size;
  const before = lastUpTo(row, position);
  const next = before == null ? row.first : before.next;
  return next ? changetype<Checkpoint>(next).position : size;
}

/**
 * Keeps the place of a stream if it is far enough from other checkpoints. The stream's last run answered NEED_OUTPUT,
 * and the 32 KiB that it has inflated last are before its output.
 * @param note see `Checkpoint`
 */
export function checkpointAdd(object: u64, stream: Stream, note: u32): void {
  const row = rowOf(object);
  if (row == null) return;
  const state = stream.inflate;
  const position = state.totalOut;
  const step = stepOf(row.size);
  const before = lastUpTo(row, position);
  if (position - (before == null ? 0 : before.position) < step) return;
  const next = before == null ? row.first : before.next;
  if (next && changetype<Checkpoint>(next).position - position < step) return;
  if (!makeRoom()) return;
  const checkpoint = changetype<Checkpoint>(cacheAlloc(CHECKPOINT));
  if (!changetype<usize>(checkpoint)) return;
  memory.copy(changetype<usize>(checkpoint.stream), changetype<usize>(stream), STREAM_KEPT);
  memory.copy(checkpoint.history, state.output - HISTORY, HISTORY);
  checkpoint.note = note;
  // Making room may have freed the one before.
  const last = lastUpTo(row, position);
  const place = last == null ? changetype<usize>(row) + offsetof<Row>("first") : changetype<usize>(last);
  checkpoint.next = load<usize>(place);
  store<usize>(place, changetype<usize>(checkpoint));
  row.count++;
  total++;
}

/**
 * Whether a stream agrees with a checkpoint. At the checkpoint's place it must have taken as many bits as the
 * checkpoint's stream, and its bytes must have the Adler-32 that is kept there. Elsewhere it agrees.
 */
export function checkpointAgrees(object: u64, state: Inflate): bool {
  const checkpoint = checkpointBefore(object, state.totalOut);
  if (checkpoint == null || checkpoint.position != state.totalOut) return true;
  const other = checkpoint.stream.inflate;
  return (
    (state.totalIn << 3) - state.bitCount == (other.totalIn << 3) - other.bitCount && state.adler == other.adler
  );
}
