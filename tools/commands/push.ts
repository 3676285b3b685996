/** `docteur push`: an image goes into a registry. */
import { CHUNK_MIN, type PushProgress, push } from "../../src/oci/push.js";
import { printableJson } from "../../src/text/printable.js";
import { type Command, parse, parseSize, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { formatBytes } from "../cli/format.js";
import { say } from "../cli/messages.js";
import { print } from "../cli/output.js";
import { interruptible } from "../cli/process.js";
import { ProgressLine } from "../cli/progress.js";
import { registryUrl } from "../cli/registry-url.js";

const HELP = `usage: docteur push [OPTION]... IMAGE oci://REGISTRY/NAME[:TAG]

Puts IMAGE into a registry, as an OCI artifact with one layer: the image as it
is. Where the registry has these bytes already, only the tag is written. docteur
reads the artifact by its URL, without downloading it; docteur pull and tools
such as oras and skopeo download and copy it.

The registry is asked by https; one on this machine's loopback, and one that is
written as oci+http://REGISTRY/NAME, by http. Credentials are those that docker
login has kept: in the folder DOCKER_CONFIG or in ~/.docker/config.json, or by
the credential helper that is named there.

Options:
      --source URL       note where the commit comes from (the annotation
                         org.opencontainers.image.source)
      --chunk-size SIZE  upload in chunks of so many bytes, such as 16M, and at
                         least 5M; a chunk that fails is sent again, and not the
                         whole image (default: one request for all)
      --json             print a summary as JSON
  -q, --quiet            print no progress and no closing line
  -h, --help             print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Example:
  docteur push disk.img oci://registry.example/site:v1`;

const OPTIONS = {
  source: { type: "string" },
  "chunk-size": { type: "string" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

function describeProgress({ phase, done, total, step, steps }: PushProgress): string {
  const percent = Math.floor((100 * done) / Math.max(total, 1));
  return `[${step}/${steps}] ${phase}: ${percent} % of ${formatBytes(total)}`;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "URL"]);
  const { source, json, quiet } = values;
  const url = registryUrl(positionals[1]!);
  const chunkSize = parseSize("--chunk-size", values["chunk-size"]);
  if (chunkSize !== undefined && (chunkSize < CHUNK_MIN || chunkSize > 2 ** 30))
    throw usageError("--chunk-size is from 5M to 1G");
  const progress = new ProgressLine(quiet);
  const onProgress = (step: PushProgress): void =>
    progress.update(() => describeProgress(step), { ...step, name: step.phase, isBytes: true });
  const summary = await interruptible((signal) =>
    push(positionals[0]!, url, { source, chunkSize, signal, onProgress }),
  ).finally(() => progress.clear());
  const { reference, imageBytes, uploaded } = summary;
  const how = uploaded ? `${formatBytes(imageBytes)} uploaded` : "the registry had the image already";
  if (!quiet) say(`${reference}: commit ${summary.commit}, ${how}`);
  if (json) print(`${printableJson(summary, 2)}\n`);
  return EXIT.ok;
}

/** See `Command`. */
export const command: Command = {
  summary: "put an image into an OCI registry",
  help: HELP,
  options: OPTIONS,
  run,
};
