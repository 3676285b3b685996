/**
 * SHA-1 that notices collision attacks, as git's does: counter-cryptanalysis (Stevens, CRYPTO 2013). The last
 * two blocks of an attack differ by one of a few disturbance vectors. Of the one block at hand the other is
 * then known for each vector, and so is the state halfway, in which the two do not differ. Where the other
 * block, from there on both ways, ends in the same hash, there are two messages for it.
 *
 * Few blocks are tried so: one in fourteen meets the conditions of any vector (Stevens and Shumow, "Speeding
 * up detection of SHA-1 collision attacks using unavoidable attack conditions", 2017).
 */
import { sha1Init, sha1Update } from "./sha1";
import { SHA1_BLOCK, SHA1_DIGEST, SHA1_LENGTH } from "./sha1-state";
import { addBlocks } from "./sha1dc-blocks";
import { SHA1DC_FOUND } from "./sha1dc-try";

/** The most bytes that end a message: one bit, zeros, and the length. */
export const SHA1DC_TAIL: usize = 72;
const padding: usize = memory.data(72, 8);

/** Begins a message. @param state `SHA1_SIZE` bytes, aligned to 8 */
export function sha1dcInit(state: usize): void {
  sha1Init(state);
  store<u32>(state, 0, SHA1DC_FOUND);
}

/** Adds `len` bytes to the message. */
export function sha1dcUpdate(state: usize, ptr: usize, len: usize): void {
  const begun = <usize>load<u64>(state, SHA1_LENGTH) & 63;
  if (begun) {
    const missing: usize = 64 - begun;
    if (len < missing) {
      sha1Update(state, ptr, len);
      return;
    }
    memory.copy(state + SHA1_BLOCK + begun, ptr, missing);
    store<u64>(state, load<u64>(state, SHA1_LENGTH) - begun, SHA1_LENGTH);
    addBlocks(state, state + SHA1_BLOCK, state + SHA1_BLOCK + 64);
    ptr += missing;
    len -= missing;
  }
  const blocksEnd = ptr + (len & ~63);
  addBlocks(state, ptr, blocksEnd);
  sha1Update(state, blocksEnd, len & 63);
}

/** Writes the end of a message of `length` bytes behind it. @returns the end of its last block */
function pad(end: usize, length: u64): usize {
  const begun = <usize>length & 63;
  const len: usize = (begun < 56 ? 64 : 128) - begun;
  memory.fill(end, 0, len);
  store<u8>(end, 0x80);
  store<u64>(end + len - 8, bswap<u64>(length << 3));
  return end + len;
}

/**
 * Ends the message and writes its 20 bytes at `digestPtr`.
 * @returns whether the message is part of a collision attack
 */
export function sha1dcFinal(state: usize, digestPtr: usize): bool {
  sha1dcUpdate(state, padding, pad(padding, load<u64>(state, SHA1_LENGTH)) - padding);
  return putDigest(state, digestPtr);
}

/**
 * Hashes a whole message, from `sha1dcInit` on: the same as adding and ending it.
 * @param ptr `len` bytes, and room for `SHA1DC_TAIL` more, which are written to
 */
export function sha1dcWhole(state: usize, ptr: usize, len: usize, digestPtr: usize): bool {
  addBlocks(state, ptr, pad(ptr + len, len));
  return putDigest(state, digestPtr);
}

function putDigest(state: usize, digestPtr: usize): bool {
  for (let at: usize = 0; at < SHA1_DIGEST; at += 4) {
    store<u32>(digestPtr + at, bswap<u32>(load<u32>(state + at)));
  }
  return load<u32>(state, SHA1DC_FOUND) != 0;
}
