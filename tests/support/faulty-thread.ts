/** A thread of the verifier's that is refused memory or ends too early, as its `workerData.fault` says. */
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadAnswer } from "../../src/verify/threads.js";
import { installRefusals, type Memory, type Mode, refuseAt, refuseNothing } from "./refusals.js";

/** What goes wrong: memory that is refused, or where the thread ends. */
export type Fault =
  | { memory: Memory; at: number; mode: Mode }
  | "it ends at its start"
  | "it throws at its start"
  | "it ends when it is asked"
  | "it ends between two groups"
  | "it ends before it answers"
  | "its answer has no trees"
  | "its answer cannot be read"
  | "nothing";

/** What such a thread is given beside its data. */
export interface FaultData {
  fault: Fault;
  /** The first word is 1 once the other thread may go on; the second counts calls that could be refused. */
  gate: Int32Array;
}

const { fault, gate } = workerData as FaultData;

function letGo(): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

function end(): never {
  letGo();
  process.exit();
}

const post = parentPort!.postMessage.bind(parentPort!);
parentPort!.postMessage = (answer: ThreadAnswer): void => {
  if (fault === "it ends before it answers") end();
  Atomics.store(gate, 1, refuseNothing());
  post(fault === "its answer has no trees" ? { trees: new Uint32Array(0) } : answer);
  letGo();
};

if (fault === "it ends at its start") end();
if (fault === "it throws at its start") {
  letGo();
  throw new Error("as the test wants it");
}
if (fault === "it ends when it is asked") parentPort!.once("message", end);
if (fault === "it ends between two groups") {
  const add = Atomics.add.bind(Atomics);
  Atomics.add = ((array: Int32Array, index: number, value: number): number => {
    if (array.length === 1 && Atomics.load(array, 0) === 1 && value === 1) end();
    return add(array, index, value);
  }) as typeof Atomics.add;
}
const isRefused = typeof fault === "object";
if (isRefused) installRefusals();
await import("../../src/verify/verify-thread.js");
if (isRefused) refuseAt(fault.memory, fault.at, fault.mode);
