/**
 * Resolved objects in memory, and the bounded cache of them. An object is one allocation:
 *
 *     │ offset u64 │ size u32 │ kind u32 │ hashNext u32 │ newer u32 │ older u32 │ refs u32 │ state u8 │ hashed u8 │
 *     │ depth u16 │ found u32 │ index u32 │ order u32 │ id 20 │ … │ mark u64 │
 *     │ data at 80: size bytes, slack │
 *
 * The cache is a segmented LRU: what comes in is on probation, what is found again is protected, and the
 * protected segment keeps at most two thirds of the budget. A base that many chains share is found again and
 * stays; the intermediate results of one long chain push out only each other. One object that is too large to sit
 * beside others, the newest, is kept apart from the budget for readers that take it piece by piece. It stays until
 * another one comes or memory is wanted. Eviction also makes room for an operation's own buffers.
 */
import { copyOid } from "../base/bytes";
import { heapAlloc, heapAllocHigh, heapFree, heapReserve, heapSetCap, heapSize, heapSizeOf } from "../base/heap";
import { DELTA_SLACK } from "../git/delta";
import { Kind } from "../git/entry";
import { COPY_OVERRUN } from "../inflate/copy";
import { provesOid } from "./proof";

const MARK: usize = 72;
const DATA: usize = 80;
/** Readable and writable behind an object's data: inflate and delta copies work in wide steps. */
export const OBJECT_SLACK: u32 = 64;
if (OBJECT_SLACK < <u32>COPY_OVERRUN || OBJECT_SLACK < DELTA_SLACK) ERROR("copies write past an object's slack");

const FREE: u8 = 0;
const PROBATION: u8 = 1;
const PROTECTED: u8 = 2;
/** The newest object that is too large for the budget. */
const APART: u8 = 3;

/** The `index` of a tree that cannot be indexed. */
export const NO_INDEX: u32 = 1;

/** Objects of this size or more are placed with care. */
const LARGE: u32 = 1 << 20;
let isHigh: bool = false;

const BUCKETS: u32 = 8192;
const buckets: usize = memory.data(BUCKETS << 2, 8);

/** Newest and oldest of each segment. */
let probationHead: usize = 0;
let probationTail: usize = 0;
let protectedHead: usize = 0;
let protectedTail: usize = 0;
let protectedBytes: usize = 0;
/** The object that is kept apart, or 0. */
let apart: usize = 0;
/** Bytes of both segments. */
let bytes: usize = 0;
let budget: usize = 0;
/** The largest object that sits beside others in the budget that was set. */
let ordinary: usize = 0;
/** The limit to which the budget may be widened for large directories. */
let widest: usize = 0;
let softCap: u32 = 0;
let hardCap: u32 = 0;

export let cacheHits: u64 = 0;
export let cacheMisses: u64 = 0;

@unmanaged
export class GitObject {
  /** From the PACK's start. */
  offset: u64;
  /** Bytes of the data. */
  size: u32;
  /** `Kind.COMMIT` to `Kind.TAG`. */
  kind: u32;
  hashNext: u32;
  newer: u32;
  older: u32;
  /** The number of holds on it, besides the cache's. */
  refs: u32;
  state: u8;
  /** 1 where its id has been found by hashing it. */
  hashed: u8;
  /** Deltas between it and its base. */
  depth: u16;
  /** In a tree: the entry that was found last begins here, in bytes from the data's start. */
  found: u32;
  /** In a tree: the index of `tree-search.ts`, `NO_INDEX`, or 0 where none has been made yet. */
  index: u32;
  /** In a tree that has been listed: its entries, sorted (`list.ts`), an allocation of its own; or 0. */
  order: u32;

  @inline
  get id(): usize {
    return changetype<usize>(this) + offsetof<GitObject>();
  }

  /** For an object made from others: the offset of the nearest mark among them (see `cacheLink`), or 0. */
  @inline
  get mark(): u64 {
    return load<u64>(changetype<usize>(this), MARK);
  }

  @inline
  set mark(offset: u64) {
    store<u64>(changetype<usize>(this), offset, MARK);
  }

  keepId(oid: usize): void {
    copyOid(this.id, oid);
    this.hashed = 1;
  }

  @inline
  get data(): usize {
    return changetype<usize>(this) + DATA;
  }

  get hasIndex(): bool {
    return this.index > NO_INDEX;
  }
}

/** Gives an object's memory back. */
function free(object: GitObject): void {
  if (object.hasIndex) heapFree(object.index);
  heapFree(object.order);
  heapFree(changetype<usize>(object));
}

/**
 * @param limit bytes that cached objects may take together
 * @param soft bytes of memory that caches and small buffers keep to
 * @param hard bytes of memory that large objects may grow it to
 */
export function cacheInit(limit: usize, soft: u32, hard: u32): void {
  softCap = soft;
  hardCap = hard;
  memory.fill(buckets, 0, BUCKETS << 2);
  probationHead = probationTail = protectedHead = protectedTail = 0;
  protectedBytes = bytes = apart = 0;
  budget = limit;
  ordinary = limit >> 1;
  // Where the memory is limited as a whole, cached objects give way whenever memory is asked for.
  widest = soft < hard ? hard >> 2 : hard;
  cacheHits = cacheMisses = 0;
}

/** Bytes that cached objects take now. */
export function cacheBytes(): usize {
  return apart ? bytes + costOf(changetype<GitObject>(apart)) : bytes;
}

// @ts-ignore: decorator
@inline
function bucketOf(offset: u64): usize {
  return buckets + ((((<u32>offset * 0x9e3779b1) >> 16) & (BUCKETS - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function costOf(object: GitObject): usize {
  let cost = heapSizeOf(changetype<usize>(object));
  if (object.hasIndex) cost += heapSizeOf(object.index);
  if (object.order) cost += heapSizeOf(object.order);
  return cost;
}

/** Gives a tree its index, a heap allocation, which is freed with it. */
export function keepIndex(tree: GitObject, index: usize): void {
  tree.index = <u32>index;
  addCost(tree, index);
}

/** Gives a tree its sorted entries, as `keepIndex` does its index. */
export function keepOrder(tree: GitObject, order: usize): void {
  tree.order = <u32>order;
  addCost(tree, order);
}

function addCost(tree: GitObject, part: usize): void {
  const cost = heapSizeOf(part);
  if (tree.state == PROBATION || tree.state == PROTECTED) bytes += cost;
  if (tree.state == PROTECTED) protectedBytes += cost;
}

function unlink(object: GitObject): void {
  const newer = <usize>object.newer;
  const older = <usize>object.older;
  if (newer) changetype<GitObject>(newer).older = <u32>older;
  else if (object.state == PROTECTED) protectedHead = older;
  else probationHead = older;
  if (older) changetype<GitObject>(older).newer = <u32>newer;
  else if (object.state == PROTECTED) protectedTail = newer;
  else probationTail = newer;
  if (object.state == PROTECTED) protectedBytes -= costOf(object);
}

function pushHead(object: GitObject, state: u8): void {
  const ptr = <u32>changetype<usize>(object);
  const head: usize = state == PROTECTED ? protectedHead : probationHead;
  object.state = state;
  object.newer = 0;
  object.older = <u32>head;
  if (head) changetype<GitObject>(head).newer = ptr;
  if (state == PROTECTED) {
    protectedHead = ptr;
    if (!head) protectedTail = ptr;
    protectedBytes += costOf(object);
  } else {
    probationHead = ptr;
    if (!head) probationTail = ptr;
  }
}

/** Takes an object out of the cache; it lives on while it is held. */
function evict(object: GitObject): void {
  if (object.state == APART) {
    apart = 0;
  } else {
    unlink(object);
    bytes -= costOf(object);
  }
  let at = bucketOf(object.offset);
  const ptr = <u32>changetype<usize>(object);
  while (load<u32>(at) != ptr) at = load<u32>(at) + offsetof<GitObject>("hashNext");
  store<u32>(at, object.hashNext);
  object.state = FREE;
  if (object.refs == 0) free(object);
}

/** Whether other large objects may take its memory. The budget was widened for larger trees: those stay. */
function givesWay(object: GitObject): bool {
  return object.size >= LARGE && (object.kind != Kind.TREE || object.size <= ordinary);
}

/** Evicts the oldest object of a segment that nobody holds: any, or one that gives way to large ones. */
function evictFrom(tail: usize, toLarge: bool): bool {
  for (let at = tail; at; at = changetype<GitObject>(at).newer) {
    const object = changetype<GitObject>(at);
    if (object.refs == 0 && (!toLarge || givesWay(object))) {
      evict(object);
      return true;
    }
  }
  return false;
}

/** Evicts the object that is kept apart, where nobody holds it. */
function evictApart(): bool {
  if (!apart || changetype<GitObject>(apart).refs) return false;
  evict(changetype<GitObject>(apart));
  return true;
}

/** Evicts the oldest object that nobody holds. */
function evictOne(): bool {
  return evictApart() || evictFrom(probationTail, false) || evictFrom(protectedTail, false);
}

/**
 * Memory for anything; cached objects give way to it, and only where that does not help the memory grows
 * beyond what the caches keep to. 0 where there is none.
 */
export function cacheAlloc(size: usize): usize {
  while (true) {
    const ptr = heapAlloc(size);
    if (ptr) return ptr;
    if (!evictOne()) break;
  }
  heapSetCap(hardCap);
  const ptr = heapAlloc(size);
  heapSetCap(softCap);
  return ptr;
}

/**
 * Memory for a large object, by turns at the lower and the upper end of what is free: a base and its result,
 * each of another size, then fit into the memory of two for the whole of a chain. First it is sought in the
 * memory that there is, where other large objects give way. Then the memory grows, and the cache may use the
 * new memory from then on.
 */
function allocLarge(size: usize): usize {
  isHigh = !isHigh;
  heapSetCap(0);
  let ptr = allocAtEnd(size);
  while (!ptr && evictLarge()) ptr = allocAtEnd(size);
  if (!ptr) {
    heapSetCap(hardCap);
    heapReserve(size * 2 + (size >> 2));
    do {
      ptr = allocAtEnd(size);
    } while (!ptr && evictOne());
    const grown = min<u32>(<u32>heapSize(), hardCap);
    if (grown > softCap) {
      budget += grown - softCap;
      softCap = grown;
    }
  }
  heapSetCap(softCap);
  return ptr;
}

function allocAtEnd(size: usize): usize {
  return isHigh ? heapAllocHigh(size) : heapAlloc(size);
}

/** Evicts the oldest object that nobody holds and that gives way to a large one. */
function evictLarge(): bool {
  return evictApart() || evictFrom(probationTail, true) || evictFrom(protectedTail, true);
}

/**
 * A new object, held once, not yet cached.
 * @param size bytes of its data; `OBJECT_SLACK` more are allocated
 * @returns the object, or null (0) where memory has no room
 */
export function objectAlloc(size: u32): GitObject | null {
  const ptr = size < LARGE ? cacheAlloc(DATA + size + OBJECT_SLACK) : allocLarge(DATA + size + OBJECT_SLACK);
  if (!ptr) return null;
  const object = changetype<GitObject>(ptr);
  object.size = size;
  object.refs = 1;
  object.state = FREE;
  object.depth = 0;
  object.mark = 0;
  object.found = 0;
  object.index = 0;
  object.order = 0;
  if (provesOid()) object.hashed = 0;
  return object;
}

/**
 * Ends an object whose data is whole: a search in a tree for the end of a name finds one behind the data at
 * the latest. Inflating and copying have written over the slack.
 */
export function objectSeal(object: GitObject): void {
  store<u64>(object.data + object.size, 0);
}

/** Gives up a hold. An object that is neither held nor cached is freed. */
export function objectRelease(object: GitObject): void {
  object.refs--;
  if (object.refs == 0 && object.state == FREE) free(object);
}

function locate(offset: u64): usize {
  let ptr: usize = load<u32>(bucketOf(offset));
  while (ptr && changetype<GitObject>(ptr).offset != offset) ptr = changetype<GitObject>(ptr).hashNext;
  return ptr;
}

/** Whether the object at an offset is cached. */
export function cacheHas(offset: u64): bool {
  return locate(offset) != 0;
}

/** The cached object at an offset, held once more; or null. */
export function cacheFind(offset: u64): GitObject | null {
  const ptr = locate(offset);
  if (!ptr) {
    cacheMisses++;
    return null;
  }
  cacheHits++;
  const object = changetype<GitObject>(ptr);
  object.refs++;
  if (object.state == APART) return object;
  unlink(object);
  pushHead(object, PROTECTED);
  while (protectedBytes > (budget / 3) * 2) {
    const oldest = changetype<GitObject>(protectedTail);
    unlink(oldest);
    pushHead(oldest, PROBATION);
  }
  return object;
}

/** Lets an object be found. */
function enter(object: GitObject): void {
  const bucket = bucketOf(object.offset);
  object.hashNext = load<u32>(bucket);
  store<u32>(bucket, <u32>changetype<usize>(object));
}

function insert(object: GitObject): void {
  enter(object);
  pushHead(object, PROBATION);
  bytes += costOf(object);
  while (bytes > budget) {
    if (!evictFrom(probationTail, false) && !evictFrom(protectedTail, false)) return;
  }
}

/** Keeps an object apart, in the place of the one before it. */
function keepApart(object: GitObject): void {
  if (apart) evict(changetype<GitObject>(apart));
  enter(object);
  object.state = APART;
  apart = changetype<usize>(object);
}

/** Offers an object to the cache, which takes it if it is small enough to sit beside others. */
export function cacheAdd(object: GitObject): void {
  if (object.state == FREE && costOf(object) <= budget >> 1) insert(object);
}

/** Offers an object that has been asked for. If it is too large to sit beside others, it is kept apart. */
export function cacheAddLarge(object: GitObject): void {
  cacheAdd(object);
  if (object.state == FREE) keepApart(object);
}

/**
 * Offers to the cache the bases that an object was made from, where that is worth it: those near the end of the chain,
 * and a few that are further away, as marks, at distances that are powers of two. The next object of the chain then has
 * a base nearby, in whatever order they are asked for: n objects take about n log n deltas, not n².
 * @param distance deltas between `base` and the object that is asked for
 */
export function cacheLink(base: GitObject, result: GitObject, distance: u32): void {
  const isNear = <u64>base.size * distance <= budget >> 3;
  const isMark = !isNear && (distance & (distance - 1)) == 0;
  result.mark = isMark ? base.offset : base.mark;
  if (isNear || isMark) cacheAdd(base);
}

/** Finds the marks that lead to an object, so that they stay. */
export function cacheTouch(object: GitObject): void {
  const mark = object.mark ? cacheFind(object.mark) : null;
  if (mark != null) {
    cacheTouch(mark);
    objectRelease(mark);
  }
}

/**
 * Offers to the cache an object that is sure to be wanted again: a directory's tree, which each path below it would
 * load, or a base that deltas wait for. The budget is widened if the object is too large to sit beside others.
 */
export function cacheKeep(tree: GitObject): void {
  if (tree.state != FREE) return;
  const cost = costOf(tree);
  if (cost > budget >> 1) {
    const wider = min<usize>(max<usize>(budget + cost, cost << 1), widest);
    if (wider > budget) {
      softCap = <u32>min<usize>(softCap + (wider - budget), hardCap);
      budget = wider;
    }
    if (cost > budget) {
      keepApart(tree);
      return;
    }
  }
  insert(tree);
}

/** Forgets all objects that nobody holds. */
export function cacheClear(): void {
  while (evictOne()) {}
}
