/**
 * Features that the core is compiled with. Guests, which read a few files and end, are linked with
 * `guest/small/features.ts` instead, which turns features off. Conditions on these constants are
 * decided at compile time, and tables marked `@lazy` are there only where code refers to them.
 */

/** Proofs of what is read: entries by their CRC-32s, objects by their ids. */
export const PROOFS: bool = true;
/** Fast repeated look-ups: shortcuts into the tree of paths, indexes of large directories' trees. */
export const LOOKUP_CACHES: bool = true;
/** Sizes of files whose content is not read. */
export const SIZES: bool = true;
/** Operations that can be under way at once. */
export const OPERATIONS: u32 = 16;
/** Reads of parts of large files without all that is before them. */
export const SEEKING: bool = true;
/** The places of empty stored blocks in inflated streams, by which seek points are checked. */
export const FLUSHES: bool = true;
/** Look-ups in directories' trees that are larger than memory. */
export const LARGE_TREES: bool = true;
/** The layout section: look-ups without trees. */
export const LAYOUT: bool = true;
/** Memory that nobody else grows: the heap is all that lies above the static data. */
export const OWNS_MEMORY: bool = true;
