/**
 * A program that makes an image as the command line does, and sends itself a signal at a given phase:
 * `make-and-stop SOURCE IMAGE WORKERS PHASE SIGNAL`.
 */
import { make } from "../../src/make/index.js";
import { interruptible, runProgram } from "../../tools/cli/process.js";
import { DATE } from "./checked-image.js";

runProgram("make-and-stop", async ([source, image, workers, phase, name]) => {
  await interruptible((signal) =>
    make(source!, image!, {
      date: DATE,
      workers: Number(workers),
      signal,
      onProgress: ({ phase: now, done, total }) => {
        if (now === phase && (total === undefined || 2 * done > total))
          process.kill(process.pid, name as NodeJS.Signals);
      },
    }),
  );
  return 0;
});
