/** `docteur verify`: checks images, counts their objects, and compares them with expected commits. */

import { nameOf } from "../../src/devices/open.js";
import { printable, printableJson, printableLines } from "../../src/text/printable.js";
import {
  JOBS_MAX,
  type ReportStatus,
  type VerifiedImage,
  type VerifyOptions,
  type VerifyProgress,
  verifyImage,
} from "../../src/verify/index.js";
import { type Command, parse, parseBlockSize, parseCount, parseMemory } from "../cli/arguments.js";
import { DEVICE_OPTIONS, DEVICE_ROWS, deviceOptions } from "../cli/device-options.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { optionHelp } from "../cli/option-help.js";
import { flush, isOnTerminal, print } from "../cli/output.js";
import { ProgressLine } from "../cli/progress.js";
import { annotation, withoutCommands } from "../output/github.js";
import { describeCommit, describeProgress, printVerdict } from "../output/verify-report.js";

const HELP = `usage: docteur verify [OPTION]... IMAGE...

Checks every IMAGE completely:
  - the header, the PACK, and the checksums of PACK and IDX;
  - every object: inflates it, resolves its deltas, computes its id and CRC-32,
    and looks for signs of a SHA-1 collision attack;
  - the IDX, against the results;
  - the commit, and every tree and file that it leads to.

IMAGE is a file, or a URL (docs/DEVICES.md). Of an image at a URL, verify
fetches each byte once, in order, into a temporary file.

Prints the commit, its author, its root tree and its message on standard output.
Prints all problems, or a line that the image is sound, on standard error.

Options:
      --quick           check only the header, the checksums of PACK and IDX,
                        the order of the IDX, and the commit
      --commit OID      fail unless the image holds the commit OID
      --tree OID        fail unless the root tree of the image is OID
      --against REPO[@REF]
                        fail unless the image holds the commit REF of the
                        repository REPO on this machine, with the same ids of
                        trees and files (default: HEAD)
      --max-findings N  tell of so many things at the most (default: 100)
      --jobs N          threads, up to ${JOBS_MAX} (default: one a processor,
                        and no more than the image is worth)
      --memory SIZE     cap of each thread's memory, as in 64M or 1G; a number
                        alone is mebibytes (default: 1G). Tables of all objects
                        may take four times as much together
      --bs BYTES        the block size that the image is read in: a power of
                        two, at least 512 (default: 512)
      --json            print one report of JSON for each image, one a line
                        (see docs/VERIFY.md)
${optionHelp(24, DEVICE_ROWS)}
  -q, --quiet           print nothing; the exit status is the result
  -h, --help            print this help

${exitHelp([0, 4, 5, 8, 9, 12, 13, 14, 15, 16])}
9 and 12 to 15 are about the repository of --against. With several images,
verify ends with the highest of their statuses.

If the variable GITHUB_ACTIONS is true, verify also prints findings as
annotations of the run.

Examples:
  docteur verify disk.img
  docteur verify --quiet --against .@v1.2 disk.img
  docteur verify --json *.img | jq -r 'select(.status != "sound").image'`;

const OPTIONS = {
  quick: { type: "boolean" },
  commit: { type: "string" },
  tree: { type: "string" },
  against: { type: "string" },
  "max-findings": { type: "string" },
  jobs: { type: "string" },
  memory: { type: "string" },
  bs: { type: "string" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  ...DEVICE_OPTIONS,
} as const;

const EXITS: Record<ReportStatus, number> = {
  sound: EXIT.ok,
  damaged: EXIT.damaged,
  mismatch: EXIT.damaged,
  unknown: EXIT.unknown,
  unreadable: EXIT.io,
};

type Values = ReturnType<typeof parse<typeof OPTIONS>>["values"];

function optionsOf(values: Values): VerifyOptions {
  const { quick, commit, tree, against } = values;
  const maxFindings = parseCount("--max-findings", values["max-findings"], { least: 1, most: 1_000_000 });
  const jobs = parseCount("--jobs", values.jobs, { least: 1, most: JOBS_MAX });
  const memoryLimit = parseMemory(values.memory);
  return {
    ...deviceOptions(values),
    blockSize: parseBlockSize(values.bs),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(quick === undefined ? {} : { quick }),
    ...(commit === undefined ? {} : { commit }),
    ...(tree === undefined ? {} : { tree }),
    ...(against === undefined ? {} : { against }),
    ...(maxFindings === undefined ? {} : { maxFindings }),
    ...(jobs === undefined ? {} : { jobs }),
  };
}

async function run(argv: string[]): Promise<number> {
  const images = parseImages(argv);
  const { values } = images;
  const options = optionsOf(values);
  let status: number = EXIT.ok;
  const progress = new ProgressLine(values.quiet);
  for (const given of images.paths) {
    const image = nameOf(given)!;
    const onProgress = (step: VerifyProgress): void =>
      progress.update(() => describeProgress(image, step), {
        ...step,
        name: `${image} ${step.step}`,
      });
    const verified = await verifyImage(given, { ...options, onProgress }).finally(() => progress.clear());
    const { report } = verified;
    status = Math.max(status, EXITS[report.status]);
    if (values.quiet) continue;
    if (values.json) print(`${printableJson(report)}\n`);
    else printReport(verified, image, images.paths.length > 1);
  }
  return status;
}

function printReport(verified: VerifiedImage, image: string, isOneOfMany: boolean): void {
  const { report } = verified;
  const isOnGitHub = process.env.GITHUB_ACTIONS === "true";
  if (report.status === "sound") {
    if (isOneOfMany) print(`image\t: ${printable(image)}\n`);
    const text = describeCommit(verified);
    const shown = isReadByPeople() ? Buffer.from(printableLines(text.toString())) : text;
    print(isOnGitHub ? withoutCommands(shown) : shown);
  }
  flush();
  printVerdict(report, image, isOneOfMany);
  if (isOnGitHub) for (const finding of report.findings) print(annotation(finding, image));
}

/** Whether standard output is a terminal, or the log of an Azure pipeline, which obeys commands in it. */
function isReadByPeople(): boolean {
  return isOnTerminal() || process.env.TF_BUILD === "True";
}

function parseImages(argv: string[]): { values: Values; paths: string[] } {
  // As many arguments as there may be: each stands for an image.
  const names = argv.map(() => "IMAGE");
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], names);
  return { values, paths: positionals };
}

export const command: Command = {
  summary: "check images, and print their commits",
  help: HELP,
  options: OPTIONS,
  run,
};
