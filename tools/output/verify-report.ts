/** The messages of `docteur verify` for people: its progress, the commit of a sound image, the checks, and the findings. */

import { printable } from "../../src/text/printable.js";
import type { Report, VerifiedImage, VerifyProgress } from "../../src/verify/index.js";
import { plural } from "../cli/format.js";
import { type Part, say, sayError, sayHint } from "../cli/messages.js";
import { ocamlPerson } from "./ocaml.js";

/** The name of each phase. */
const PHASES: Record<VerifyProgress["phase"], string> = {
  fetch: "fetching",
  read: "reading",
  hash: "hashing",
  resolve: "checking",
};

export function describeProgress(image: string, { phase, done, total, step, steps }: VerifyProgress): string {
  return `${printable(image)}: [${step}/${steps}] ${PHASES[phase]}: ${Math.floor((100 * done) / Math.max(total, 1))} %`;
}

/** The commit of a sound image, byte for byte as docteur 0.0.7 prints it. */
export function describeCommit({ report, text }: VerifiedImage): Buffer {
  const { authorLine, message } = text!;
  return Buffer.concat([
    Buffer.from(`commit\t: ${report.commit}\nauthor\t: `),
    ocamlPerson(authorLine),
    Buffer.from(`\nroot\t: ${report.tree}\n`),
    ...(message === undefined ? [] : [Buffer.from("\n"), message]),
    Buffer.from("\n"),
  ]);
}

/** The line for a sound image, with the checks that were made. */
function describeSound(image: string, { checks, objectCount }: Report): Part[] {
  if (checks === "quick")
    return [
      `${image}: `,
      ["green", "no damage found:"],
      " header, PACK checksum, index and commit checked; other objects not (--quick)",
    ];
  const objects = objectCount === undefined ? "all objects" : plural(objectCount, "object");
  return [
    `${image}: `,
    ["green", "sound:"],
    ` header, PACK checksum, index, ${objects} and every path of the commit checked`,
  ];
}

/**
 * Prints the findings on standard error, and that an image is sound, or how many errors it has if there are several.
 * @param image its name
 * @param isOneOfMany whether findings name it
 */
export function printVerdict(report: Report, image: string, isOneOfMany: boolean): void {
  const subject = isOneOfMany ? `${image}: ` : "";
  for (const { severity, message, hint } of report.findings) {
    if (severity === "error") sayError(`${subject}${message}`);
    else say(["yellow", "docteur:"], ` ${subject}${severity}: ${message}`);
    if (hint !== undefined) sayHint(hint);
  }
  if (report.truncated) sayError(`${subject}there is more (--max-findings)`);
  const errorCount = report.findings.filter(({ severity }) => severity === "error").length;
  if (report.status === "sound") say(...describeSound(image, report));
  else if (report.status === "damaged" && errorCount > 1)
    say(`${image}: `, ["red", "damaged:"], ` ${report.truncated ? "at least " : ""}${errorCount} errors`);
}
