/** Workflow commands of GitHub's runner: annotations, and text that must not hold any. */
import { randomUUID } from "node:crypto";
import { printable } from "../../src/text/printable.js";
import type { Finding } from "../../src/verify/index.js";

/** An image's text, for GitHub's runner: between these two lines the runner obeys no commands in it. */
export function withoutCommands(text: Buffer): Buffer {
  const token = randomUUID();
  return Buffer.concat([Buffer.from(`::stop-commands::${token}\n`), text, Buffer.from(`\n::${token}::\n`)]);
}

/** An annotation: a workflow command of GitHub's, whose data and properties are escaped as its runner reads them. */
export function annotation({ severity, code, message, hint }: Finding, image: string): string {
  const data = (text: string): string => printable(text).replaceAll("%", "%25");
  const property = (text: string): string => data(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
  const kind = severity === "note" ? "notice" : severity;
  return `::${kind} file=${property(image)},title=${property(`docteur: ${code}`)}::${data(message)}${hint === undefined ? "" : `%0A${data(hint)}`}\n`;
}
