/**
 * The layout section, as a volume uses it: mounted with the image, believed page by page, and dropped as soon as a page of it
 * is damaged. Paths are then looked up in trees.
 */
import { LAYOUT, SIZES } from "../base/features";
import { copyOid, sameOid } from "../base/bytes";
import { Limit } from "../base/limits";
import { Status } from "../base/status";
import { blockIsSlow, blockPeek, blockRelease, blockRequest, blockStatus } from "../device/sector-cache";
import { HEADER_MAX, PACK_START, entriesEnd, isEntryOffset, packCount } from "../git/entry";
import { idxOid } from "../git/idx";
import { Entry, modeOf } from "../git/tree";
import {
  Layout,
  boundTrailer,
  footerCommit,
  footerOpen,
  footerPackSize,
  footerState,
  footerTree,
  pageCount,
} from "../layout/footer";
import { BAD_PAGE, pageRead, pagesInit } from "../layout/pages";
import {
  extentLen,
  extentNext,
  extentOffset,
  extentsLeft,
  recordFrom,
  recordKind,
  recordLen,
  recordOffset,
  recordRank,
  recordRest,
  recordHasSeek,
  recordSeek,
  recordSeekAt,
  recordSeekLen,
  recordSize,
} from "../layout/records";
import { UNIT_SHIFT } from "../layout/seek-points";
import { entryName, entryNameLen, layoutFind, layoutList, layoutNext } from "../layout/search";
import { heapFree } from "../base/heap";
import { cacheAlloc } from "../objects/cache";
import { isWhole } from "../objects/load";
import { here } from "./operation";

const OID: u32 = 20;
/** Bytes of an entry as trees hold it, beside its name: a mode of five or six digits, a space, a NUL, an id. */
const ENTRY_BYTES: u32 = 6 + 1 + 1 + OID;
/** The most entries of a page that the section lists: more of them come from the tree. */
const PAGE_ENTRIES: u32 = 4096;
/** The status of a listing that exceeds the memory taken for it. */
const FULL: i32 = -2;
/** Entries, and bytes of them, that a listing first has room for. */
const FEW_ENTRIES: u32 = 64;
const FEW_BYTES: u32 = 4096;

/** `Layout` */
export let layoutState: u32 = Layout.NONE;
/** The PACK's trailer has been compared with the section's. */
let isBound: bool = false;
let pagesLimit: u32 = 0;

/** @param limit bytes of memory for pages */
export function layoutBegin(limit: u32): void {
  layoutState = Layout.NONE;
  isBound = false;
  pagesLimit = limit;
}

/** Opens the section, if there is one. @returns OK, or the device's status */
export function layoutOpen(commit: usize): i32 {
  let status = footerOpen(commit);
  if (status != Status.OK) return status;
  layoutState = footerState;
  if (layoutState != Layout.USED) return status;
  if (!isEntryOffset(footerCommit()) || !isEntryOffset(footerTree())) {
    layoutState = Layout.DAMAGED;
    return status;
  }
  if (!pagesInit(pagesLimit)) {
    layoutState = Layout.NONE;
    return status;
  }
  status = pageRead(pageCount() - 1, 1);
  if (status == BAD_PAGE) layoutState = Layout.DAMAGED;
  return status == Status.AGAIN || status == Status.EUNSPEC ? status : Status.OK;
}

/** Uses the section no more. */
export function layoutDrop(): void {
  layoutState = Layout.DAMAGED;
}

/** The entries of the commit and of the root tree, from the PACK's start. */
export function layoutCommit(): u64 {
  return footerCommit();
}

export function layoutTree(): u64 {
  return footerTree();
}

/** Compares the PACK's trailer with the section's, once. @returns OK, BAD_PAGE, or the device's status */
export function layoutBind(): i32 {
  if (isBound) return Status.OK;
  const size = footerPackSize();
  if (size < OID || size > entriesEnd() + OID - PACK_START) return BAD_PAGE;
  const ptr = blockPeek(PACK_START + size - OID, OID);
  if (!ptr) return blockStatus;
  if (!sameOid(ptr, boundTrailer())) return BAD_PAGE;
  isBound = true;
  return Status.OK;
}

/** Whether the record leads to an object that can be there. */
function isPlaced(): bool {
  return recordKind == Entry.SUBMODULE || (isEntryOffset(recordOffset) && recordRank < packCount);
}

/**
 * Looks the first `len` bytes of the operation's key up.
 * @param wantsOid whether the object's id is wanted
 * @returns OK with the resolved object; NOT_FOUND; BAD_PAGE: the section is of no use; or the device's status
 */
export function layoutResolve(len: u32, wantsOid: bool): i32 {
  const walk = here();
  const found = layoutFind(walk.key, len);
  // Both come in one round trip.
  const bound = layoutBind();
  if (found != Status.OK && found != Status.NOT_FOUND) return found;
  if (bound != Status.OK) return bound;
  if (found != Status.OK) return found;
  if (!isPlaced()) return BAD_PAGE;
  walk.resolvedKind = recordKind;
  walk.isOidKnown = false;
  if (recordKind == Entry.SUBMODULE) {
    walk.resolvedOffset = 0;
    copyOid(walk.resolvedOid, recordRest);
    walk.isOidKnown = true;
    return Status.OK;
  }
  walk.resolvedOffset = recordOffset;
  if (SIZES) {
    walk.knownSize = recordSize;
    walk.isSizeKnown = recordKind != Entry.TREE;
  }
  if (recordHasSeek && recordKind != Entry.TREE) {
    walk.segment = (1 + (<u32>recordSeek & 15)) << UNIT_SHIFT;
    walk.seek = recordSeek >> 4;
    walk.seekBlob = recordSeekAt;
    walk.seekLen = recordSeekLen;
  }
  if (!wantsOid) return Status.OK;
  const oid = idxOid(recordRank);
  if (!oid) return blockStatus;
  copyOid(walk.resolvedOid, oid);
  walk.isOidKnown = true;
  return Status.OK;
}

/**
 * While the device is slow: asks for all that the object of the record needs, in one round trip. An entry with seek points
 * is not read whole for a part of the object: only its header is asked for.
 */
export function layoutAhead(): void {
  // An operation without a count does not read content.
  if (!blockIsSlow() || !here().count || recordKind == Entry.SUBMODULE) return;
  if (recordHasSeek && isWhole(here().count, recordSize)) recordHasSeek = false;
  if (recordHasSeek) ask(recordSeekAt, HEADER_MAX);
  request(recordFrom, recordLen);
  while (extentsLeft) {
    extentNext();
    request(extentOffset, extentLen);
  }
}

/** Asks for a part of the PACK, without the entry that has the seek points. */
function request(offset: u64, len: u64): void {
  const before = recordSeekAt - offset;
  if (recordHasSeek && before < len) {
    ask(offset, before);
    const skipped = before + recordSeekLen;
    if (skipped >= len) return;
    offset += skipped;
    len -= skipped;
  }
  ask(offset, len);
}

function ask(offset: u64, len: u64): void {
  if (isEntryOffset(offset)) blockRequest(offset + PACK_START, min<u64>(len, entriesEnd() - PACK_START - offset));
}

/** Whether a listing can come from the section. @param limit the most entries; 0 for all */
export function layoutLists(limit: u32): bool {
  return LAYOUT && layoutState == Layout.USED && limit > 0 && limit <= PAGE_ENTRIES;
}

/**
 * Lists a page of the directory that the operation's key names, without ids. Puts pointers to entries in the form of trees
 * into the result, and their sizes.
 * @returns OK, OUT_OF_MEMORY, BAD_PAGE, or the device's status
 */
export function layoutPage(): i32 {
  const listing = here();
  const most = listing.count;
  let entries = min<u32>(most, FEW_ENTRIES);
  let bytes = FEW_BYTES;
  while (true) {
    heapFree(listing.sizes);
    listing.sizes = cacheAlloc((entries << 3) + (((entries + 1) & ~1) << 2) + bytes + 8);
    if (!listing.sizes) return Status.OUT_OF_MEMORY;
    const status = scan(entries, bytes);
    if (status != FULL) return status;
    entries = min<u32>(most, entries << 3);
    bytes <<= 3;
  }
}

/**
 * Goes through the entries of a page.
 * @param room entries, and `bytes` of them, that there is memory for at `sizes`
 */
function scan(room: u32, bytes: u32): i32 {
  const listing = here();
  const result = listing.result;
  const sizes = listing.sizes;
  const pointers = sizes + (room << 3);
  const entries = pointers + (((room + 1) & ~1) << 2);
  let count: u32 = 0;
  let used: u32 = 0;
  result.left = 0;
  let status = layoutList(listing.key, listing.keyLen, listing.after, listing.afterLen);
  const bound = layoutBind();
  if (bound != Status.OK) return bound;
  while (status == Status.OK) {
    status = layoutNext();
    if (status != Status.OK) break;
    if (!isPlaced() || entryNameLen > Limit.NAME) return BAD_PAGE;
    if (count == listing.count) {
      result.left = 1;
      break;
    }
    if (count == room || used + ENTRY_BYTES + entryNameLen > bytes) return FULL;
    store<u64>(sizes + (count << 3), recordKind == Entry.SUBMODULE ? 0 : recordSize);
    store<u32>(pointers + (count << 2), <u32>(entries + used));
    putEntry(entries + used);
    count++;
    used += ENTRY_BYTES + entryNameLen;
  }
  blockRelease();
  result.sizes = <u32>sizes;
  result.data = <u32>pointers;
  result.count = count;
  return status == Status.NOT_FOUND ? Status.OK : status;
}

/** Puts an entry as trees hold it. Its id is zero, unless it is a submodule's. */
function putEntry(ptr: usize): void {
  let mode = modeOf(recordKind);
  for (let digit = 5; digit >= 0; digit--) {
    store<u8>(ptr + digit, 0x30 + (mode & 7));
    mode >>= 3;
  }
  store<u8>(ptr, 0x20, 6);
  ptr += 7;
  memory.copy(ptr, entryName, entryNameLen);
  ptr += entryNameLen;
  store<u8>(ptr++, 0);
  if (recordKind == Entry.SUBMODULE) copyOid(ptr, recordRest);
  else memory.fill(ptr, 0, OID);
}
