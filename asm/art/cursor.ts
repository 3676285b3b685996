/**
 * Iteration over the tree in ascending byte order of whole keys. The cursor is the current key itself, rebuilt in a
 * buffer: a step descends once along it to its successor. So there is no stack, and a cursor outlives finds and
 * insertions alike: a key that was inserted ahead of it is met. There is one cursor.
 */
import { Limit } from "../base/limits";
import { artRoot, artSetValue } from "./art";
import { commonLen, equalBytes, lengthToNul } from "./compare";
import {
  childOf,
  headerOf,
  LEAF,
  leafRest,
  leafSuffix,
  leafValue,
  nextByte,
  prefixLenOf,
  prefixOf,
  stopLen,
  stopOf,
  suffixLenOf,
} from "./node";

const SLASH: u8 = 0x2f;

/** The current key. */
const key: usize = memory.data(4096, 8);
/** Its bytes, or -1 at the end. */
let keyLen: i32 = -1;
/** Bytes of the prefix that the keys share, which stand at the front of the buffer. */
let bound: u32 = 0;

/** Where the current key lies; good until the next step. */
export function artKeyPtr(): usize {
  return key;
}

/** Bytes of the current key, -1 where the iteration is at its end. */
export function artKeyLen(): i32 {
  return keyLen;
}

/** Writes `len` bytes of a key at `depth`; false where that would change the prefix of the iteration. */
function put(depth: u32, from: usize, len: u32): bool {
  if (depth < bound && !equalBytes(key + depth, from, min(len, bound - depth))) return false;
  memory.copy(key + depth, from, len);
  return true;
}

function putByte(depth: u32, byte: u32): bool {
  // A key that ends inside of the prefix does not start with it.
  if (depth < bound) return byte != 0 && <u32>load<u8>(key + depth) == byte;
  if (byte) store<u8>(key + depth, <u8>byte);
  return true;
}

function ended(): bool {
  keyLen = -1;
  return false;
}

/**
 * Moves to the smallest key below `at`, whose prefix or suffix begins at `depth`, that does not end in the first
 * `passed` bytes of that prefix.
 */
function settle(at: usize, depth: u32, passed: u32): bool {
  while (!(at & LEAF)) {
    const stop = stopOf(at);
    if (stop && stopLen(stop) >= passed) {
      if (!put(depth, prefixOf(at), stopLen(stop))) return ended();
      depth += stopLen(stop) + 1;
      at = load<u32>(stop);
      break;
    }
    passed = 0;
    const prefixLen = prefixLenOf(headerOf(at));
    if (!put(depth, prefixOf(at), prefixLen)) return ended();
    depth += prefixLen;
    const byte = nextByte(at, 0);
    if (!putByte(depth, byte)) return ended();
    at = childOf(at, byte);
    depth++;
  }
  const rest = leafRest(at);
  const suffixLen = suffixLenOf(rest);
  if (!put(depth, leafSuffix(at), suffixLen)) return ended();
  keyLen = <i32>(depth + rest) - 1;
  if (<u32>keyLen < bound) return ended();
  artSetValue(leafValue(at));
  return true;
}

/** Whether a string is below the sought key, whose bytes from `depth` on have only `common` bytes in common with it. */
function isBelow(ptr: usize, common: u32, sought: u32, depth: u32): bool {
  return depth + common < sought && load<u8>(ptr + common) < load<u8>(key + depth + common);
}

/**
 * Moves to the smallest key that is not below the first `sought` bytes of the buffer followed by the byte `end`:
 * 0, the implicit NUL, for "that key or a greater one", 1 for "a greater one".
 */
function seek(sought: u32, end: u32): bool {
  let at = artRoot();
  if (!at) return ended();
  let depth: u32 = 0;
  // The deepest branch to the right of the way that was taken.
  let aside: usize = 0;
  let asideByte: u32 = 0;
  let asideDepth: u32 = 0;
  while (!(at & LEAF)) {
    const prefixLen = prefixLenOf(headerOf(at));
    const common = commonLen(prefixOf(at), key + depth, min(prefixLen, sought - depth));
    if (common < prefixLen) {
      if (isBelow(prefixOf(at), common, sought, depth)) break;
      // A stop at `common` is the sought key itself, if that ends there, or a prefix of it.
      return settle(at, depth, common + u32(end || depth + common < sought));
    }
    depth += prefixLen;
    const wanted = depth < sought ? <u32>load<u8>(key + depth) : end;
    const byte = nextByte(at, wanted);
    if (byte > 255) break;
    const child = childOf(at, byte);
    if (byte > wanted || depth >= sought) return putByte(depth, byte) ? settle(child, depth + 1, 0) : ended();
    const right = nextByte(at, byte + 1);
    if (right < 256) {
      aside = at;
      asideByte = right;
      asideDepth = depth;
    }
    at = child;
    depth++;
  }
  if (at & LEAF) {
    const suffixLen = suffixLenOf(leafRest(at));
    const common = commonLen(leafSuffix(at), key + depth, min(suffixLen, sought - depth));
    const met = common == suffixLen;
    if (met ? !end && depth + common == sought : !isBelow(leafSuffix(at), common, sought, depth))
      return settle(at, depth, 0);
  }
  if (!aside) return ended();
  return putByte(asideDepth, asideByte) ? settle(childOf(aside, asideByte), asideDepth + 1, 0) : ended();
}

/** Passes over what lies in directories below the prefix's: seeks behind each that the cursor stands in. */
function leaveSubtrees(): bool {
  let depth = bound;
  while (keyLen >= 0) {
    while (depth < <u32>keyLen && load<u8>(key + depth) != SLASH) depth++;
    if (depth >= <u32>keyLen) return true;
    // The least string above all that begin with "child/".
    store<u8>(key + depth, SLASH + 1);
    seek(depth + 1, 0);
    depth = bound;
  }
  return false;
}

/**
 * Begins an iteration over all keys that start with the given bytes, at the least of them.
 * @param prefixPtr the bytes, in memory other than the cursor's
 * @param prefixLen how many; 0 for all keys
 * @returns whether there is one: it is then at `artKeyPtr`, `artKeyLen` bytes, its value in `artValue`
 */
export function artFirst(prefixPtr: usize, prefixLen: u32): bool {
  if (prefixLen > Limit.PATH || lengthToNul(prefixPtr, prefixLen) < prefixLen) return ended();
  memory.copy(key, prefixPtr, prefixLen);
  bound = prefixLen;
  return seek(prefixLen, 0);
}

/** Moves to the next key of the iteration, like `artFirst`. */
export function artNext(): bool {
  return keyLen >= 0 && seek(keyLen, 1);
}

/**
 * Begins an iteration over a directory's children: the keys that start with the prefix ("dir/", or "" for the root)
 * and have no slash behind it. The key that is the prefix itself, as the root's "" is, comes first where it is stored.
 */
export function artFirstChild(prefixPtr: usize, prefixLen: u32): bool {
  return artFirst(prefixPtr, prefixLen) && leaveSubtrees();
}

/** Moves to the next child: one descent for each child, and one for each subtree passed over, of whatever size. */
export function artNextChild(): bool {
  return artNext() && leaveSubtrees();
}

/**
 * Begins an iteration over all keys from the given one on, at the least that is not below it: also the way to
 * resume an iteration from a key kept elsewhere.
 */
export function artSeek(keyFrom: usize, fromLen: u32): bool {
  if (fromLen > Limit.PATH) return ended();
  memory.copy(key, keyFrom, fromLen);
  bound = 0;
  // No key holds a NUL: those from "a NUL …" on are those above "a".
  const plain = lengthToNul(key, fromLen);
  return seek(plain, u32(plain < fromLen));
}
