/** The features of guests. It stands in for `asm/base/features.ts`, which describes each one. */
export const PROOFS: bool = false;
export const LOOKUP_CACHES: bool = false;
export const SIZES: bool = false;
export const OPERATIONS: u32 = 1;
export const LARGE_TREES: bool = false;
export const SEEKING: bool = false;
export const LAYOUT: bool = false;
export const FLUSHES: bool = false;
export const OWNS_MEMORY: bool = true;
