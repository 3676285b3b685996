/**
 * Makes deltas (gitformat-pack, "Deltified representation"): a scan of the target that takes the copies that pay best
 * of those that the base's index leads to.
 *
 * Work is bounded for any input: a look-up tries `looksMax` places at the most, and a byte that was compared for
 * nothing lies inside the copy that is then taken, or within a constant distance of it.
 */
import {
  base,
  baseEnd,
  entries,
  hash,
  nearestEntries,
  openIndex,
  SLOT_MASK,
  sameWord,
  startOf,
  step,
  tagOf,
  word,
} from "./base-index";
import { aheadMax, looksMax, searchToMake, searchToMeasure } from "./effort";
import { deflatedLen } from "./estimate";

export { deltaIndex, deltaIndexFree } from "./base-index";

/** A longer target is measured by samples: `DELTA_MEASURED_LEN` bytes in all, in parts of `PART_LEN`. */
export const DELTA_MEASURED_LEN: u32 = 256 << 10;
const PART_LEN: u32 = 16 << 10;
/** A copy of that length is taken without looking for a longer one. */
const NICE_LEN: u32 = 512;
/** A shorter copy than this is weighed against those that begin at the next bytes. */
const LAZY_LEN: u32 = 96;
/** The longest copy of one instruction: git's own never are longer, and no reader refuses it. */
const COPY_LEN_MAX: u32 = 0x10000;
/** The most literal bytes of one instruction. */
const INSERT_LEN_MAX: u32 = 127;
/** Fractions of a byte in which gains are counted. */
const UNIT: i32 = 16;
/** Targets up to that length, and that one, for `rateOf`. */
const RATE_SMALL: u32 = 1 << 15;
const RATE_MIDDLE: u32 = 1 << 19;
/**
 * Bytes passed by at once where nothing was found for long, and bytes for each one more. With the one that is looked at
 * they make an odd number: a stride that has a factor in common with the index's step could miss all of its slots.
 */
const SKIP_MAX: usize = 14;
const SKIP_EVERY: usize = 32;
/**
 * What a delta that is only measured does without: looking far where nothing was found, looking for copies that begin a
 * little later, and looking for others than the one that goes on with the last, from a length on. That takes half the
 * time, and the bases that are then chosen make the deltas a quarter of a per cent longer.
 */
const MEASURE_SKIP_MAX: usize = 30;
const MEASURE_SKIP_EVERY: usize = 2;
const MEASURE_NICE_LEN: usize = 32;
/** Entries tried and words compared since the module was instantiated, for tests of how work grows. */
export let deltaSteps: u64 = 0;

/** The target's end, and what one of its bytes costs when it is inserted, in units. */
let targetEnd: usize = 0;
let rate: i32 = 0;

/** Whether a delta is only measured, and quickly. */
let isMeasured: bool = false;
/** Whether a target is measured by samples: too few bytes to pass any by. */
let isSampled: bool = false;
/** The distance from a place in the target to its like in the base, if the last copy goes on. */
let along: isize = 0;

/** The best copy found: of `matchFrom` in the base to `matchStart` up to `matchEnd` in the target. */
let matchStart: usize = 0;
let matchEnd: usize = 0;
let matchFrom: usize = 0;
/** Units that the copy saves against inserting. */
let matchGain: i32 = 0;

/** The next instruction's address, and the end of the room. */
let out: usize = 0;
let outEnd: usize = 0;

/** The cost of an inserted byte in the deflated delta, in units: long deltas are deflated better. */
function rateOf(targetLen: u32): i32 {
  return targetLen < RATE_SMALL ? 12 : targetLen < RATE_MIDDLE ? 8 : 6;
}

/** How many of `len` bytes are the same from `a` and from `b` on. */
function commonAfter(a: usize, b: usize, len: u32): u32 {
  let at: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    while (at + 16 <= len) {
      const same = i8x16.bitmask(i8x16.eq(v128.load(a + at), v128.load(b + at)));
      if (same != 0xffff) return at + <u32>ctz(~same);
      at += 16;
    }
  }
  while (at + 8 <= len) {
    const differ = load<u64>(a + at) ^ load<u64>(b + at);
    if (differ) return at + <u32>(ctz(differ) >> 3);
    at += 8;
  }
  while (at < len && load<u8>(a + at) == load<u8>(b + at)) at++;
  return at;
}

/** How many of `len` bytes are the same before `a` and before `b`. */
function commonBefore(a: usize, b: usize, len: u32): u32 {
  let at: u32 = 0;
  while (at + 8 <= len) {
    const differ = load<u64>(a - at - 8) ^ load<u64>(b - at - 8);
    if (differ) return at + <u32>(clz(differ) >> 3);
    at += 8;
  }
  while (at < len && load<u8>(a - at - 1) == load<u8>(b - at - 1)) at++;
  return at;
}

/** Bytes of a number that are not zero: those that a copy writes. */
// @ts-ignore: decorator
@inline
function byteCount(value: u32): i32 {
  return (
    i32((value & 0xff) != 0) +
    i32((value & 0xff00) != 0) +
    i32((value & 0xff0000) != 0) +
    i32((value & 0xff000000) != 0)
  );
}

/** The units that a copy saves against inserting its bytes, less its instruction and that of the literals behind. */
// @ts-ignore: decorator
@inline
function gainOf(len: u32, offset: u32): i32 {
  const rest = len & (COPY_LEN_MAX - 1);
  const opLen = 2 + byteCount(offset) + byteCount(rest) + <i32>(len >> 16) * 5;
  return <i32>len * rate - opLen * UNIT;
}

/** Extends equal bytes at `ptr` and `from` both ways, back as far as `lit`, and keeps the copy if it is the best. */
function weigh(ptr: usize, from: usize, lit: usize): void {
  const ahead = commonAfter(ptr, from, <u32>min(targetEnd - ptr, baseEnd - from));
  const back = commonBefore(ptr, from, <u32>min(ptr - lit, from - base));
  deltaSteps += (ahead + back) >> 3;
  const gain = gainOf(ahead + back, <u32>(from - back - base));
  if (gain <= matchGain) return;
  matchGain = gain;
  matchStart = ptr - back;
  matchEnd = ptr + ahead;
  matchFrom = from - back;
}

/** Looks for copies that take in the word at `ptr` and are better than the best so far. */
function lookUp(ptr: usize, lit: usize): void {
  const mixed = hash(ptr);
  const start = startOf(mixed);
  let entry = load<u32>(start);
  let last = load<u32>(start, 4);
  if (entry == last) return;
  if (last - entry > looksMax) {
    // Of too many entries, those about the place at which the last copy would go on.
    entry = nearestEntries(entry, last, <isize>(ptr + along - base), looksMax);
    last = entry + looksMax;
  }
  deltaSteps += last - entry;
  const tag = tagOf(mixed);
  for (let at = entries + (entry << 2), end = entries + (last << 2); at < end; at += 4) {
    const found = load<u32>(at);
    if ((found & ~SLOT_MASK) != tag) continue;
    const from = base + (found & SLOT_MASK) * step;
    if (ptr - from == matchStart - matchFrom || !sameWord(from, ptr)) continue;
    weigh(ptr, from, lit);
    if (matchEnd > ptr + NICE_LEN) return;
  }
}

/** Writes a size as the delta's head has it: 7 bits a byte, the least significant first. */
function putSize(size: u32): void {
  while (size > 127) {
    store<u8>(out++, <u8>(size | 0x80));
    size >>= 7;
  }
  store<u8>(out++, <u8>size);
}

/** Inserts the target's bytes from `ptr` to `end`. False where there is no room. */
function putLiterals(ptr: usize, end: usize): bool {
  const len = end - ptr;
  if (len + (len + INSERT_LEN_MAX - 1) / INSERT_LEN_MAX > outEnd - out) return false;
  while (ptr < end) {
    const part = min<usize>(end - ptr, INSERT_LEN_MAX);
    store<u8>(out++, <u8>part);
    memory.copy(out, ptr, part);
    out += part;
    ptr += part;
  }
  return true;
}

/** Writes a byte of a copy's operands unless it is zero, and returns the bit that says so. */
// @ts-ignore: decorator
@inline
function putByte(byte: u32, bit: u32): u32 {
  store<u8>(out, <u8>byte);
  out += usize(byte != 0);
  return byte ? bit : 0;
}

/** Copies `len` bytes from `offset` of the base. False where there is no room. */
function putCopy(offset: u32, len: u32): bool {
  while (len) {
    // An instruction takes 7 bytes at the most, and the last operand is stored before it is known to count.
    if (outEnd - out < 8) return false;
    const part = min<u32>(len, COPY_LEN_MAX);
    const at = out++;
    let op: u32 = 0x80;
    op |= putByte(offset & 0xff, 1);
    op |= putByte((offset >> 8) & 0xff, 2);
    op |= putByte((offset >> 16) & 0xff, 4);
    op |= putByte(offset >> 24, 8);
    if (part != COPY_LEN_MAX) {
      op |= putByte(part & 0xff, 16);
      op |= putByte(part >> 8, 32);
    }
    store<u8>(at, <u8>op);
    offset += part;
    len -= part;
  }
  return true;
}

/** Room that the two sizes at a delta's head may take, and a copy beyond its own bytes. */
const SLACK: usize = 12;

/**
 * Encodes a target as a delta of the indexed base.
 * @param index of `deltaIndex`
 * @param target `targetLen` bytes
 * @param to room for `toLen` bytes, apart from base and target
 * @returns the delta's length, or 0 where it may not fit, the room then holding whatever was written so far, and for
 *   an empty target, whose delta would be shorter than git applies
 */
export function deltaEncode(index: usize, target: usize, targetLen: u32, to: usize, toLen: u32): u32 {
  isMeasured = false;
  searchToMake();
  return encode(index, target, targetLen, to, toLen);
}

function encode(index: usize, target: usize, targetLen: u32, to: usize, toLen: u32): u32 {
  if (toLen < SLACK) return 0;
  openIndex(index);
  out = to;
  outEnd = to + toLen;
  rate = rateOf(targetLen);
  targetEnd = target + targetLen;
  along = <isize>base - <isize>target;
  putSize(load<u32>(index, 4));
  putSize(targetLen);
  return targetLen && scan(target) ? <u32>(out - to) : 0;
}

/**
 * Estimates what a target takes as a delta of the indexed base, deflated: of a target longer than
 * `DELTA_MEASURED_LEN` by parts of that length in all.
 * @param index of `deltaIndex`
 * @param room `roomLen` bytes to work in: a delta that does not fit is worth nothing, so that this is best `targetLen` or
 *   less; more than `DELTA_MEASURED_LEN` is not used of a longer target's
 * @returns bytes, those of zlib's frame included; `u32.MAX_VALUE` where it is worth nothing
 */
export function deltaMeasure(index: usize, target: usize, targetLen: u32, room: usize, roomLen: u32): u32 {
  isMeasured = searchToMeasure();
  isSampled = targetLen > DELTA_MEASURED_LEN;
  if (!isSampled) {
    const len = encode(index, target, targetLen, room, roomLen);
    return len ? deflatedLen(room, len) : u32.MAX_VALUE;
  }
  openIndex(index);
  rate = rateOf(targetLen);
  out = room;
  outEnd = room + min(roomLen, DELTA_MEASURED_LEN);
  const parts = DELTA_MEASURED_LEN / PART_LEN;
  const stride = (targetLen - PART_LEN) / (parts - 1);
  for (let part: u32 = 0; part < parts; part++) {
    const start = target + part * stride;
    targetEnd = start + PART_LEN;
    along = <isize>base + <isize>(part * stride) - <isize>start;
    if (!scan(start)) return u32.MAX_VALUE;
  }
  const len = deflatedLen(room, <u32>(out - room));
  return <u32>(<u64>len * targetLen / DELTA_MEASURED_LEN);
}

/** Writes the instructions for the target from `ptr` on. False where there is no room. */
function scan(ptr: usize): bool {
  const isSkimmed = isMeasured && !isSampled;
  const skipEvery = isSkimmed ? MEASURE_SKIP_EVERY : SKIP_EVERY;
  const skipMax = isSkimmed ? MEASURE_SKIP_MAX : SKIP_MAX;
  const niceLen: usize = isMeasured ? MEASURE_NICE_LEN : NICE_LEN;
  let lit = ptr;
  while (ptr + word <= targetEnd) {
    matchGain = 0;
    // The end, too: that of an earlier target, which may lie behind this one, would pass for a long copy's.
    matchStart = matchEnd = matchFrom = 0;
    const beside = <usize>(<isize>ptr + along);
    if (beside >= base && beside + word <= baseEnd && load<u32>(beside) == load<u32>(ptr))
      weigh(ptr, beside, lit);
    if (matchGain == 0 || matchEnd - matchStart < niceLen) lookUp(ptr, lit);
    if (matchGain == 0) {
      // Nothing was found for long, so little is expected here. A match that is found late is extended back.
      ptr += 1 + min<usize>((ptr - lit) / skipEvery, skipMax);
      // Inserted bytes take at least their own length.
      if (ptr - lit > outEnd - out) return false;
      continue;
    }
    if (!isMeasured) lookAhead(ptr, lit);
    if (!putLiterals(lit, matchStart)) return false;
    if (!putCopy(<u32>(matchFrom - base), <u32>(matchEnd - matchStart))) return false;
    lit = ptr = matchEnd;
    along = <isize>matchFrom + <isize>(matchEnd - matchStart) - <isize>matchEnd;
  }
  return putLiterals(lit, targetEnd);
}

/** A copy that begins a little later may be worth more than the one that was found at `ptr`. */
function lookAhead(ptr: usize, lit: usize): void {
  const reach = min<u32>(step, aheadMax) + 1;
  let last = ptr + reach;
  while (ptr < last && matchEnd - matchStart < LAZY_LEN) {
    ptr++;
    if (ptr + word > targetEnd || ptr >= matchEnd) return;
    const gain = matchGain;
    lookUp(ptr, lit);
    if (matchGain != gain) last = ptr + reach;
  }
}
