/**
 * How far what is read is proven. Guests are linked with `guest/small/proof.ts` in its place, and have none of
 * what hangs on it.
 */
export namespace Proof {
  /** What PACK and streams tell of themselves: sizes, and each stream's Adler-32. */
  export const NONE: u32 = 0;
  /** Every entry's bytes against the CRC-32 that the IDX gives. */
  export const CRC: u32 = 1;
  /** Every object against the id by which it was asked for. */
  export const OID: u32 = 2;
  /** The same, and no object that is part of a SHA-1 collision attack. */
  export const COLLISIONS: u32 = 3;
}

let level: u32 = Proof.NONE;

export function proofSet(wanted: u32): void {
  level = wanted;
}

// @ts-ignore: decorator
@inline
export function provesCrc(): bool {
  return level == Proof.CRC;
}

// @ts-ignore: decorator
@inline
export function provesOid(): bool {
  return level >= Proof.OID;
}

/** Whether a SHA-1 that is part of a collision attack is refused. */
// @ts-ignore: decorator
@inline
export function refusesCollisions(): bool {
  return level == Proof.COLLISIONS;
}
