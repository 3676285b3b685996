/** In the place of `asm/objects/proof.ts` in guests, which prove nothing beyond what streams tell of themselves. */
export namespace Proof {
  export const NONE: u32 = 0;
}

// @ts-ignore: decorator
@inline
export function provesCrc(): bool {
  return false;
}

// @ts-ignore: decorator
@inline
export function provesOid(): bool {
  return false;
}

// @ts-ignore: decorator
@inline
export function refusesCollisions(): bool {
  return false;
}

// @ts-ignore: decorator
@inline
export function proofSet(_wanted: u32): void {}
