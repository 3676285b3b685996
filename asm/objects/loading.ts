/**
 * The state of an operation while it loads an object: the first part of its record (`asm/volume/operation.ts`).
 * Several operations may be under way, and one of them runs at a time. `loading` is the record of the running one.
 */
import { GitObject } from "./cache";

/** The next step of a load. */
export namespace Phase {
  export const IDLE: u32 = 0;
  /** Inflates the head of a delta, for its result's size alone. */
  export const HEAD: u32 = 1;
  export const WALK: u32 = 2;
  export const INFLATE_BASE: u32 = 3;
  export const NEXT_DELTA: u32 = 4;
  export const INFLATE_DELTA: u32 = 5;
}

@unmanaged
export class Loading {
  /** The operation's number, from 1 on: its handle. */
  number: u32;
  /** The number of the operation that it waits for; 0 for the device. */
  waitsFor: u32;
  /** Bytes that it has inflated and made, less those that are allowed for the objects that it asks for. */
  work: i64;

  /** The object that is being loaded: its offset from the PACK's start. */
  wanted: u64;
  phase: u32;
  /** Links not yet applied. */
  pending: u32;
  /** The object resolved so far, or the base that is being inflated; held. */
  current: GitObject | null;
  deltaBuffer: usize;
  deltaCapacity: u32;
  /** The `Stream` of the base or the delta, and 32 bytes behind it, for a delta's head. */
  stream: usize;

  /** The delta chain (`chain.ts`): its links, and the number of links that there is room for. */
  links: usize;
  linkCapacity: u32;
  /** Links walked; the last one is nearest to the base. */
  chainCount: u32;
  /** The base's kind, if it is not cached. */
  chainKind: u32;
  /** A cached object that the walk ended at, held; or null, and the last link is the base. */
  chainCached: GitObject | null;
  /** The offset that the walk has come to. */
  chainNext: u64;
  /** Brent's cycle detection: the offset at the last power of two. */
  landmark: u64;
}

/** The record of the operation that runs. */
export let loading: Loading = changetype<Loading>(0);

/** Goes on with an operation. */
export function loadingUse(record: Loading): void {
  loading = record;
}
