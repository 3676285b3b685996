/** A thread that damages an image in all ways of a kind: away from the test runner, which makes every promise dear. */
import { parentPort, workerData } from "node:worker_threads";
import { Patient } from "./damage.js";
import { sweepFlips } from "./flips.js";
import { sampleImage } from "./sample-images.js";
import { sweepSectors } from "./sectors.js";
import type { SweepJob } from "./sweep.js";

const { kind, image, current } = workerData as SweepJob;

// Hundreds of thousands of errors are thrown, and none of their stacks is read.
Error.stackTraceLimit = 0;

const patient = await Patient.of(await sampleImage(image));
const sweep = kind === "flips" ? sweepFlips : sweepSectors;
const summary = await sweep(patient, (number) => Atomics.store(current, 0, number));
parentPort!.postMessage(summary);
