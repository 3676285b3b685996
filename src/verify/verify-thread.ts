/** A thread of the team: it opens the image by itself, and shares columns and the counter of groups with the others. */
import { parentPort, workerData } from "node:worker_threads";
import { FileDevice } from "../devices/file.js";
import { packError } from "../threads/errors.js";
import { Engine } from "./engine.js";
import { tablesOutOfMemory, typedError } from "./out-of-memory.js";
import { ImageReader } from "./reader.js";
import { Resolver } from "./resolve.js";
import { loadTable, type ThreadData, type ThreadTask } from "./team.js";
import type { ThreadAnswer } from "./threads.js";

async function run({ rows, forest, next, oids, tables }: ThreadTask): Promise<ThreadAnswer> {
  const { module, path, blockSize, memoryLimit } = workerData as ThreadData;
  const device = new FileDevice(path, blockSize);
  try {
    const reader = new ImageReader(new Engine(module, memoryLimit), device);
    loadTable(reader, oids);
    const resolver = new Resolver(reader, rows, { readTrees: tables });
    await resolver.run(forest, next);
    return { trees: resolver.trees!.words };
  } finally {
    device.close();
  }
}

function refuse(error: unknown): ThreadAnswer {
  return { error: packError(typedError(error) ?? error) };
}

parentPort!.once("message", (task: ThreadTask) => {
  run(task)
    .catch(refuse)
    .then((answer) => parentPort!.postMessage(answer));
});
// There is no memory for the task itself.
parentPort!.once("messageerror", (error) => parentPort!.postMessage(refuse(tablesOutOfMemory(error))));
