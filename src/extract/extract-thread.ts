/** A thread that writes files: it opens the image by itself, and answers one job after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { open } from "../open.js";
import { packError } from "../threads/errors.js";
import type { FolderJob, WorkerAnswer, WorkerStart } from "./job.js";
import { Writer } from "./write.js";

const { image, options, settings } = workerData as WorkerStart;
const opening = open(image, options).then((volume) => new Writer(volume, settings, 1));
// The first job tells the error.
opening.catch(() => undefined);

async function run(jobs: readonly FolderJob[]): Promise<WorkerAnswer> {
  try {
    return { counts: await (await opening).run(jobs) };
  } catch (error) {
    return { error: packError(error) };
  }
}

let last: Promise<void> = Promise.resolve();
parentPort!.on("message", (jobs: readonly FolderJob[]) => {
  last = last.then(async () => parentPort!.postMessage(await run(jobs)));
});
