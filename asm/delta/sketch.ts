/**
 * Sketches content, so that what resembles it is found among a million others: min-hashing by one permutation
 * (Li, Owen, Zhang, "One Permutation Hashing", NIPS 2012) over all windows of `WINDOW` bytes. Two contents share about
 * that fraction of their features which they share of their windows.
 */

/** Features of a sketch, 4 bytes each. */
export const FEATURE_COUNT: u32 = 16;
/** Bytes of a window: some words of text, most of an object id. */
const WINDOW: u32 = 16;
const MULTIPLIER_A: u64 = 0x9e3779b97f4a7c15;
const MULTIPLIER_B: u64 = 0xd6e8feb86659fd93;
/** No window fell to a feature. */
const NONE: u32 = 0xffffffff;

/**
 * Writes the sketch of content. Content of less than `WINDOW` bytes has features of 0, which mean nothing.
 * @param len bytes
 * @param features room for `FEATURE_COUNT` numbers of 32 bits, 4-byte aligned
 */
export function contentSketch(ptr: usize, len: u32, features: usize): void {
  const size = FEATURE_COUNT << 2;
  if (len < WINDOW) {
    memory.fill(features, 0, size);
    return;
  }
  memory.fill(features, 0xff, size);
  for (const last = ptr + len - WINDOW; ptr <= last; ptr++) {
    const hash = (load<u64>(ptr) * MULTIPLIER_A + load<u64>(ptr, 8)) * MULTIPLIER_B;
    const at = features + (<usize>(hash >> 60) << 2);
    const value = <u32>(hash >> 28);
    if (value < load<u32>(at)) store<u32>(at, value);
  }
  fillGaps(features);
}

/** Features that no window fell to take what the next one has, told apart by the distance. */
function fillGaps(features: usize): void {
  // Twice round, from the end: the one behind is known then, unless it is itself a gap of the first round.
  let value: u32 = NONE;
  for (let at: u32 = FEATURE_COUNT * 2; at > 0; at--) {
    const place = features + (((at - 1) % FEATURE_COUNT) << 2);
    const own = load<u32>(place);
    if (own != NONE) {
      value = own;
    } else if (value != NONE) {
      value = value * 0x85ebca6b + 1;
      if (at <= FEATURE_COUNT) store<u32>(place, value);
    }
  }
}
