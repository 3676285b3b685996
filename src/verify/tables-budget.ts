/** The budget for the tables of all objects together, on all threads. It can be posted to a thread. */

import { tablesOutOfMemory } from "./out-of-memory.js";
import { sharedBytes } from "./shared-bytes.js";

/** Bytes of a unit of the count, which 32 bits hold for 2 TiB. */
const UNIT = 1024;

/** A limit in bytes, and how many units of it are taken: threads share the count. */
export interface TablesBudget {
  readonly limit: number;
  readonly taken: Int32Array;
}

/** A fresh budget. @param limit bytes */
export function createBudget(limit: number): TablesBudget {
  return { limit, taken: new Int32Array(sharedBytes(4)) };
}

/** Takes part of a budget, for good. @param bytes how much @throws DocteurError `OutOfMemory` beyond the limit */
export function takeTables({ limit, taken }: TablesBudget, bytes: number): void {
  const units = Math.ceil(bytes / UNIT);
  if (units <= Math.floor(limit / UNIT) - Atomics.load(taken, 0)) {
    // Another thread may have taken some since.
    const before = Atomics.add(taken, 0, units);
    if ((before + units) * UNIT <= limit) return;
    Atomics.sub(taken, 0, units);
  }
  throw tablesOutOfMemory();
}

/** The amount that is taken so far: `returnTo` goes back to it. */
export function takenTables({ taken }: TablesBudget): number {
  return Atomics.load(taken, 0);
}

/** Gives back all that was taken since. No other thread may take anything meanwhile. */
export function returnTo({ taken }: TablesBudget, before: number): void {
  Atomics.store(taken, 0, before);
}
