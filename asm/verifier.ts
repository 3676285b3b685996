/**
 * The verifier's exports: what `src/verify` has done in Wasm, for one thread. It imports nothing; every function takes
 * plain numbers and pointers into its memory. The caller supplies `SLACK` readable bytes behind every input, and as many
 * writable ones behind every output.
 */
import { compareOid } from "./base/bytes";
import { crc32 } from "./checksum/crc32";
import { SHA1_SIZE } from "./checksum/sha1-state";
import { sha1dcFinal, sha1dcInit, sha1dcUpdate, sha1dcWhole } from "./checksum/sha1dc";
import { deltaApply, deltaBaseSize, deltaBody, deltaHeader, deltaResultSize } from "./git/delta";
import { Entry, treeKind, treeName, treeNameLen, treeNext, treeOid, treeRest } from "./git/tree";
import { heapAlloc, heapFree, heapInit } from "./base/heap";
import { Inflate, INFLATE_SIZE, NEED_INPUT, NEED_OUTPUT, zlibInit, zlibRun } from "./inflate/zlib";
import { Status } from "./base/status";

export { crc32, heapAlloc as alloc, heapFree as free, heapInit as init };

const SLACK: usize = 32;
const HISTORY: u32 = 0x8000;
const WINDOW: u32 = 0x20000;

const inflater: Inflate = changetype<Inflate>(memory.data(INFLATE_SIZE, 16));
const hash: usize = memory.data(SHA1_SIZE, 16);
const packHash: usize = memory.data(SHA1_SIZE, 16);
const head: usize = memory.data(32, 8);
const window: usize = memory.data(0x20000 + 32, 16);

/** Writes what an object's hash begins with, "KIND SIZE\0". @returns its length, up to 32 */
function putHead(to: usize, kind: u32, size: u64): u32 {
  let ptr = to;
  if (kind == 1) {
    store<u64>(ptr, 0x20_7469_6d6d_6f63); // "commit "
    ptr += 7;
  } else if (kind == 2) {
    store<u64>(ptr, 0x20_6565_7274); // "tree "
    ptr += 5;
  } else if (kind == 3) {
    store<u64>(ptr, 0x20_626f_6c62); // "blob "
    ptr += 5;
  } else {
    store<u32>(ptr, 0x2067_6174); // "tag "
    ptr += 4;
  }
  let digits: usize = 1;
  for (let rest = size; rest >= 10; rest /= 10) digits++;
  let rest = size;
  for (let at = ptr + digits; at > ptr; rest /= 10) store<u8>(--at, 0x30 + <u32>(rest % 10));
  ptr += digits;
  store<u8>(ptr++, 0);
  return <u32>(ptr - to);
}

/**
 * Takes the id of an object of this kind (1 to 4, as packs number them) and content. The message is made where the
 * content is: what 32 bytes before it and `SHA1DC_TAIL` behind it hold is lost.
 * @param to 20 bytes for the id
 * @returns whether the object is part of a SHA-1 collision attack
 */
export function objectId(kind: u32, ptr: usize, size: u32, to: usize): bool {
  const headLen = putHead(head, kind, size);
  const start = ptr - headLen;
  memory.copy(start, head, headLen);
  sha1dcInit(hash);
  return sha1dcWhole(hash, start, headLen + size, to);
}

/** Begins a message of its own: the PACK, whose bytes come as they are read. */
export function packBegin(): void {
  sha1dcInit(packHash);
}

/** Adds bytes to it. */
export function packUpdate(ptr: usize, len: u32): void {
  sha1dcUpdate(packHash, ptr, len);
}

/** Ends it. @param to 20 bytes for its hash @returns whether it is part of a collision attack */
export function packEnd(to: usize): bool {
  return sha1dcFinal(packHash, to);
}

/** Bytes that streams have taken and given, and that deltas have made. */
let made: u64 = 0;

/** The work that was done so far, in bytes: what streams have taken and given, and what deltas have made. */
export function work(): f64 {
  return <f64>made;
}

/** Begins a zlib stream that must inflate to `size` bytes at `out`. */
export function inflateBegin(out: usize, size: u32): void {
  const state = inflater;
  zlibInit(state, size, true);
  state.output = out;
  state.outputEnd = out + size;
  state.history = out;
  state.outputSlack = SLACK;
}

/**
 * Inflates the next piece of the stream.
 * @returns OK at its end, NEED_INPUT (-1), what is wrong with it
 */
export function inflateRun(input: usize, len: u32): i32 {
  const state = inflater;
  state.input = input;
  state.inputEnd = input + len;
  const from = state.output;
  const status = zlibRun(state);
  made += <u64>(state.output - from) + <u64>(state.input - input);
  if (status == NEED_OUTPUT) return Status.BAD_INFLATED_SIZE;
  if (status == Status.OK && state.output != state.outputEnd) return Status.BAD_INFLATED_SIZE;
  return status;
}

/** The bytes that the stream has taken of its input. */
export function inflateTaken(): f64 {
  return <f64>inflater.totalIn;
}

let streamSize: u64 = 0;
let streamKind: u32 = 0;

/**
 * Begins a zlib stream whose content is dropped as it comes.
 * @param kind of the object that it is, whose id is wanted; 0 for none
 */
export function streamBegin(size: f64, kind: u32): void {
  streamSize = <u64>size;
  streamKind = kind;
  const state = inflater;
  zlibInit(state, streamSize, true);
  state.output = window;
  state.outputEnd = window + WINDOW;
  state.history = window;
  state.outputSlack = SLACK;
  if (!kind) return;
  sha1dcInit(hash);
  sha1dcUpdate(hash, head, putHead(head, kind, streamSize));
}

/** Like `inflateRun`, for a stream that `streamBegin` began. */
export function streamRun(input: usize, len: u32): i32 {
  const state = inflater;
  state.input = input;
  state.inputEnd = input + len;
  while (true) {
    const from = state.output;
    const taken = state.input;
    const status = zlibRun(state);
    made += <u64>(state.output - from) + <u64>(state.input - taken);
    if (streamKind) sha1dcUpdate(hash, from, state.output - from);
    if (state.totalOut > streamSize) return Status.BAD_INFLATED_SIZE;
    if (status == NEED_OUTPUT) {
      // What a match may reach stays in front of the room that is made.
      memory.copy(window, state.output - HISTORY, HISTORY);
      state.output = window + HISTORY;
      continue;
    }
    return status == Status.OK && state.totalOut != streamSize ? Status.BAD_INFLATED_SIZE : status;
  }
}

/** Writes the id of the object that the stream was: 20 bytes. @returns as `objectId` */
export function streamId(to: usize): bool {
  return sha1dcFinal(hash, to);
}

/** Reads a delta's head. @returns OK, BAD_DELTA, DELTA_BASE_SIZE */
export function deltaOpen(delta: usize, len: u32, baseLen: u32): i32 {
  const status = deltaHeader(delta, delta + len);
  if (status != Status.OK) return status;
  return deltaBaseSize == <u64>baseLen ? Status.OK : Status.DELTA_BASE_SIZE;
}

/** The size of what the delta makes that `deltaOpen` has read. */
export function deltaSize(): f64 {
  return <f64>deltaResultSize;
}

/** Applies the delta that `deltaOpen` has read. */
export function deltaRun(delta: usize, len: u32, base: usize, baseLen: u32, out: usize, outLen: u32): i32 {
  made += outLen;
  return deltaApply(deltaBody, delta + len, base, baseLen, out, outLen);
}

let oids: usize = 0;
const fanout: usize = memory.data(257 * 4, 8);

/** Takes the ids of all objects, 20 bytes each, sorted: those that entries of trees are looked up in. */
export function setTable(table: usize, count: u32): void {
  oids = table;
  let index: u32 = 0;
  for (let first: u32 = 0; first <= 256; first++) {
    while (index < count && <u32>load<u8>(table + index * 20) < first) index++;
    store<u32>(fanout + (first << 2), index);
  }
}

/** The rank of an id in the table, or -1. */
export function rankOf(oid: usize): i32 {
  const slot = fanout + (<usize>load<u8>(oid) << 2);
  let low = load<u32>(slot);
  let high = load<u32>(slot, 4);
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareOid(oids + middle * 20, oid);
    if (order == 0) return <i32>middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** Names that begin the names after them, in a tree: candidates for a directory of the same name. */
const PREFIXES: u32 = 32;
const prefixes: usize = memory.data(32 * 8, 8);

/** Whether a mode is written as git writes it. */
function isCanonical(mode: usize, len: u32, kind: u32): bool {
  if (kind == Entry.TREE) return len == 5 && load<u32>(mode) == 0x30303034; // "4000"
  const rest = load<u16>(mode, 4);
  const first = load<u32>(mode);
  if (len != 6) return false;
  if (kind == Entry.FILE) return first == 0x36303031 && rest == 0x3434; // "100644"
  if (kind == Entry.EXECUTABLE) return first == 0x37303031 && rest == 0x3535; // "100755"
  if (kind == Entry.SYMLINK) return first == 0x30303231 && rest == 0x3030; // "120000"
  return first == 0x30303631 && rest == 0x3030; // "160000"
}

/** Whether some file system could take the name for `.git`, or git for settings that should be a file. */
function isDoubtful(name: usize, len: u32, kind: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    const char: u32 = load<u8>(name + i);
    if (char >= 0x80 || char == 0x7e || char == 0x5c) return true;
  }
  if (len < 4) return false;
  const isFile = kind == Entry.FILE || kind == Entry.EXECUTABLE;
  const start = load<u32>(name) | 0x20202020;
  // `.gitignore` and its like are common; where they are files there is nothing to them.
  if (start == 0x7469672e) return len == 4 || (<u32>load<u8>(name, 4) | 0x20) - 0x61 > 25 || !isFile; // ".git"
  return start == 0x69616d2e && kind == Entry.SYMLINK; // ".mai"
}

/** Whether an id of 20 bytes is all zeros. */
function isNullId(oid: usize): bool {
  return !(load<u64>(oid) | load<u64>(oid, 8) | <u64>load<u32>(oid, 16));
}

/** Orders two names as git does: a directory's as if it ended in a slash. */
function compareNames(a: usize, aLen: u32, aIsTree: bool, b: usize, bLen: u32, bIsTree: bool): i32 {
  const order = memory.compare(a, b, min<u32>(aLen, bLen));
  if (order != 0) return order;
  const least = min<u32>(aLen, bLen);
  const x: i32 = least < aLen ? load<u8>(a + least) : aIsTree ? 0x2f : 0;
  const y: i32 = least < bLen ? load<u8>(b + least) : bIsTree ? 0x2f : 0;
  return x - y;
}

/**
 * Reads a tree of `size` bytes, behind which a zero stands.
 * @param edges room for `size / 23` words: for each entry, its object's rank in the table times 8 (0x1fffffff where it
 *   is not there), plus its kind (`Entry`)
 * @returns how many entries there are, or -1 where the tree must be looked at more closely
 */
export function treeScan(ptr: usize, size: u32, edges: usize): i32 {
  const end = ptr + size;
  let count: i32 = 0;
  let last: usize = 0;
  let lastLen: u32 = 0;
  let lastIsTree = false;
  let depth: u32 = 0;
  while (ptr < end) {
    if (treeNext(ptr, end) != Status.OK) return -1;
    const name = treeName;
    const len = treeNameLen;
    const kind = treeKind;
    const isTree = kind == Entry.TREE;
    if (!isCanonical(ptr, <u32>(name - ptr) - 1, kind) || isDoubtful(name, len, kind)) return -1;
    if (last && compareNames(last, lastLen, lastIsTree, name, len, isTree) >= 0) return -1;
    // Between a file and a directory of one name stand only names that begin with it.
    while (depth > 0) {
      const slot = prefixes + (depth - 1) * 8;
      const prefixLen = load<u32>(slot, 4);
      if (prefixLen <= len && memory.compare(load<u32>(slot), name, prefixLen) == 0) {
        if (prefixLen == len) return -1;
        break;
      }
      depth--;
    }
    if (!isTree) {
      if (depth == PREFIXES) return -1;
      store<u32>(prefixes + depth * 8, <u32>name);
      store<u32>(prefixes + depth * 8, len, 4);
      depth++;
    }
    if (kind == Entry.SUBMODULE && isNullId(treeOid)) return -1;
    const rank = kind == Entry.SUBMODULE ? -1 : rankOf(treeOid);
    store<u32>(edges + (<usize>count << 2), (<u32>rank << 3) | kind);
    count++;
    last = name;
    lastLen = len;
    lastIsTree = isTree;
    ptr = treeRest;
  }
  return count;
}
