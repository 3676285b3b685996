/** A worker thread of the pool: jobs in, answers out. */
import { parentPort, workerData } from "node:worker_threads";
import { packError } from "../../threads/errors.js";
import { fileContents } from "../base/file-contents.js";
import { createEngine } from "./engine.js";
import { type Parcel, unpackJob } from "./job-message.js";
import type { EncodeResult, Results } from "./jobs.js";
import type { Answer, ThreadStart } from "./pool.js";
import { JobRunner } from "./runner.js";

const { module, effort } = workerData as ThreadStart;
const runner = new JobRunner(createEngine(module, effort), fileContents);

function answer(parcel: Parcel): Answer {
  try {
    return { result: runner.run(unpackJob(parcel)) };
  } catch (error) {
    return { error: packError(error) };
  }
}

/** The buffers that are transferred instead of copied. */
function transfers(result: Results[keyof Results]): ArrayBuffer[] {
  const { bytes } = result as Partial<EncodeResult>;
  return bytes === undefined ? [] : [bytes.buffer as ArrayBuffer];
}

parentPort!.on("message", (parcel: Parcel) => {
  const message = answer(parcel);
  parentPort!.postMessage(message, "result" in message ? transfers(message.result) : []);
});
