/** The messages of `docteur make` for people: its progress, its result, and the parts that it left out. */
import type { MakeProgress, MakeSummary, Noticed } from "../../src/make/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { formatBytes, formatPercent, plural } from "../cli/format.js";
import { note, warn } from "../cli/messages.js";
import type { Step } from "../cli/progress.js";

/** The name of each phase, and its unit. */
const PHASES: Record<MakeProgress["phase"], [what: string, noun: string]> = {
  fetch: ["fetching", "object"],
  scan: ["listing", "file"],
  read: ["reading", "object"],
  compare: ["comparing", "pair"],
  pack: ["packing", "object"],
};

export function describeProgress({ phase, done, total, step, steps }: MakeProgress): string {
  const [what, noun] = PHASES[phase];
  const head = `[${step}/${steps}] ${what}`;
  if (total === undefined) return `${head}: ${plural(done, noun)}`;
  return `${head}: ${Math.floor((100 * done) / Math.max(total, 1))} % of ${plural(total, noun)}`;
}

/** The same for a `ProgressLine`. */
export function progressStep({ phase, done, total, step }: MakeProgress): Step | undefined {
  return total === undefined ? undefined : { name: `${step} ${phase}`, done, total };
}

/** The reasons why something is not in the image. */
const WHY_LEFT_OUT: Record<MakeSummary["skipped"][number]["reason"], string> = {
  git: "git trees hold no .git",
  temporary: "an image that is not finished",
  special: "not a file, directory or symbolic link",
};

/** The result, and the milliseconds that it took. */
export function describeResult(image: string, summary: MakeSummary, duration: number): string {
  const { commit, fileCount, contentBytes, imageBytes } = summary;
  // Of small files an image has more bytes than they: a share says nothing then.
  const share = imageBytes >= contentBytes ? "" : ` (${formatPercent(imageBytes / contentBytes)})`;
  const sizes = `${formatBytes(contentBytes)} in ${formatBytes(imageBytes)}${share}`;
  return `${image}: commit ${commit}, ${plural(fileCount, "file")}, ${sizes}, ${(duration / 1000).toFixed(1)} s`;
}

/** "2 submodules are left out: a, b" */
function warnOf({ count, first }: Noticed, noun: string, what: [string, string]): void {
  if (count === 0) return;
  const more = count > first.length ? ", …" : "";
  const paths = first.map(({ path, quoted = quotePath(path.slice(1)) }) => quoted.replace(/^"\//, '"'));
  warn(`${plural(count, noun)} ${what[count === 1 ? 0 : 1]}: ${paths.join(", ")}${more}`);
}

/** Warns of content that the image does not really hold. */
export function warnAbout(summary: MakeSummary): void {
  const { skipped, skippedCount } = summary;
  for (const { sourcePath, reason } of skipped) warn(`${sourcePath} is left out: ${WHY_LEFT_OUT[reason]}`);
  if (skippedCount > skipped.length) warn(`${skippedCount - skipped.length} more are left out`);
  const { strippedCount } = summary;
  if (strippedCount > 0)
    note(`${plural(strippedCount, "file")} left out: --strip-components takes the whole path away`);
  warnOf(summary.omittedSubmodules, "submodule", ["is left out", "are left out"]);
  const pointers: [string, string] = [
    "is a Git LFS pointer, not the content",
    "are Git LFS pointers, not the content",
  ];
  const dangling: [string, string] = ["leads to nothing in the image", "lead to nothing in the image"];
  warnOf(summary.danglingLinks, "symbolic link", dangling);
  warnOf(summary.lfsPointers, "file", pointers);
}
