/** `docteur pull`: an image out of a registry becomes a file. */
import { type PullProgress, pull } from "../../src/oci/pull.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, parse } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes } from "../cli/format.js";
import { note, say } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { interruptible } from "../cli/process.js";
import { ProgressLine } from "../cli/progress.js";
import { registryUrl } from "../cli/registry-url.js";

const HELP = `usage: docteur pull [OPTION]... oci://REGISTRY/NAME[:TAG][@DIGEST] FILE

Downloads an image that docteur push, or a tool such as oras or skopeo, has put
into a registry. Its digest is compared with the one of the manifest. With
@DIGEST, such as @sha256:…, the manifest's own digest is compared, too.

FILE appears when it is complete, and replaces the file that was there. If pull
fails or is interrupted, what has come stays beside FILE, in a hidden file
whose name ends in .part, and the next pull of that image into that folder goes
on from there. If the registry, or the storage behind it, does not serve
ranges, pull downloads the image by one request, each time from the start.

The registry is asked by https; one on this machine's loopback, and one that is
written as oci+http://REGISTRY/NAME, by http. Credentials are those that docker
login has kept: in the folder DOCKER_CONFIG or in ~/.docker/config.json, or by
the credential helper that is named there.

Options:
      --json   print a summary as JSON
  -q, --quiet  print no progress and no closing line
  -h, --help   print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Example:
  docteur pull oci://registry.example/site:v1 disk.img`;

const OPTIONS = { json: { type: "boolean" }, quiet: { type: "boolean", short: "q" } } as const;

function describeProgress({ done, total }: PullProgress): string {
  return `downloading: ${Math.floor((100 * done) / Math.max(total, 1))} % of ${formatBytes(total)}`;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["URL", "FILE"]);
  const { json, quiet } = values;
  const [url, file] = [registryUrl(positionals[0]!), positionals[1]!];
  const progress = new ProgressLine(quiet);
  const onProgress = (step: PullProgress): void =>
    progress.update(() => describeProgress(step), { ...step, name: step.phase, isBytes: true });
  const summary = await interruptible((signal) => pull(url, file, { signal, onProgress })).finally(() =>
    progress.clear(),
  );
  const { reference, imageBytes, resumedBytes } = summary;
  if (!quiet) {
    if (resumedBytes > 0) note(`${formatBytes(resumedBytes)} were here from an earlier run`);
    say(`${file}: ${formatBytes(imageBytes)} of ${reference}`);
  }
  if (json) print(`${printableJson(summary, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "download an image from an OCI registry",
  help: HELP,
  options: OPTIONS,
  run,
};
