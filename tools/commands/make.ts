/** `docteur make`: a git commit, a directory, an archive, or several of them, become an image. */
import { type MakeSummary, make, watch } from "../../src/make/index.js";
import { printableJson } from "../../src/text/printable.js";
import type { Command } from "../cli/arguments.js";
import { reportError } from "../cli/errors.js";
import { EXIT } from "../cli/exit.js";
import { note, say, warn } from "../cli/messages.js";
import { flush, print } from "../cli/output.js";
import { interruptible, untilSignal } from "../cli/process.js";
import { ProgressLine } from "../cli/progress.js";
import { makeToOutput } from "../output/image-output.js";
import { describeProgress, describeResult, progressStep, warnAbout } from "../output/make-notes.js";
import { MAKE_HELP, MAKE_OPTIONS, type MakeArguments, parseMakeArguments } from "./make-options.js";

async function run(argv: string[]): Promise<number> {
  const given = parseMakeArguments(argv);
  if (given.watch) return runWatch(given);
  const { source, image, options, json, quiet, hasDate } = given;
  // On systems that allow it, lists of processes show this title from now on, instead of a password, or of a token in the
  // place of the user's name.
  const sources = [source ?? "", ...(options.add ?? []).map((added) => added.source)];
  if (sources.some((text) => /^https?:\/\/.*@/is.test(text))) process.title = "docteur make";
  const progress = new ProgressLine(quiet);
  const start = performance.now();
  const makeInto = (path: string, signal: AbortSignal): Promise<MakeSummary> =>
    make(source, path, {
      ...options,
      signal,
      onProgress: (step) => progress.update(() => describeProgress(step), progressStep(step)),
      onNotice: (text) => {
        progress.clear();
        if (!quiet) note(text);
      },
    });
  const summary = await interruptible((signal) =>
    image === "-" ? makeToOutput((path) => makeInto(path, signal), signal) : makeInto(image, signal),
  ).finally(() => progress.clear());
  if (!quiet) {
    if (hasDate && summary.sourceKind === "git") warn("-d has no effect: the commit has its own date");
    warnAbout(summary);
    say(describeResult(image, summary, performance.now() - start));
  }
  if (json) print(`${printableJson(summary, 2)}\n`);
  return EXIT.ok;
}

/** Makes the image after every change, until a signal ends it: then the work is done, as it should be. */
async function runWatch({ source, image, options, json, quiet }: MakeArguments): Promise<number> {
  const progress = new ProgressLine(quiet);
  await untilSignal((signal) =>
    watch(source!, image, {
      ...options,
      signal,
      onProgress: (step) => progress.update(() => describeProgress(step), progressStep(step)),
      onNotice: (text) => {
        progress.clear();
        if (!quiet) note(text);
      },
      onMade: (summary, duration) => {
        progress.clear();
        if (!quiet) {
          warnAbout(summary);
          say(describeResult(image, summary, duration));
        }
        if (json) print(`${printableJson(summary)}\n`);
        flush();
      },
      onFailed: (error) => {
        progress.clear();
        reportError("docteur", error);
      },
    }),
  ).finally(() => progress.clear());
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "make an image of a git commit, a directory or an archive",
  help: MAKE_HELP,
  options: MAKE_OPTIONS,
  run,
};
