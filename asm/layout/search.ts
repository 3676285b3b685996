/**
 * Searches in the layout section: a path's record, or the records of a directory. Every search begins at the root, so that
 * after AGAIN it is just called again.
 */
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { leafCount, pageCount } from "./footer";
import { BAD_PAGE, RECORDS, page, pageChild, pageEnd, pageLevel, pageRead } from "./pages";
import { indexBegin, indexNext } from "./page-index";
import {
  common,
  isMalformed,
  keyOrder,
  recordKind,
  recordNext,
  recordPlace,
  recordsBegin,
  shared,
  suffix,
  suffixLen,
  tail,
  tailLen,
} from "./records";
import { Entry } from "../git/tree";

/** The key that is searched for, and its bytes. */
// @ts-ignore: decorator
@lazy
const key: usize = memory.data(Limit.PATH + Limit.NAME + 16, 16);
let keyLen: u32 = 0;

/** The key of the record that a listing has come to, and its bytes. */
// @ts-ignore: decorator
@lazy
const current: usize = memory.data(Limit.PATH + 16, 16);
let currentLen: u32 = 0;
/** Pages of a listing that are asked for at once while the device is slow. */
const LIST_AHEAD: u32 = 8;
/** Pages above a leaf: far more than an image of any size has. */
const LEVELS_MAX: u32 = 16;

/** The leaf that a search came to, and the bytes of the folder's part of its key. */
let leaf: u32 = 0;
let folderLen: u32 = 0;

/**
 * Makes the key of a path: a NUL behind each name but the last, and one more before the last.
 * @param path names with slashes between them
 */
function keyOfPath(path: usize, len: u32): void {
  let name: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const byte = load<u8>(path + i);
    store<u8>(key + i, byte == 0x2f ? 0 : byte);
    if (byte == 0x2f) name = i + 1;
  }
  memory.copy(key + name + 1, key + name, len - name);
  store<u8>(key + name, 0);
  keyLen = len + 1;
}

/** Makes the key behind which a page of a directory begins. */
function keyOfFolder(path: usize, len: u32, after: usize, afterLen: u32): void {
  for (let i: u32 = 0; i < len; i++) {
    const byte = load<u8>(path + i);
    store<u8>(key + i, byte == 0x2f ? 0 : byte);
  }
  let at = key + len;
  if (len) store<u8>(at++, 0);
  store<u8>(at++, 0);
  folderLen = <u32>(at - key);
  memory.copy(at, after, afterLen);
  keyLen = folderLen + afterLen;
}

/** Goes down to the leaf that the key's record would be in. */
function descend(ahead: u32): i32 {
  let number = pageCount() - 1;
  let level: u32 = LEVELS_MAX;
  while (true) {
    const isLeaf = number < leafCount();
    const status = pageRead(number, isLeaf ? ahead : 1);
    if (status != Status.OK) return status;
    // A page leads to a page before it, on a lower level, so no search goes on for ever.
    if (isLeaf != (pageLevel() == 0) || pageLevel() >= level) return BAD_PAGE;
    if (isLeaf) break;
    level = pageLevel();
    const child = pageChild() + childIndex();
    if (child >= number) return BAD_PAGE;
    number = child;
  }
  leaf = number;
  return Status.OK;
}

// @ts-ignore: decorator
@inline
function varintAt(ptr: usize): u32 {
  const byte: u32 = load<u8>(ptr);
  return byte < 0x80 ? byte : (byte & 0x7f) | (<u32>load<u8>(ptr, 1) << 7);
}

/** The number of the inner page's last record whose key is not above the search's. */
function childIndex(): u32 {
  const end = pageEnd();
  let ptr = page + RECORDS;
  let matched: u32 = 0;
  let index: u32 = 0;
  while (ptr < end) {
    const sharedLen = varintAt(ptr);
    ptr += sharedLen < 0x80 ? 1 : 2;
    const len = varintAt(ptr);
    ptr += len < 0x80 ? 1 : 2;
    if (ptr + len > end) break;
    if (sharedLen <= matched) {
      const stop = min<u32>(len, keyLen - sharedLen);
      let i: u32 = 0;
      while (i < stop && load<u8>(ptr + i) == load<u8>(key + sharedLen + i)) i++;
      if (i < stop ? load<u8>(ptr + i) > load<u8>(key + sharedLen + i) : i < len) break;
      matched = sharedLen + i;
    }
    ptr += len;
    index++;
  }
  return index ? index - 1 : 0;
}

/**
 * Finds the record of a path, and its place.
 * @param path names with slashes between them, `len` bytes, at least one
 * @returns OK, NOT_FOUND, BAD_PAGE, or the device's status
 */
export function layoutFind(path: usize, len: u32): i32 {
  keyOfPath(path, len);
  const status = descend(1);
  if (status != Status.OK) return status;
  const isIndexed = indexBegin();
  let matched: u32 = 0;
  while (isIndexed ? indexNext(matched) : recordNext()) {
    if (shared > matched) continue;
    const order = keyOrder(key, keyLen);
    if (order == 0) {
      if (recordKind != Entry.SUBMODULE) recordPlace();
      return Status.OK;
    }
    if (order > 0) return Status.NOT_FOUND;
    matched = common;
  }
  return isMalformed ? BAD_PAGE : Status.NOT_FOUND;
}

/** The name of the record that `layoutNext` came to. */
export let entryName: usize = 0;
export let entryNameLen: u32 = 0;

/**
 * Begins with the entries of a directory.
 * @param path names with slashes between them; no bytes for the root
 * @param after the entries come behind that name; no bytes for all
 * @returns OK, BAD_PAGE, or the device's status
 */
export function layoutList(path: usize, len: u32, after: usize, afterLen: u32): i32 {
  keyOfFolder(path, len, after, afterLen);
  const status = descend(LIST_AHEAD);
  if (status != Status.OK) return status;
  recordsBegin();
  currentLen = 0;
  return Status.OK;
}

/**
 * Goes on to the directory's next entry.
 * @returns OK with the record, its place and name; NOT_FOUND at the end; BAD_PAGE, or the device's status
 */
export function layoutNext(): i32 {
  while (true) {
    if (!recordNext()) {
      if (isMalformed) return BAD_PAGE;
      if (leaf + 1 >= leafCount()) return Status.NOT_FOUND;
      const status = pageRead(leaf + 1, min<u32>(LIST_AHEAD, leafCount() - leaf - 1));
      if (status != Status.OK) return status;
      if (pageLevel()) return BAD_PAGE;
      leaf++;
      recordsBegin();
      currentLen = 0;
      continue;
    }
    if (shared > currentLen || shared + suffixLen + tailLen > Limit.PATH + 1) return BAD_PAGE;
    memory.copy(current + shared, suffix, suffixLen);
    memory.copy(current + shared + suffixLen, tail, tailLen);
    currentLen = shared + suffixLen + tailLen;
    const order = memory.compare(current, key, min<u32>(currentLen, folderLen));
    if (order > 0) return Status.NOT_FOUND;
    if (order < 0 || currentLen <= folderLen) continue;
    entryName = current + folderLen;
    entryNameLen = currentLen - folderLen;
    const afterLen = keyLen - folderLen;
    const behind = memory.compare(entryName, key + folderLen, min<u32>(entryNameLen, afterLen));
    if (behind < 0 || (behind == 0 && entryNameLen <= afterLen)) continue;
    if (!isName()) return BAD_PAGE;
    if (recordKind != Entry.SUBMODULE) recordPlace();
    return Status.OK;
  }
}

/** Whether the name is one that a tree may hold. */
function isName(): bool {
  if (entryNameLen <= 2 && load<u8>(entryName) == 0x2e && (entryNameLen == 1 || load<u8>(entryName, 1) == 0x2e))
    return false;
  for (let i: u32 = 0; i < entryNameLen; i++) {
    const byte = load<u8>(entryName + i);
    if (byte == 0 || byte == 0x2f) return false;
  }
  return true;
}
