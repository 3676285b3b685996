/**
 * The state of a SHA-1 (FIPS 180-4, 6.1.2), which the caller supplies:
 *
 *     ┌ 0 ────────────┬ 20 ────────────────┬ 24 ─────────┬ 32 ─────────────────────────┐
 *     │ h0..h4 u32    │ sha1dc's u32       │ length u64  │ the block begun, 64 bytes   │
 *     └───────────────┴────────────────────┴─────────────┴─────────────────────────────┘
 */

/** Bytes of a state, which must be aligned to 8. */
export const SHA1_SIZE: usize = 96;
/** Bytes of a digest. */
export const SHA1_DIGEST: usize = 20;

/** Offsets in a state: the message's length in bytes, and the block begun. */
export const SHA1_LENGTH: usize = 24;
export const SHA1_BLOCK: usize = 32;
