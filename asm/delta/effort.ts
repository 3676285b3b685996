/** How thoroughly copies are looked for: in deltas that are made, and in those that are only measured. */

/** What the small effort looks at in a delta that it makes. Such deltas are a third of a per cent shorter. */
const LOOKS_THOROUGH: u32 = 256;
const AHEAD_THOROUGH: u32 = 8;
/** What is looked at in any other. */
const LOOKS: u32 = 8;
const AHEAD: u32 = 3;

/** Entries that one look-up tries. */
export let looksMax: u32 = LOOKS;
/** Bytes behind a copy's start at which a better one may be found: as the index's step, but no more. */
export let aheadMax: u32 = AHEAD;

let isThorough: bool = false;

/** Sets the effort of the deltas that follow. */
export function setThorough(thorough: bool): void {
  isThorough = thorough;
}

/** Sets how a delta that is made is searched for. */
export function searchToMake(): void {
  looksMax = isThorough ? LOOKS_THOROUGH : LOOKS;
  aheadMax = isThorough ? AHEAD_THOROUGH : AHEAD;
}

/**
 * Sets how a delta that is measured is searched for.
 * @returns whether it is only skimmed: measured in half the time, and less exactly
 */
export function searchToMeasure(): bool {
  looksMax = LOOKS;
  aheadMax = AHEAD;
  return !isThorough;
}
