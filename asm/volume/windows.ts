/**
 * Windows of all operations: as many as operations that can be under way. A window outlives its operation: a later
 * operation that reads on in the blob goes on from there. The window that was used longest ago gives way to another
 * blob.
 */
import { OPERATIONS } from "../base/features";
import { sameOid } from "../base/bytes";
import { heapFree, heapSizeOf } from "../base/heap";
import { cacheAlloc } from "../objects/cache";
import { loading } from "../objects/loading";
import { provesOid } from "../objects/proof";
import { WINDOW_SIZE, Window } from "./window";

/** Pointers to the windows, u32 each, at most `windowMax`; 0 for none. */
const windows: usize = memory.data(4 * OPERATIONS, 8);
let windowMax: u32 = 0;
let clock: u32 = 0;

/** @param most windows at the most */
export function windowsInit(most: u32): void {
  windowMax = most;
  clock = 0;
  memory.fill(windows, 0, 4 * OPERATIONS);
}

// @ts-ignore: decorator
@inline
function windowAt(index: u32): Window | null {
  return changetype<Window | null>(<usize>load<u32>(windows + (index << 2)));
}

// @ts-ignore: decorator
@inline
function isFree(window: Window): bool {
  return OPERATIONS == 1 || !window.user || window.user == loading.number;
}

/** Bytes that windows take. */
export function windowBytes(): usize {
  let bytes: usize = 0;
  for (let index: u32 = 0; index < windowMax; index++) {
    const window = windowAt(index);
    if (window != null) bytes += heapSizeOf(changetype<usize>(window));
  }
  return bytes;
}

/** Gives back all windows that no other operation uses. */
export function windowsShed(): void {
  for (let index: u32 = 0; index < windowMax; index++) {
    const window = windowAt(index);
    if (window == null || !isFree(window)) continue;
    heapFree(changetype<usize>(window));
    store<u32>(windows + (index << 2), 0);
  }
}

function isOf(window: Window, blob: u64, oid: usize, isProving: bool): bool {
  if (window.blob != blob || window.isProving != isProving) return false;
  return !provesOid() || sameOid(window.oid, oid);
}

/** The window of a blob that is nearest before a position, in use by no other operation; or null. */
export function windowFind(blob: u64, oid: usize, position: u64, isProving: bool): Window | null {
  if (OPERATIONS == 1) {
    const only = windowAt(0);
    return only != null && only.blob == blob && only.start <= position ? only : null;
  }
  let found: Window | null = null;
  for (let index: u32 = 0; index < windowMax; index++) {
    const window = windowAt(index);
    if (window == null || !isFree(window) || window.start > position || !isOf(window, blob, oid, isProving)) continue;
    if (found == null || window.start > found.start) found = window;
  }
  return found;
}

/** The number of another operation that hashes a blob through a window; 0 where none does. */
export function windowProver(blob: u64): u32 {
  if (OPERATIONS == 1) return 0;
  for (let index: u32 = 0; index < windowMax; index++) {
    const window = windowAt(index);
    if (window != null && !isFree(window) && window.isProving && window.blob == blob) return window.user;
  }
  return 0;
}

/** Finds a window for another blob: a new one, or the least recently used. @returns null if memory has no room for it */
export function windowObtain(): Window | null {
  if (OPERATIONS == 1 && windowAt(0) != null) return windowAt(0);
  let oldest: Window | null = null;
  let space: i32 = -1;
  const most: u32 = OPERATIONS == 1 ? 1 : windowMax;
  for (let index: u32 = 0; index < most; index++) {
    const window = windowAt(index);
    if (window == null) space = index;
    else if (isFree(window) && (oldest == null || window.used < oldest.used)) oldest = window;
  }
  if (space < 0 || (oldest != null && !oldest.used)) return oldest;
  const ptr = cacheAlloc(WINDOW_SIZE);
  if (!ptr) return oldest;
  store<u32>(windows + (space << 2), <u32>ptr);
  const window = changetype<Window>(ptr);
  window.user = 0;
  return window;
}

/** The operation uses a window from now on. */
export function windowUse(window: Window): void {
  if (OPERATIONS == 1) return;
  window.user = loading.number;
  window.used = ++clock;
}
