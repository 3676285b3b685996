/** The level of proof that reads are held to. Without `PROOFS` it is `Proof.NONE`, and conditions on it vanish. */
import { PROOFS } from "../base/features";

export namespace Proof {
  /** Only the checks inside PACK and streams: sizes, and each stream's Adler-32. */
  export const NONE: u32 = 0;
  /** Every entry's bytes against the CRC-32 that the IDX gives. */
  export const CRC: u32 = 1;
  /** Every object against the id by which it was asked for. */
  export const OID: u32 = 2;
  /** Like `OID`; objects that are part of a SHA-1 collision attack are refused, too. */
  export const COLLISIONS: u32 = 3;
}

let level: u32 = Proof.NONE;

export function proofSet(wanted: u32): void {
  if (PROOFS) level = wanted;
}

// @ts-ignore: decorator
@inline
export function provesCrc(): bool {
  return PROOFS && level == Proof.CRC;
}

// @ts-ignore: decorator
@inline
export function provesOid(): bool {
  return PROOFS && level >= Proof.OID;
}

/** Whether a SHA-1 that is part of a collision attack is refused. */
// @ts-ignore: decorator
@inline
export function refusesCollisions(): bool {
  return PROOFS && level == Proof.COLLISIONS;
}
