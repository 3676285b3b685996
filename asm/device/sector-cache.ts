/**
 * The sector cache: the only place that reads the device. It keeps lines of the device in linear memory,
 * evicts by CLOCK, and reads through one buffer of 64 KiB where many lines, or a long stream, are wanted at
 * once. Where the device's blocks are larger than a line, all reads go through the buffer, which holds a block at least.
 *
 * A device may answer AGAIN. The operation then unwinds to the host and runs again from its last step, so
 * whatever that step has touched is pinned until the step is done and calls `blockRelease`: it finds these
 * lines again and gets further each time, even with the smallest cache. Each operation has pins of its own, fewer
 * than its share of the lines, so that there is always a line that none pins.
 *
 *     a slot, 16 bytes:      │ tag u32: line + 1, 0 free │ next u32: slot + 1 in the hash chain │ pins u32: a bit an operation │ used u32 │
 *     pins of an operation:  │ count u32 │ slot u32 × PINS_MAX │
 */
import { block_read } from "./hypercall";
import { OPERATIONS } from "../base/features";
import { heapAlloc } from "../base/heap";
import { Status } from "../base/status";

const SLOT: u32 = 16;
const LINE_SHIFT_MIN: u32 = 11;
const LINE_SHIFT_MAX: u32 = 12;
/** The largest block: 1 GiB. */
const BLOCK_MAX: u64 = 0x40000000;
/** Lines for each operation: more than one step of any touches. */
const LINES_MIN: u32 = 64;
/** Lines that an operation pins at the most. */
const PINS_MAX: u32 = 60;
const PINS: u32 = 4 + 4 * PINS_MAX;
/** Bytes of the buffer, unless the device's blocks are larger. */
export const BUFFER_LEN: u32 = 0x10000;
/**
 * Lines that are read at once where the cache has room for the whole device, since calls of the host cost more than bytes;
 * and misses before it does: mounting and a first look-up read what they need.
 */
const WHOLE_RUN: u32 = 8;
const WHOLE_MISSES: u32 = 16;
/** What is left of a stream must be this long for it to bypass the lines. */
const STREAM_MIN: u64 = 0x8000;
const PEEK_MAX: u32 = 64;
const NONE: u32 = 0xffffffff;

let handle: u64 = 0;
/** The device has answered AGAIN: what is asked for together comes together. */
let isSlow: bool = false;
let capacity: u64 = 0;
let blockSize: u32 = 512;
/** Lines in a block, less one; 0 where a line holds a block or more. */
let blockMask: u32 = 0;

let lineShift: u32 = LINE_SHIFT_MIN;
let lineCount: u32 = 0;
let hashMask: u32 = 0;
let slots: usize = 0;
let heads: usize = 0;
let lines: usize = 0;
let hand: u32 = 0;

/** Pins of all operations; and, of the one that runs, its pins and their bit. */
const allPins: usize = memory.data(PINS * OPERATIONS, 8);
let pins: usize = allPins;
let pinBit: u32 = 1;

let lastLine: u32 = NONE;
let lastPtr: usize = 0;

let buffer: usize = 0;
let bufferSize: u32 = 0;
let bufferOffset: u64 = 0;
let bufferLen: u32 = 0;

const scratch: usize = memory.data(64, 16);

/** Bytes that are valid from the pointer that `blockWindow` returned last. */
export let blockLen: u32 = 0;
/** Why the last call failed. */
export let blockStatus: i32 = Status.OK;

/** Hypercalls made, and bytes that they read. */
export let blockReads: u64 = 0;
export let blockBytes: u64 = 0;
/** Lines found in the cache, and not. */
export let blockHits: u64 = 0;
export let blockMisses: u64 = 0;

/**
 * Attaches the device and takes memory for the cache.
 * @param cacheLen bytes for the lines, at the most; never fewer than 64 lines
 */
export function blockAttach(
  deviceHandle: u64,
  deviceCapacity: u64,
  deviceBlockSize: u64,
  cacheLen: u32,
): i32 {
  if (deviceBlockSize < 512 || deviceBlockSize > BLOCK_MAX) return Status.EINVAL;
  if ((deviceBlockSize & (deviceBlockSize - 1)) != 0) return Status.EINVAL;
  if (deviceCapacity == 0 || (deviceCapacity & (deviceBlockSize - 1)) != 0) return Status.EINVAL;
  handle = deviceHandle;
  capacity = deviceCapacity;
  blockSize = <u32>deviceBlockSize;
  const blockShift = <u32>ctz(blockSize);
  lineShift = min<u32>(max<u32>(LINE_SHIFT_MIN, blockShift), LINE_SHIFT_MAX);
  blockMask = blockShift > lineShift ? (1 << (blockShift - lineShift)) - 1 : 0;
  if (capacity >> lineShift >= NONE - 1) return Status.EINVAL;
  // No more lines than the device has, so that a small image takes little memory.
  lineCount = max<u32>(<u32>min<u64>(cacheLen >> lineShift, (capacity >> lineShift) + 1), LINES_MIN);
  const buckets = <u32>1 << (32 - clz(lineCount - 1));
  hashMask = buckets - 1;
  bufferSize = max<u32>(BUFFER_LEN, blockSize);

  slots = heapAlloc(lineCount * SLOT);
  heads = heapAlloc(buckets << 2);
  lines = heapAlloc(<usize>lineCount << lineShift);
  buffer = heapAlloc(bufferSize + 16);
  if (!slots || !heads || !lines || !buffer) return Status.OUT_OF_MEMORY;
  blockForget();
  hand = 0;
  memory.fill(allPins, 0, PINS * OPERATIONS);
  blockReads = blockBytes = blockHits = blockMisses = 0;
  isSlow = false;
  return Status.OK;
}

/** Whether there is a line for all that the device has: none is ever evicted. */
function isWhole(): bool {
  return capacity >> lineShift < lineCount;
}

/** Operations that may be under way at once, so that each has lines to pin. */
export function blockOperations(): u32 {
  return isWhole() ? OPERATIONS : min<u32>(lineCount / LINES_MIN, OPERATIONS);
}

/** Goes on with an operation. @param number from 1 to `OPERATIONS` */
export function blockUse(number: u32): void {
  pins = allPins + (number - 1) * PINS;
  pinBit = 1 << (number - 1);
  lastLine = NONE;
}

/** Whether it helps to ask for bytes before they are needed. */
export function blockIsSlow(): bool {
  return isSlow;
}

/** Empties the cache: what was found damaged, or too large, may be sound when the device is asked again. */
export function blockForget(): void {
  memory.fill(slots, 0, lineCount * SLOT);
  memory.fill(heads, 0, (hashMask + 1) << 2);
  lastLine = NONE;
  bufferLen = 0;
}

/** Ends a step of the operation: what it touched may be evicted, and pointers into the cache are stale. */
export function blockRelease(): void {
  const end = pins + (load<u32>(pins) << 2);
  for (let at = pins; at < end; at += 4) {
    const slot = slotPtr(load<u32>(at, 4));
    store<u32>(slot, load<u32>(slot, 8) & ~pinBit, 8);
  }
  store<u32>(pins, 0);
  lastLine = NONE;
}

/** Pins a slot for the operation until its step ends. */
function pin(index: u32): void {
  const slot = slotPtr(index);
  const bits = load<u32>(slot, 8);
  const count = load<u32>(pins);
  if (bits & pinBit || count == PINS_MAX) return;
  store<u32>(slot, bits | pinBit, 8);
  store<u32>(pins + (count << 2), index, 4);
  store<u32>(pins, count + 1);
}

/** The device's size in bytes. */
export function blockCapacity(): u64 {
  return capacity;
}

// @ts-ignore: decorator
@inline
function bucketOf(line: u32): usize {
  return heads + ((((line * 0x9e3779b1) >> 8) & hashMask) << 2);
}

// @ts-ignore: decorator
@inline
function slotPtr(index: u32): usize {
  return slots + index * SLOT;
}

// @ts-ignore: decorator
@inline
function linePtr(index: u32): usize {
  return lines + (<usize>index << lineShift);
}

function lineLen(line: u32): u32 {
  const start = <u64>line << lineShift;
  return <u32>min<u64>(<u64>1 << lineShift, capacity - start);
}

/** The slot that holds a line, or `NONE`. */
function findSlot(line: u32): u32 {
  let index = load<u32>(bucketOf(line));
  while (index) {
    const slot = slotPtr(index - 1);
    if (load<u32>(slot) == line + 1) return index - 1;
    index = load<u32>(slot, 4);
  }
  return NONE;
}

function forget(index: u32): void {
  const slot = slotPtr(index);
  const tag = load<u32>(slot);
  if (!tag) return;
  if (tag - 1 == lastLine) lastLine = NONE;
  let at = bucketOf(tag - 1);
  while (load<u32>(at) != index + 1) at = slotPtr(load<u32>(at) - 1) + 4;
  store<u32>(at, load<u32>(slot, 4));
  store<u32>(slot, 0);
}

/** Frees a slot by CLOCK. There is always one that no operation pins. */
function victim(): u32 {
  while (true) {
    const index = hand;
    hand = hand + 1 == lineCount ? 0 : hand + 1;
    const slot = slotPtr(index);
    if (!load<u32>(slot)) return index;
    if (load<u32>(slot, 8)) continue;
    if (load<u32>(slot, 12)) {
      store<u32>(slot, 0, 12);
      continue;
    }
    forget(index);
    return index;
  }
}

function remember(index: u32, line: u32): void {
  const slot = slotPtr(index);
  const bucket = bucketOf(line);
  store<u32>(slot, line + 1);
  store<u32>(slot, load<u32>(bucket), 4);
  store<u32>(slot, 0, 8);
  store<u32>(slot, 0, 12);
  store<u32>(bucket, index + 1);
}

function readDevice(offset: u64, target: usize, len: u32): i32 {
  blockReads++;
  const result = block_read(handle, offset, target, len);
  if (result == Status.OK) blockBytes += len;
  else if (result == Status.AGAIN) isSlow = true;
  else if (result != Status.EINVAL) return Status.EUNSPEC;
  return result;
}

/**
 * How many lines from `line` on, `count` at the most, can be read with one hypercall: none of them is cached.
 */
function missingRun(line: u32, count: u32): u32 {
  const end = <u32>((capacity - 1) >> lineShift) + 1;
  const room = (bufferSize >> lineShift) - (line & blockMask);
  count = min<u32>(min<u32>(count, end - line), min<u32>(lineCount >> 2, room));
  let run: u32 = 1;
  while (run < count && findSlot(line + run) == NONE) run++;
  return run;
}

/** Fills the buffer with the blocks of `run` lines, unless it holds these lines. */
function fillBuffer(line: u32, run: u32): i32 {
  const start = <u64>line << lineShift;
  const len = min<u64>(<u64>run << lineShift, capacity - start);
  if (start >= bufferOffset && start + len <= bufferOffset + bufferLen) return Status.OK;
  const first = line & ~blockMask;
  const from = <u64>first << lineShift;
  const lines = (line - first + run + blockMask) & ~blockMask;
  const wanted = <u32>min<u64>(<u64>lines << lineShift, capacity - from);
  bufferLen = 0;
  const status = readDevice(from, buffer, wanted);
  if (status != Status.OK) return status;
  bufferOffset = from;
  bufferLen = wanted;
  return status;
}

/** Reads `run` lines by way of the buffer and caches them. The first is pinned where it is wanted at once. */
function fetchRun(line: u32, run: u32, isWanted: bool): i32 {
  const status = fillBuffer(line, run);
  if (status != Status.OK) return status;
  const source = buffer + <usize>((<u64>line << lineShift) - bufferOffset);
  for (let i: u32 = 0; i < run; i++) {
    const index = victim();
    memory.copy(linePtr(index), source + (<usize>i << lineShift), lineLen(line + i));
    remember(index, line + i);
    if (isWanted && !i) pin(index);
  }
  return Status.OK;
}

/** Reads one line straight into a slot. */
function fetchLine(line: u32): i32 {
  const index = victim();
  const status = readDevice(<u64>line << lineShift, linePtr(index), lineLen(line));
  if (status == Status.OK) remember(index, line);
  else hand = index;
  return status;
}

/** Makes a line the last one, reading it and up to `count` lines ahead where it is missing. */
function acquire(line: u32, count: u32): bool {
  let index = findSlot(line);
  if (index == NONE) {
    blockMisses++;
    const run = missingRun(line, blockMisses > WHOLE_MISSES && isWhole() && !isSlow ? max<u32>(count, WHOLE_RUN) : count);
    blockStatus = run == 1 && !blockMask ? fetchLine(line) : fetchRun(line, run, true);
    if (blockStatus != Status.OK) return false;
    index = findSlot(line);
  } else {
    blockHits++;
  }
  pin(index);
  store<u32>(slotPtr(index), 1, 12);
  lastLine = line;
  lastPtr = linePtr(index);
  return true;
}

function locate(offset: u64, want: u64): usize {
  if (offset >= capacity) {
    blockStatus = Status.TRUNCATED;
    return 0;
  }
  const line = <u32>(offset >> lineShift);
  const within = <u32>offset & ((1 << lineShift) - 1);
  if (line != lastLine) {
    const count = <u32>min<u64>((within + want + (1 << lineShift) - 1) >> lineShift, 0xffff);
    if (!acquire(line, max<u32>(count, 1))) return 0;
  }
  blockLen = lineLen(line) - within;
  return lastPtr + within;
}

/**
 * A few bytes in one piece, wherever the lines' borders lie.
 * @param len bytes, at most 64
 * @returns a pointer that is valid until the next call; 0 with `blockStatus` set
 */
export function blockPeek(offset: u64, len: u32): usize {
  if (offset - bufferOffset < bufferLen && offset - bufferOffset + len <= bufferLen) {
    return buffer + <u32>(offset - bufferOffset);
  }
  const ptr = locate(offset, len);
  if (!ptr || blockLen >= len) return ptr;
  if (len > PEEK_MAX || offset + len > capacity) {
    blockStatus = Status.TRUNCATED;
    return 0;
  }
  const head = blockLen;
  memory.copy(scratch, ptr, head);
  const rest = locate(offset + head, len - head);
  if (!rest) return 0;
  memory.copy(scratch + head, rest, len - head);
  return scratch;
}

/** Copies bytes out, however many. @returns OK, TRUNCATED, or the device's status */
export function blockCopy(offset: u64, target: usize, len: u32): i32 {
  while (len) {
    const ptr = locate(offset, len);
    if (!ptr) return blockStatus;
    const count = min<u32>(blockLen, len);
    memory.copy(target, ptr, count);
    offset += count;
    target += count;
    len -= count;
  }
  return Status.OK;
}

/**
 * The next piece of a sequential read.
 * @param want bytes that the caller expects to read from there on: as many are read ahead
 * @returns a pointer to `blockLen` bytes, valid until the next call of this module; 0 with `blockStatus` set
 */
export function blockWindow(offset: u64, want: u64): usize {
  if (offset - bufferOffset < bufferLen) {
    const within = <u32>(offset - bufferOffset);
    blockLen = bufferLen - within;
    return buffer + within;
  }
  if (want < STREAM_MIN || offset >= capacity) return locate(offset, want);
  const line = <u32>(offset >> lineShift);
  if (findSlot(line) != NONE) return locate(offset, 1);
  const start = offset & ~(<u64>blockSize - 1);
  const wanted = (offset - start + want + blockSize - 1) & ~(<u64>blockSize - 1);
  const len = <u32>min<u64>(min<u64>(bufferSize, wanted), capacity - start);
  bufferLen = 0;
  blockMisses++;
  blockStatus = readDevice(start, buffer, len);
  if (blockStatus != Status.OK) return 0;
  bufferOffset = start;
  bufferLen = len;
  blockLen = len - <u32>(offset - start);
  return buffer + <u32>(offset - start);
}

/**
 * Asks for bytes that are sure to be needed, while the operation is about to unwind with AGAIN, so that they
 * come in the same round trip. What is here already is kept.
 */
export function blockRequest(offset: u64, len: u64): void {
  if (offset >= capacity || len == 0) return;
  const end = <u32>((min<u64>(offset + len, capacity) - 1) >> lineShift) + 1;
  let line = <u32>(offset >> lineShift);
  const stop = min<u32>(end, line + (lineCount >> 2));
  while (line < stop) {
    if (findSlot(line) != NONE) {
      line++;
      continue;
    }
    const run = missingRun(line, stop - line);
    fetchRun(line, run, false);
    line += run;
  }
}
