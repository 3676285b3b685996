/**
 * Handles: several operations at once, for hosts whose devices answer later. A handle is the number of a record. Each
 * function chooses the record of its handle, and calls its counterpart in `volume.ts`.
 */
import { OPERATIONS } from "../base/features";
import { heapFree } from "../base/heap";
import { Status } from "../base/status";
import { cacheAlloc } from "../objects/cache";
import { objectFree } from "../objects/load";
import { Loading, loading } from "../objects/loading";
import { recordOf, recordPut } from "../objects/records";
import { mounted, operationsMax } from "./mount";
import { OPERATION_SIZE, Operation, operationInit } from "./operation";
import {
  volumeCancel,
  volumeList,
  volumeMount,
  volumeMountBegin,
  volumeObject,
  volumeRead,
  volumeResume,
  volumeStat,
  volumeUse,
} from "./volume";

/** The handles that have been given out, a bit each. */
let given: u32 = 0;

/** Begins to mount: see `volumeMountBegin`. All handles are given back. */
export function mountBegin(device: u64, capacity: u64, blockSize: u64, mode: u32, memoryLimit: u32): i32 {
  given = 0;
  return volumeMountBegin(device, capacity, blockSize, mode, memoryLimit);
}

/** Chooses the record of a handle. @returns whether the handle has been given out */
function use(handle: u32): bool {
  const isGiven = handle <= OPERATIONS && ((given >> handle) & 1) != 0;
  if (isGiven && handle != loading.number) volumeUse(changetype<Operation>(recordOf(handle)));
  return isGiven;
}

/**
 * Gives out a handle, for one operation at a time. Before the image is mounted there is only one handle.
 * @returns 0 if all handles are in use, or if memory has no room for another record
 */
export function operation(): u32 {
  const most: u32 = mounted() ? operationsMax : 1;
  let handle: u32 = 1;
  while ((given >> handle) & 1) handle++;
  if (handle > most) return 0;
  if (recordOf(handle) == null) {
    const ptr = cacheAlloc(OPERATION_SIZE);
    if (!ptr) return 0;
    operationInit(changetype<Operation>(ptr), handle);
    recordPut(handle, changetype<Loading>(ptr));
  }
  given |= 1 << handle;
  return handle;
}

/** Gives a handle back, and the memory behind it. An operation that is under way is dropped. */
export function release(handle: u32): void {
  if (!use(handle)) return;
  volumeCancel();
  objectFree();
  given &= ~(1 << handle);
  // The first record lies in the module's own memory.
  if (handle == 1) return;
  const record = changetype<usize>(loading);
  volumeUse(changetype<Operation>(recordOf(1)));
  recordPut(handle, null);
  heapFree(record);
}

/** The result of a handle's operation; 0 for no handle. */
export function result(handle: u32): usize {
  return use(handle) ? changetype<usize>(changetype<Operation>(recordOf(handle)).result) : 0;
}

export function mount(handle: u32): i32 {
  return use(handle) ? volumeMount() : Status.EINVAL;
}

export function stat(handle: u32, path: usize, len: u32, flags: u32): i32 {
  return use(handle) ? volumeStat(path, len, flags) : Status.EINVAL;
}

export function list(
  handle: u32,
  path: usize,
  len: u32,
  flags: u32,
  after: usize,
  afterLen: u32,
  limit: u32,
): i32 {
  return use(handle) ? volumeList(path, len, flags, after, afterLen, limit) : Status.EINVAL;
}

export function read(handle: u32, path: usize, len: u32, flags: u32, position: u64, count: u32): i32 {
  return use(handle) ? volumeRead(path, len, flags, position, count) : Status.EINVAL;
}

export function object(handle: u32, oid: usize): i32 {
  return use(handle) ? volumeObject(oid) : Status.EINVAL;
}

export function resume(handle: u32): i32 {
  return use(handle) ? volumeResume() : Status.EINVAL;
}

export function cancel(handle: u32): void {
  if (use(handle)) volumeCancel();
}
