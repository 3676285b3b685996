/**
 * Estimates how long content is when it is deflated, at a fraction of the cost: a greedy parse with one candidate a
 * position, and the entropy of its symbols in place of Huffman codes (RFC 1951, section 3.2). Integers only, so that
 * every build and machine comes to the same.
 */

/** The longest match and distance of deflate. */
const MATCH_MAX: usize = 258;
const DISTANCE_MAX: u32 = 32768;
/** The shortest match that is looked for. */
const MATCH_MIN: usize = 4;
const HASH_BITS: u32 = 15;
/** zlib's header and checksum. */
const FRAME_LEN: u32 = 6;
/** Content up to this length is looked at whole, of longer content `SAMPLE_COUNT` parts. */
const SAMPLE_MIN: u32 = 192 << 10;
const SAMPLE_LEN: u32 = 64 << 10;
/** One part in so many, but always some. */
const SAMPLE_SHARE: u32 = 8;
/**
 * The gain of a thorough search over the greedy one: so many 256ths for each doubling of the length above `GAIN_MIN`,
 * as far as matches make up the content. Measured on texts, programs and trees.
 */
const GAIN_MIN: u32 = 512;
const GAIN_SHARE: u32 = 9;
const GAIN_OCTAVES: u32 = 9;
/** Bits of logarithms behind the point. */
const LOG_BITS: u32 = 8;

/** For each hash, the clock's time of a position. A time before the content at hand began is another content's. */
const places: usize = memory.data(4 << 15, 16);
/** The number of position 0. It grows from content to content, so that `places` need no clearing. */
let clock: u32 = DISTANCE_MAX + 1;

/** Counts of the literals and length symbols, and of the distance symbols. */
const LITERALS: u32 = 286;
const DISTANCES: u32 = 30;
const literalCounts: usize = memory.data(4 * 286, 16);
const distanceCounts: usize = memory.data(4 * 30, 16);
/** The symbol of each match length, less 257, and the extra bits of each such symbol. */
const lengthSymbols: usize = memory.data(259, 16);
const lengthExtra: usize = memory.data(29, 16);
/** Binary logarithms of 256 to 511, less 8. */
const logs: usize = memory.data(256, 16);
let isReady: bool = false;

/** Extra bits that lengths and distances of the parse take. */
let extraBits: u32 = 0;
/** Bytes that the parse's matches stand for. */
let matchedLen: u32 = 0;

function prepare(): void {
  isReady = true;
  let len: u32 = 3;
  for (let symbol: u32 = 0; symbol < 28; symbol++) {
    const extra: u32 = symbol < 8 ? 0 : (symbol >> 2) - 1;
    store<u8>(lengthExtra + symbol, <u8>extra);
    for (let end = len + (1 << extra); len < end; len++) store<u8>(lengthSymbols + len, <u8>symbol);
  }
  store<u8>(lengthSymbols + 258, 28);
  store<u8>(lengthExtra + 28, 0);
  for (let value: u32 = 0; value < 256; value++) store<u8>(logs + value, <u8>logFraction(256 + value));
}

/** The binary logarithm of `value` / 256, 1 to 2, in `LOG_BITS` bits: squared, it shows one bit more each time. */
function logFraction(value: u32): u32 {
  let square: u64 = <u64>value << 22;
  let bits: u32 = 0;
  for (let bit: u32 = 0; bit < LOG_BITS; bit++) {
    square = (square * square) >> 30;
    bits <<= 1;
    if (square >= (<u64>2 << 30)) {
      bits |= 1;
      square >>= 1;
    }
  }
  return bits;
}

/** A number's binary logarithm, in units of 2^-`LOG_BITS`. */
// @ts-ignore: decorator
@inline
function log2(value: u32): u32 {
  const whole = 31 - clz(value);
  const mantissa = whole >= 8 ? value >> (whole - 8) : value << (8 - whole);
  return (whole << LOG_BITS) + load<u8>(logs + (mantissa & 0xff));
}

// @ts-ignore: decorator
@inline
function count(counts: usize, symbol: u32): void {
  const at = counts + (symbol << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Counts the symbols of a greedy parse of `ptr` up to `end`. */
function parse(ptr: usize, end: usize): void {
  // The clock's time of address 0, so to say.
  const epoch = clock - <u32>ptr;
  const oldest = clock;
  let missed: u32 = 0;
  let extra: u32 = 0;
  let matched: u32 = 0;
  while (ptr + MATCH_MIN <= end) {
    const word = load<u32>(ptr);
    const place = places + ((word * 0x9e3779b1) >> (32 - HASH_BITS) << 2);
    const now = epoch + <u32>ptr;
    const then = load<u32>(place);
    store<u32>(place, now);
    if (then < oldest || now - then > DISTANCE_MAX || load<u32>(ptr - (now - then)) != word) {
      // Nothing has matched for long, so little is expected here.
      const skip = 1 + (missed++ >> 6);
      for (let last = min(ptr + skip, end); ptr < last; ptr++) count(literalCounts, load<u8>(ptr));
      continue;
    }
    missed = 0;
    const distance = now - then;
    const len = matchLen(ptr, ptr - distance, <u32>min(end - ptr, MATCH_MAX));
    const symbol: u32 = load<u8>(lengthSymbols + len);
    count(literalCounts, 257 + symbol);
    const log = distance > 4 ? 30 - clz(distance - 1) : 0;
    count(distanceCounts, distance > 4 ? (log << 1) + ((distance - 1) >> log) : distance - 1);
    extra += load<u8>(lengthExtra + symbol) + log;
    ptr += len;
    matched += len;
  }
  while (ptr < end) count(literalCounts, load<u8>(ptr++));
  extraBits += extra;
  matchedLen += matched;
}

function matchLen(a: usize, b: usize, most: u32): u32 {
  let len: u32 = 4;
  while (len + 8 <= most) {
    const differ = load<u64>(a + len) ^ load<u64>(b + len);
    if (differ) return len + <u32>(ctz(differ) >> 3);
    len += 8;
  }
  while (len < most && load<u8>(a + len) == load<u8>(b + len)) len++;
  return len;
}

/** Starts the counting anew; the end-of-block symbol is in every block. */
function resetCounts(): void {
  if (!isReady) prepare();
  memory.fill(literalCounts, 0, LITERALS << 2);
  memory.fill(distanceCounts, 0, DISTANCES << 2);
  store<u32>(literalCounts, 1, 256 << 2);
  extraBits = 0;
  matchedLen = 0;
}

/** Lets the clock pass `len` bytes, with a gap so that a match never leads before content's start. */
function passTime(len: u32): void {
  clock += len;
  if (clock < 0xe0000000) return;
  memory.fill(places, 0, 4 << HASH_BITS);
  clock = DISTANCE_MAX + 1;
}

/** Bits of `counts` symbols in a code made for them. */
function codedBits(counts: usize, symbolCount: u32): u32 {
  let total: u32 = 0;
  let used: u32 = 0;
  for (let at = counts, end = counts + (symbolCount << 2); at < end; at += 4) {
    const times = load<u32>(at);
    total += times;
    used += u32(times != 0);
  }
  if (total == 0) return 0;
  const log = log2(total);
  let bits: u64 = 0;
  for (let at = counts, end = counts + (symbolCount << 2); at < end; at += 4) {
    const times = load<u32>(at);
    if (times) bits += <u64>times * max<u32>(log - log2(times), 1 << (LOG_BITS - 1));
  }
  // About what the lengths of the codes take in the block's head.
  return <u32>(bits >> LOG_BITS) + used * 4;
}

/** Bits of the counted symbols in deflate's fixed code. */
function fixedBits(): u32 {
  let bits: u32 = 0;
  for (let symbol: u32 = 0; symbol < LITERALS; symbol++) {
    const times = load<u32>(literalCounts + (symbol << 2));
    bits += times * (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
  }
  for (let symbol: u32 = 0; symbol < DISTANCES; symbol++) bits += load<u32>(distanceCounts + (symbol << 2)) * 5;
  return bits;
}

/** Bytes by which a thorough search is better than one that came to `bits`. */
function gainLen(bits: u32, len: u32): u32 {
  if (len <= GAIN_MIN) return 0;
  const octaves = min<u32>(log2(len) - log2(GAIN_MIN), GAIN_OCTAVES << LOG_BITS);
  const share = (<u64>bits * octaves * GAIN_SHARE) >> (8 + LOG_BITS);
  return <u32>((share * matchedLen) / len) >> 3;
}

/** Bytes of the counted symbols, deflated in the better way, `len` bytes at the most. */
function countedLen(len: u32): u32 {
  const dynamic = codedBits(literalCounts, LITERALS) + codedBits(distanceCounts, DISTANCES) + 60;
  const bits = 3 + extraBits + min(dynamic, fixedBits());
  return min(((bits + 7) >> 3) - gainLen(bits, len), len + 5);
}

/**
 * Estimates the length of content as a zlib stream.
 * @param len bytes, below 2^28
 */
export function deflatedLen(ptr: usize, len: u32): u32 {
  resetCounts();
  parse(ptr, ptr + len);
  passTime(len);
  return FRAME_LEN + countedLen(len);
}

/** Like `deflatedLen`, by samples of content that is long. */
export function deflatedLenSampled(ptr: usize, len: u32): u32 {
  if (len <= SAMPLE_MIN) return deflatedLen(ptr, len);
  resetCounts();
  const parts = max<u32>(len / (SAMPLE_LEN * SAMPLE_SHARE), 3);
  const stride = (len - SAMPLE_LEN) / (parts - 1);
  for (let part: u32 = 0; part < parts; part++) {
    const start = ptr + part * stride;
    parse(start, start + SAMPLE_LEN);
    passTime(SAMPLE_LEN);
  }
  const sampled = parts * SAMPLE_LEN;
  return FRAME_LEN + <u32>((<u64>countedLen(sampled) * len) / sampled);
}
