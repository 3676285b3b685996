/**
 * The features of the guest kit. It stands in for `asm/base/features.ts`, which describes each one. A guest of the kit
 * has code of its own, which grows the memory, too.
 */
export const PROOFS: bool = true;
export const LOOKUP_CACHES: bool = false;
export const SIZES: bool = true;
export const OPERATIONS: u32 = 1;
export const LAYOUT: bool = false;
export const FLUSHES: bool = false;
export const LARGE_TREES: bool = false;
export const SEEKING: bool = true;
export const OWNS_MEMORY: bool = false;
