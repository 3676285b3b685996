/**
 * Deltas (gitformat-pack, "Deltified representation"): the two sizes, then copies from the base and
 * insertions.
 */
import { Status } from "../base/status";

/** Bytes that copies may read past a base's end and write past a result's: callers allocate them. */
export const DELTA_SLACK: u32 = 32;
/** Bytes that a copy reads and writes at a time. */
const STEP: u32 = 32;
if (STEP > DELTA_SLACK) ERROR("a copy writes past what callers leave free");
/** From this length on `memory.copy` is faster than copying 32 bytes at a time. */
const BULK_MIN: u32 = 256;

/** The sizes that `deltaHeader` has read, in bytes. */
export let deltaBaseSize: u64 = 0;
export let deltaResultSize: u64 = 0;
/** The address of the first instruction. */
export let deltaBody: usize = 0;

/** The shortest delta that git applies (`DELTA_SIZE_MIN` of its delta.h). */
const DELTA_MIN: usize = 4;

/**
 * Reads the two sizes at a delta's head, as git's `patch_delta` does: sizes may be written in more bytes than they
 * need, and the last one may be cut off by the delta's end.
 * @param end behind the bytes that are there. Of a longer delta 20 bytes are enough, unless `deltaBody` is then `end`
 * @returns OK or BAD_DELTA
 */
export function deltaHeader(ptr: usize, end: usize): i32 {
  if (end - ptr < DELTA_MIN) return Status.BAD_DELTA;
  ptr = readSize(ptr, end);
  if (!ptr) return Status.BAD_DELTA;
  deltaBaseSize = sizeRead;
  ptr = readSize(ptr, end);
  if (!ptr) return Status.BAD_DELTA;
  deltaResultSize = sizeRead;
  deltaBody = ptr;
  return Status.OK;
}

let sizeRead: u64 = 0;

/** 7 bits a byte, the least significant first; beyond 63 bits only zeros. @returns the end, or 0 */
function readSize(ptr: usize, end: usize): usize {
  if (ptr == end) return 0;
  let size: u64 = 0;
  let shift: u32 = 0;
  let byte: u64 = 0;
  do {
    byte = load<u8>(ptr++);
    if (shift < 63) size |= (byte & 0x7f) << shift;
    else if (byte & 0x7f) return 0;
    shift += 7;
  } while (byte & 0x80 && ptr < end);
  sizeRead = size;
  return ptr;
}

/** Copies `len` bytes, `STEP` at a time: reads and writes up to `STEP` - 1 bytes more. */
// @ts-ignore: decorator
@inline
function copySlack(target: usize, source: usize, len: u32): void {
  if (len >= BULK_MIN) {
    memory.copy(target, source, len);
    return;
  }
  const end = target + len;
  do {
    if (ASC_FEATURE_SIMD) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 16);
    } else {
      store<u64>(target, load<u64>(source));
      store<u64>(target, load<u64>(source, 8), 8);
      store<u64>(target, load<u64>(source, 16), 16);
      store<u64>(target, load<u64>(source, 24), 24);
    }
    target += STEP;
    source += STEP;
  } while (target < end);
}

/** The instruction that `deltaNext` has read: whether it copies, and bytes of the result. */
export let opCopies: bool = false;
export let opLen: u32 = 0;
/** A copy's offset in the base; an insertion's bytes. */
export let opOffset: u32 = 0;
export let opBytes: usize = 0;
/** The next instruction. */
export let opNext: usize = 0;

/** Reads the instruction at `ptr`, which lies before `end`. @returns OK or BAD_DELTA */
export function deltaNext(ptr: usize, end: usize): i32 {
  const op: u32 = load<u8>(ptr++);
  opCopies = (op & 0x80) != 0;
  if (!opCopies) {
    opLen = op;
    opBytes = ptr;
    opNext = ptr + op;
    return op == 0 || op > end - ptr ? Status.BAD_DELTA : Status.OK;
  }
  if (end - ptr < <usize>popcnt(op & 0x7f)) return Status.BAD_DELTA;
  let bytes: u64 = 0;
  for (let bit: u32 = 0; bit < 7; bit++) if ((op >> bit) & 1) bytes |= <u64>load<u8>(ptr++) << (bit << 3);
  opOffset = <u32>bytes;
  opLen = <u32>(bytes >> 32);
  if (opLen == 0) opLen = 0x10000;
  opNext = ptr;
  return Status.OK;
}

/**
 * Applies a delta's instructions. Every copy and insertion is checked against the base and the room left
 * before it is made.
 * @param delta the first instruction, `deltaBody`; `DELTA_SLACK` bytes must be readable behind `deltaEnd`
 * @param base `baseLen` bytes, `DELTA_SLACK` readable behind them
 * @param out room for `outLen` bytes and `DELTA_SLACK` more
 * @returns OK, BAD_DELTA, DELTA_COPY_RANGE or DELTA_RESULT_SIZE
 */
export function deltaApply(
  delta: usize,
  deltaEnd: usize,
  base: usize,
  baseLen: u32,
  out: usize,
  outLen: u32,
): i32 {
  const outEnd = out + outLen;
  while (delta < deltaEnd) {
    const op: u32 = load<u8>(delta++);
    if (op & 0x80) {
      // Which of the offset's four bytes and the size's three follow, bit by bit.
      if (deltaEnd - delta < <usize>popcnt(op & 0x7f)) return Status.BAD_DELTA;
      let offset: u32 = 0;
      let len: u32 = 0;
      if (op & 1) offset = load<u8>(delta++);
      if (op & 2) offset |= <u32>load<u8>(delta++) << 8;
      if (op & 4) offset |= <u32>load<u8>(delta++) << 16;
      if (op & 8) offset |= <u32>load<u8>(delta++) << 24;
      if (op & 16) len = load<u8>(delta++);
      if (op & 32) len |= <u32>load<u8>(delta++) << 8;
      if (op & 64) len |= <u32>load<u8>(delta++) << 16;
      if (len == 0) len = 0x10000;
      if (offset > baseLen || len > baseLen - offset) return Status.DELTA_COPY_RANGE;
      if (len > outEnd - out) return Status.DELTA_RESULT_SIZE;
      copySlack(out, base + offset, len);
      out += len;
    } else {
      if (op == 0) return Status.BAD_DELTA;
      if (op > deltaEnd - delta) return Status.BAD_DELTA;
      if (op > outEnd - out) return Status.DELTA_RESULT_SIZE;
      copySlack(out, delta, op);
      delta += op;
      out += op;
    }
  }
  return out == outEnd ? Status.OK : Status.DELTA_RESULT_SIZE;
}
