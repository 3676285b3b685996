/** The thread of one guest: opens its devices, runs it, writes its output. `supervise.ts` starts it. */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { BlockDevice } from "../devices/device.js";
import { FileDevice } from "../devices/file.js";
import { SharedClient } from "../devices/shared.js";
import { DocteurError } from "../errors.js";
import { systemReason } from "../node/io-error.js";
import { BrokenPipe, writeAll } from "../node/write-all.js";
import { checkDevices, type Guest, loadGuest, run } from "./index.js";
import type { Answer, Job } from "./job.js";

function readGuest({ guest, memoryLimit }: Job): Guest {
  if (typeof guest !== "string") return loadGuest(guest as BufferSource, memoryLimit);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(guest);
  } catch (cause) {
    throw new DocteurError("Io", `${guest}: ${systemReason(cause)}`, { cause });
  }
  return loadGuest(bytes as BufferSource, memoryLimit);
}

function runJob(job: Job): Answer {
  const guest = readGuest(job);
  checkDevices(
    guest.manifest,
    job.devices.map(([name]) => name),
  );
  const devices: Record<string, BlockDevice> = {};
  let isPipeBroken = false;
  const console = (bytes: Uint8Array): void => {
    try {
      writeAll(job.output, bytes, job.output === 1 ? "standard output" : `descriptor ${job.output}`);
    } catch (error) {
      isPipeBroken = error instanceof BrokenPipe;
      throw error;
    }
  };
  try {
    for (const [name, device] of job.devices)
      devices[name] =
        "port" in device ? new SharedClient(device) : new FileDevice(device.path, device.blockSize);
    const outcome = run(guest, { devices, args: job.args, console });
    return { outcome, isPipeBroken };
  } finally {
    for (const device of Object.values(devices)) void device.close?.();
  }
}

function answer(job: Job): Answer {
  try {
    return runJob(job);
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    const { code, message, hint } = error;
    return { error: { code, message, hint } };
  }
}

parentPort!.postMessage(answer(workerData as Job));
