/**
 * `docteur/sync`: images read synchronously. In Node, files are read as they are, and URLs by a thread of their own.
 * @module docteur/sync
 */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { checkOptions, invalid } from "../arguments.js";
import { FileDevice } from "../devices/file.js";
import { pathOfUrl } from "../devices/node-files.js";
import { fileOf } from "../devices/open.js";
import { SharedClient } from "../devices/shared.js";
import { inSectors } from "../devices/split.js";
import { DocteurError } from "../errors.js";
import { OPEN } from "../opening.js";
import { unpackError } from "../threads/errors.js";
import { hasScript } from "../threads/start.js";
import { type SyncSource as ObjectSource, type SyncOptions, syncDevice, volumeOver } from "./browser.js";
import type { ServeAnswer, ServeJob } from "./job.js";
import type { VolumeSync } from "./volume.js";

export { type SharedDevice, type SharedImage, type SyncOptions, share, VolumeSync } from "./browser.js";

/** What can be opened synchronously: a path or a URL, too. */
export type SyncSource = ObjectSource | string | URL;

/** Milliseconds that a thread may take to open an image: more than all tries of its requests. */
const PATIENCE = 600_000;

/** Has a thread open a URL, and serve it. */
function openInThread(source: string, options: object): { device: SharedClient; end: () => void } {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  let worker: Worker;
  if (!hasScript(() => new URL("./serve-thread.js", import.meta.url)))
    throw invalid(
      "a bundle has no thread that reads an image at a URL",
      "leave docteur out of the bundle, or open the image with share() in a thread of your own",
    );
  try {
    const job: ServeJob = { source, options, port: port2, signal };
    worker = new Worker(new URL("./serve-thread.js", import.meta.url), {
      workerData: job,
      transferList: [port2],
    });
  } catch (cause) {
    throw invalid("these options cannot go to the thread that reads the image", undefined, cause);
  }
  worker.unref();
  const end = (): void => void worker.terminate();
  Atomics.wait(signal, 0, 0, PATIENCE);
  const answer = receiveMessageOnPort(port1)?.message as ServeAnswer | undefined;
  port1.close();
  if (answer !== undefined && "shared" in answer) return { device: new SharedClient(answer.shared), end };
  end();
  if (answer === undefined) throw new DocteurError("Io", "the thread that reads the image has not begun");
  throw unpackError(answer.error);
}

/**
 * Opens an image and mounts it, synchronously: the calling thread waits.
 * @throws DocteurError where the source cannot be read or is not a sound image
 * @example const volume = openSync("https://example.org/disk.img"); volume.text("/README.md"); volume.close();
 */
export function openSync(source: SyncSource, options: SyncOptions = {}): VolumeSync {
  const given = checkOptions("openSync", options, OPEN);
  const { mode, memoryLimit, proof, collisions, commit, module, blockSize = 512, ...rest } = given;
  const mounting = { mode, memoryLimit, proof, collisions, commit, module };
  if (typeof source === "string" || source instanceof URL) {
    const file = fileOf(source);
    if (file !== undefined) {
      const path = typeof file === "string" ? file : pathOfUrl(file);
      return volumeOver(inSectors(new FileDevice(path, blockSize)), mounting);
    }
    const { device, end } = openInThread(String(source), { ...rest, blockSize });
    return volumeOver(inSectors(device), mounting, end);
  }
  const device = syncDevice(source, blockSize);
  if (device === undefined)
    throw invalid("cannot open this synchronously", "share() opens it in another thread");
  return volumeOver(device, mounting);
}
