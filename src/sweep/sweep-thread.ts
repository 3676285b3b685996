/** A thread that works on blobs: it opens the image by itself, and takes groups of the one job that comes. */
import { parentPort, workerData } from "node:worker_threads";
import { open } from "../open.js";
import { packError } from "../threads/errors.js";
import { partsOf } from "../volume.js";
import { runGroups } from "./blob-worker.js";
import type { SharedJob, WorkerAnswer, WorkerStart } from "./job.js";
import { workerFor } from "./work.js";

const { image, options, work, stop } = workerData as WorkerStart;
const opening = open(image, options);
// The job tells the error.
opening.catch(() => undefined);

const answer = (message: WorkerAnswer): void => parentPort!.postMessage(message);

parentPort!.once("message", async (job: SharedJob) => {
  try {
    const { calls } = partsOf(await opening);
    await runGroups(calls, job, workerFor(work), stop, (done) => answer({ done }));
    answer({ isOver: true });
  } catch (error) {
    answer({ error: packError(error) });
  }
});
