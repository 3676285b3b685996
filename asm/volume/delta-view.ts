/**
 * Views of large blobs that are stored as deltas: the inflated deltas of a chain, through which each byte of the blob
 * is found in one of them or in the base. The blob itself is never whole in memory. All operations share the views.
 *
 *     view:        │ fields │ link × count, the blob's own delta first │
 *     link:        │ fields │, with allocations of its own for the delta and for its places
 *     place, 16 B: │ position u64 in the result │ instruction u32, a pointer │ … │, one about every `STEP` bytes of the delta
 */
import { faultAt } from "../base/fault";
import { heapFree } from "../base/heap";
import { Status } from "../base/status";
import { blockRequest } from "../device/sector-cache";
import {
  deltaBaseSize,
  deltaBody,
  deltaHeader,
  deltaNext,
  deltaResultSize,
  opCopies,
  opLen,
  opNext,
  opOffset,
} from "../git/delta";
import { OBJECT_SLACK, cacheAlloc } from "../objects/cache";
import { linkCrc, linkData, linkOffset, linkSize } from "../objects/chain";
import { crcCheck } from "../objects/entry-crc";
import { objectCancel, rangesFrom } from "../objects/load";
import { loading } from "../objects/loading";
import { provesCrc } from "../objects/proof";
import { Stream, streamBegin, streamRun } from "../objects/stream";

@unmanaged
export class View {
  /** The blob: its offset from the PACK's start, 0 for none, and its size in bytes. */
  blob: u64;
  size: u64;
  /** The base: its offset from the PACK's start, where its zlib stream begins in the image, its size. */
  base: u64;
  baseData: u64;
  baseSize: u64;
  /** Bytes that reads have inflated, less four times those that they have shown. */
  debt: i64;
  count: u32;
  /** The number of links whose deltas are not inflated yet; and the operation that inflates them, or 0. */
  left: u32;
  user: u32;
  /** The time of the last read. */
  used: u32;
  /** Bytes of all deltas. */
  bytes: u32;
  pad: u32;

  @inline
  link(index: u32): Link {
    return changetype<Link>(changetype<usize>(this) + offsetof<View>() + index * offsetof<Link>());
  }
}

@unmanaged
export class Link {
  offset: u64;
  data: u64;
  /** The instruction that was looked for last: its position in the result. */
  nowAt: u64;
  size: u32;
  crc: u32;
  delta: usize;
  places: usize;
  placeCount: u32;
  /** The instruction that was looked for last. */
  now: usize;
}

/**
 * Whether it is better to make the blob whole: one operation has inflated more for a piece than the whole takes; or all
 * of them together have, and there is memory for the whole.
 * @param seeks whether the base has seek points: several operations then pay for a whole that fits into caches alone, and
 *   sooner
 */
export function isDear(view: View, inflated: u64, seeks: bool): bool {
  const whole = view.baseSize + view.size;
  if (inflated > whole) return true;
  if (seeks) return view.debt > <i64>view.baseSize && view.baseSize < rangesFrom;
  return view.debt > <i64>whole && whole < wholeMax;
}

/** Bytes of a delta between two places. */
const STEP: u32 = 2048;
const PLACE: usize = 16;

const VIEWS: u32 = 4;
const views: usize = memory.data(4 * 4, 8);
let limit: u32 = 0;
let wholeMax: u64 = 0;
let clock: u32 = 0;

/**
 * @param bytes that the deltas of all views may take
 * @param whole bytes of memory that a blob and its base may take
 */
export function viewsInit(bytes: u32, whole: u64): void {
  limit = bytes;
  wholeMax = whole;
  clock = 0;
  memory.fill(views, 0, VIEWS << 2);
}

// @ts-ignore: decorator
@inline
function viewAt(index: u32): View | null {
  return changetype<View | null>(<usize>load<u32>(views + (index << 2)));
}

function freeAt(index: u32): void {
  const view = viewAt(index)!;
  for (let i: u32 = 0; i < view.count; i++) {
    heapFree(view.link(i).delta);
    heapFree(view.link(i).places);
  }
  heapFree(changetype<usize>(view));
  store<u32>(views + (index << 2), 0);
}

// @ts-ignore: decorator
@inline
function isFree(view: View): bool {
  return !view.user || view.user == loading.number;
}

/** Gives back all views that no other operation makes. */
export function viewsShed(): void {
  for (let index: u32 = 0; index < VIEWS; index++) {
    const view = viewAt(index);
    if (view != null && isFree(view)) freeAt(index);
  }
}

/** Gives back the views that the operation has not made whole. */
export function viewsCancel(): void {
  for (let index: u32 = 0; index < VIEWS; index++) {
    const view = viewAt(index);
    if (view != null && view.user == loading.number) freeAt(index);
  }
}

/** The view of a blob, or null. */
export function viewFind(blob: u64): View | null {
  for (let index: u32 = 0; index < VIEWS; index++) {
    const view = viewAt(index);
    if (view == null || view.blob != blob) continue;
    view.used = ++clock;
    return view;
  }
  return null;
}

/** Makes room for a view: the views that were used longest ago give way. @returns its index, or -1 */
function makeRoom(bytes: u32): i32 {
  while (true) {
    let space: i32 = -1;
    let oldest: i32 = -1;
    let total = bytes;
    for (let index: u32 = 0; index < VIEWS; index++) {
      const view = viewAt(index);
      if (view == null) {
        space = index;
        continue;
      }
      total += view.bytes;
      if (!view.user && (oldest < 0 || view.used < viewAt(oldest)!.used)) oldest = index;
    }
    if (space >= 0 && total <= limit) return space;
    if (oldest < 0) return -1;
    freeAt(oldest);
  }
}

/**
 * Begins a view of the blob whose chain the operation has walked (`RANGED`). The load that is under way is dropped.
 * @returns null if memory has no room for it
 */
export function viewBegin(): View | null {
  const load = loading;
  const count = load.chainCount - 1;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) bytes += <u32>linkSize(i);
  const index = makeRoom(bytes);
  const size = offsetof<View>() + count * offsetof<Link>();
  const ptr: usize = index < 0 ? 0 : cacheAlloc(size);
  if (ptr) {
    memory.fill(ptr, 0, size);
    const view = changetype<View>(ptr);
    store<u32>(views + (index << 2), <u32>ptr);
    view.blob = linkOffset(0);
    view.base = linkOffset(count);
    view.baseData = linkData(count);
    view.size = view.baseSize = linkSize(count);
    view.count = view.left = count;
    view.bytes = bytes;
    view.user = load.number;
    view.used = ++clock;
    for (let i: u32 = 0; i < count; i++) {
      const link = view.link(i);
      link.offset = linkOffset(i);
      link.data = linkData(i);
      link.size = <u32>linkSize(i);
      if (provesCrc()) link.crc = linkCrc(i);
    }
  }
  objectCancel();
  return changetype<View | null>(ptr);
}

/** Reads all instructions of a delta, checks them as `deltaApply` does, and notes places. */
function scan(view: View, link: Link): i32 {
  const end = link.delta + link.size;
  let status = deltaHeader(link.delta, end);
  if (status != Status.OK) return status;
  if (deltaBaseSize != view.size) return Status.DELTA_BASE_SIZE;
  link.places = cacheAlloc((link.size / STEP + 1) * PLACE);
  if (!link.places) return Status.OUT_OF_MEMORY;
  let at: u64 = 0;
  let next = deltaBody;
  for (let ptr = deltaBody; ptr < end; ptr = opNext) {
    status = deltaNext(ptr, end);
    if (status != Status.OK) return status;
    if (opCopies && <u64>opOffset + opLen > deltaBaseSize) return Status.DELTA_COPY_RANGE;
    if (opLen > deltaResultSize - at) return Status.DELTA_RESULT_SIZE;
    if (ptr >= next) {
      const place = link.places + link.placeCount++ * PLACE;
      store<u64>(place, at);
      store<u32>(place, <u32>ptr, 8);
      next = ptr + STEP;
    }
    at += opLen;
  }
  view.size = deltaResultSize;
  return at == deltaResultSize ? Status.OK : Status.DELTA_RESULT_SIZE;
}

/** Inflates a link's delta, after AGAIN from where it stopped. */
function inflate(link: Link): i32 {
  const stream = changetype<Stream>(loading.stream);
  if (!link.delta) {
    link.delta = cacheAlloc(link.size + OBJECT_SLACK);
    if (!link.delta) return Status.OUT_OF_MEMORY;
    streamBegin(stream, link.data, link.size, link.delta, link.size, OBJECT_SLACK);
    if (provesCrc()) stream.crc = link.crc;
  }
  const status = streamRun(stream);
  if (status != Status.OK) return status < 0 ? Status.BAD_INFLATED_SIZE : status;
  if (stream.inflate.totalOut != link.size) return Status.BAD_INFLATED_SIZE;
  return provesCrc() ? crcCheck(link.offset, stream.crc) : Status.OK;
}

/**
 * Makes a view whole, from the base's side up, after AGAIN from where it stopped.
 * @returns OK, AGAIN, or an error: the view is then gone
 */
export function viewRun(view: View): i32 {
  while (view.left) {
    const link = view.link(view.left - 1);
    let status = inflate(link);
    if (status == Status.AGAIN) {
      for (let i: u32 = 0; i + 1 < view.left; i++) blockRequest(view.link(i).data, view.link(i).size + 32);
      return status;
    }
    if (status == Status.OK) status = scan(view, link);
    if (status != Status.OK) {
      faultAt(link.offset);
      viewsCancel();
      return status;
    }
    view.left--;
  }
  view.user = 0;
  return Status.OK;
}

/**
 * Finds the instruction of a link that makes the byte at `position`, which is below the result's size: reads it, as
 * `deltaNext` does.
 * @returns the position in the result at which it begins
 */
export function linkFind(link: Link, position: u64): u64 {
  let low: u32 = 0;
  let high = link.placeCount;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<u64>(link.places + middle * PLACE) <= position) low = middle;
    else high = middle;
  }
  let at = load<u64>(link.places + low * PLACE);
  let ptr: usize = load<u32>(link.places + low * PLACE, 8);
  if (link.now && link.nowAt <= position && link.nowAt >= at) {
    at = link.nowAt;
    ptr = link.now;
  }
  const end = link.delta + link.size;
  while (true) {
    deltaNext(ptr, end);
    if (position - at < opLen) break;
    at += opLen;
    ptr = opNext;
  }
  link.now = ptr;
  link.nowAt = at;
  return at;
}
