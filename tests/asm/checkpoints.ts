/** The store of checkpoints for its test. Streams are made up: the store looks at their places alone. */
import { heapFree, heapInit, heapUsed } from "../../asm/base/heap";
import { HISTORY } from "../../asm/inflate/window";
import { cacheAlloc, cacheInit } from "../../asm/objects/cache";
import { checkpointAdd, checkpointAfter, checkpointAgrees, checkpointBefore } from "../../asm/objects/checkpoints";
import { STREAM_SIZE, Stream } from "../../asm/objects/stream";

export { checkpointsDrop, checkpointsInit, checkpointsShed, checkpointsUse } from "../../asm/objects/checkpoints";
export { heapUsed };

let stream: Stream = changetype<Stream>(0);
let history: usize = 0;

export function start(limit: u32): void {
  heapInit(limit);
  cacheInit(0, limit, limit);
  stream = changetype<Stream>(cacheAlloc(STREAM_SIZE));
  history = cacheAlloc(HISTORY);
}

/** Takes all memory. @returns a block of `size` bytes, for `free` */
export function takeAll(size: usize): usize {
  const block = cacheAlloc(size);
  while (cacheAlloc(1000)) {}
  return block;
}

export function free(ptr: usize): void {
  heapFree(ptr);
}

function moveTo(position: u64, seed: u32): void {
  const state = stream.inflate;
  state.totalOut = position;
  state.totalIn = position / 3;
  state.bitCount = seed & 7;
  state.adler = seed;
  state.output = history + HISTORY;
  memory.fill(history, <u8>seed, HISTORY);
}

/** Offers a place to the store. */
export function add(object: u64, position: u64, seed: u32): void {
  moveTo(position, seed);
  checkpointAdd(object, stream, seed);
}

/** @returns the nearest place at or before a position, or 0; -1 where what it keeps is not what was added there */
export function before(object: u64, position: u64): i64 {
  const checkpoint = checkpointBefore(object, position);
  if (checkpoint == null) return 0;
  const seed = checkpoint.note;
  const state = checkpoint.stream.inflate;
  if (state.adler != seed || load<u8>(checkpoint.history) != <u8>seed) return -1;
  if (load<u8>(checkpoint.history + HISTORY - 1) != <u8>seed) return -1;
  return checkpoint.position;
}

export function after(object: u64, position: u64, size: u64): u64 {
  return checkpointAfter(object, position, size);
}

/** Whether a stream at a place, of that seed, agrees with the checkpoint there. */
export function agrees(object: u64, position: u64, seed: u32): bool {
  moveTo(position, seed);
  return checkpointAgrees(object, stream.inflate);
}
