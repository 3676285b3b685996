/**
 * A program that makes an image as the command line does, and sends itself a signal at a given phase:
 * `make-and-stop SOURCE IMAGE OPTIONS PHASE SIGNAL`. OPTIONS are those of `make`, as JSON; the image `-` is standard
 * output. The phase "start" is before all others.
 */

import { type MakeOptions, make } from "../../src/make/index.js";
import { interruptible, runProgram } from "../../tools/cli/process.js";
import { makeToOutput } from "../../tools/output/image-output.js";
import { DATE } from "./checked-image.js";

runProgram("make-and-stop", async ([source, image, options, phase, name]) => {
  const stop = (): boolean => process.kill(process.pid, name as NodeJS.Signals);
  await interruptible((signal) => {
    if (phase === "start") stop();
    const makeInto = (path: string) =>
      make(source!, path, {
        date: DATE,
        ...(JSON.parse(options!) as MakeOptions),
        signal,
        onProgress: ({ phase: now, done, total }) => {
          if (now === phase && (total === undefined || 2 * done > total)) stop();
        },
      });
    return image === "-" ? makeToOutput(makeInto, signal) : makeInto(image!);
  });
  return 0;
});
