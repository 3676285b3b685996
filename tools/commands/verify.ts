/** `docteur verify`: whether images are sound, what they hold, and whether they are what they should be. */
import {
  type Finding,
  JOBS_MAX,
  type Report,
  type ReportStatus,
  type VerifiedImage,
  type VerifyOptions,
  type VerifyProgress,
  verifyImage,
} from "../../src/verify/index.js";
import { type Command, parse, parseBlockSize, usageError } from "../cli/arguments.js";
import { EXIT } from "../cli/exit.js";
import { flush, isOnTerminal, print } from "../cli/output.js";
import { ProgressLine } from "../cli/progress.js";
import { annotation, withoutCommands } from "../output/github.js";
import { ocamlPerson } from "../output/ocaml.js";
import { escapeControls, hideControls } from "../terminal.js";

const HELP = `usage: docteur verify [OPTION]... IMAGE...

Verifies every IMAGE: its header, the PACK and its checksum, every object
(inflated, its deltas resolved, its id and its CRC-32 computed anew, refused
where it bears the marks of a SHA-1 collision attack), the IDX against what they
give, the commit, and that every tree and file it leads to is there and
well-formed. Prints the commit, its author, its root tree and its message; on
standard error, all that is wrong.

Options:
      --quick           only the header, the checksums of PACK and IDX, the IDX
                        in itself and the commit: no other object is inflated
      --commit OID      fail unless the image's commit is this one
      --tree OID        fail unless its root tree is this one
      --against REPO[@REF]
                        fail unless it holds the commit that REF (by default
                        HEAD) names in a repository on this machine, and the
                        same trees and files; ids are compared
      --max-findings N  tell of so many things at the most (default: 100)
      --jobs N          threads, up to ${JOBS_MAX} (default: one a processor, and no
                        more than the image is worth)
      --bs BYTES        the block size that the image is read in: a power of
                        two, at least 512 (default: 512)
      --json            print a report a line: docs/VERIFY.md describes it
  -q, --quiet           print nothing: the exit status tells
  -h, --help            print this help

Exit statuses: 0 all images are sound; 4 one is damaged, or not what --commit,
--tree or --against say; 8 one cannot be read; 16 the arguments are wrong; 9 and
12 to 15 are --against's, as docteur make --help has them. Of several images the
worst counts.

Where GITHUB_ACTIONS is true, findings are printed as annotations, too.

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
  bs: { type: "string" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

const EXITS: Record<ReportStatus, number> = {
  sound: EXIT.ok,
  damaged: EXIT.damaged,
  mismatch: EXIT.damaged,
  unreadable: EXIT.io,
};

/** What docteur 0.0.7 prints. */
function describe({ report, text }: VerifiedImage): Buffer {
  const { authorLine, message } = text!;
  return Buffer.concat([
    Buffer.from(`commit\t: ${report.commit}\nauthor\t: `),
    ocamlPerson(authorLine),
    Buffer.from(`\nroot\t: ${report.tree}\n`),
    ...(message === undefined ? [] : [Buffer.from("\n"), message]),
    Buffer.from("\n"),
  ]);
}

/** What is printed on standard error. @param image its name, where there are several */
function findingLines({ severity, message, hint }: Finding, image: string | undefined): string {
  const kind = severity === "error" ? "" : `${severity}: `;
  // An older form of commands of GitHub's runner counts anywhere in a line.
  const shown = (text: string): string => escapeControls(text).replaceAll("##[", "# #[");
  const line = shown(`docteur: ${image === undefined ? "" : `${image}: `}${kind}${message}`);
  return `${line}\n${hint === undefined ? "" : `hint: ${shown(hint)}\n`}`;
}

function parseCount(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
  if (count >= least && count <= most) return count;
  throw usageError(`--${name} takes a number from ${least} to ${most}: ${text}`);
}

type Values = ReturnType<typeof parse<typeof OPTIONS>>["values"];

/** What each phase is called. */
const PHASES: Record<VerifyProgress["phase"], string> = {
  read: "reading",
  hash: "hashing",
  resolve: "checking",
};

function optionsOf(values: Values): VerifyOptions {
  const { quick, commit, tree, against } = values;
  const maxFindings = parseCount("max-findings", values["max-findings"], 1, 1_000_000);
  const jobs = parseCount("jobs", values.jobs, 1, JOBS_MAX);
  return {
    blockSize: parseBlockSize(values.bs),
    ...(quick === undefined ? {} : { quick }),
    ...(commit === undefined ? {} : { commit }),
    ...(tree === undefined ? {} : { tree }),
    ...(against === undefined ? {} : { against }),
    ...(maxFindings === undefined ? {} : { maxFindings }),
    ...(jobs === undefined ? {} : { jobs }),
  };
}

function printFindings({ findings, truncated }: Report, image: string, isOneOfMany: boolean): void {
  for (const finding of findings)
    process.stderr.write(findingLines(finding, isOneOfMany ? image : undefined));
  if (truncated)
    process.stderr.write(
      `docteur: ${isOneOfMany ? `${escapeControls(image)}: ` : ""}there is more (--max-findings)\n`,
    );
}

async function run(argv: string[]): Promise<number> {
  const images = parseImages(argv);
  const { values } = images;
  const options = optionsOf(values);
  let status: number = EXIT.ok;
  const progress = new ProgressLine(values.quiet);
  for (const image of images.paths) {
    const onProgress = ({ phase, done, total }: VerifyProgress): void =>
      progress.update(
        () => `${escapeControls(image)}: ${PHASES[phase]}: ${Math.floor((100 * done) / total)} %`,
      );
    const verified = await verifyImage(image, { ...options, onProgress }).finally(() => progress.clear());
    const { report } = verified;
    status = Math.max(status, EXITS[report.status]);
    if (values.quiet) continue;
    if (values.json) {
      // An older form of commands of GitHub's runner counts anywhere in a line.
      print(`${JSON.stringify(report).replaceAll("##[", "#\\u0023[")}\n`);
      continue;
    }
    const isOneOfMany = images.paths.length > 1;
    const isOnGitHub = process.env.GITHUB_ACTIONS === "true";
    if (report.status === "sound") {
      if (isOneOfMany) print(`image\t: ${escapeControls(image)}\n`);
      const text = describe(verified);
      const shown = isOnTerminal() ? hideControls(text, true) : text;
      print(isOnGitHub ? withoutCommands(shown) : shown);
    }
    flush();
    printFindings(report, image, isOneOfMany);
    if (isOnGitHub) for (const finding of report.findings) print(annotation(finding, image));
  }
  return status;
}

function parseImages(argv: string[]): { values: Values; paths: string[] } {
  // As many arguments as there may be: each stands for an image.
  const names = argv.map(() => "IMAGE");
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"], names);
  return { values, paths: positionals };
}

export const command: Command = {
  summary: "whether images are sound, and what they hold",
  help: HELP,
  run,
};
