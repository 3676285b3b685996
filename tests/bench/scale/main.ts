/**
 * `npm run scale`: makes an image of synthetic documentation of many paths and measures it. docs/BENCHMARKS.md says what, and
 * has figures of earlier runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "../../../src/index.js";
import { parse, parseCount } from "../../../tools/cli/arguments.js";
import { EXIT } from "../../../tools/cli/exit.js";
import { interruptible, runProgram } from "../../../tools/cli/process.js";
import { seeded } from "../../support/random.js";
import { median, timed } from "../measure.js";
import { hundredths, latencyOf, tenths } from "./latency.js";
import { measurePeers, pipeLatency } from "./peers.js";
import { plotScale } from "./plot.js";
import { type Cost, runMeasured } from "./run.js";
import { type SiteShape, siteTar } from "./site.js";

const HELP = `usage: npm run scale -- [OPTION]...

Makes an image of synthetic documentation, which is fed to docteur make as a tar
archive, and measures the making, the image, and reading from it. Prints JSON.

Options:
      --paths N      files, about (default: 10000)
      --versions N   versions of the site (default: a square root of N, at most 100)
      --sections N   sections of a page, of a kilobyte each (default: 7)
      --keep FILE    keep the image there
      --peers        measure squashfs and git on the same files, too, where they
                     are installed
      --minutes N    how long each of them may take to make its archive
                     (default: 20)
      --image FILE   measure reading from an image that is there, and make none
      --plot         draw docs/figures/scale.json as scale.svg, and measure nothing
  -h, --help         print this help`;

const OPTIONS = {
  paths: { type: "string" },
  versions: { type: "string" },
  sections: { type: "string" },
  keep: { type: "string" },
  peers: { type: "boolean" },
  minutes: { type: "string" },
  image: { type: "string" },
  plot: { type: "boolean" },
} as const;

const DOCTEUR = fileURLToPath(new URL("../../../tools/docteur.js", import.meta.url));
const PATHS = 10_000;
const PATHS_MAX = 10_000_000;
const READS = 10_000;
/** Look-ups that each begin with a cold volume. */
const COLD = 30;
const OPENS = 60;
/** Of them, those that do not count: engines compile what runs often. */
const WARM_UP = 10;
/** Paths that are kept to read from. Many strings would make the collections of garbage long, which opening sets off. */
const SAMPLE = 10_000;
/** Minutes that each peer may take to make its archive. */
const MINUTES = 20;
const MINUTES_MAX = 1440;

/** How an image was made. */
interface Made extends Cost {
  contentBytes: number;
  paths: string[];
  files: number;
}

async function make(shape: SiteShape, image: string, signal: AbortSignal): Promise<Made> {
  const random = seeded(2);
  const paths: string[] = [];
  let contentBytes = 0;
  let files = 0;
  const onFile = (path: string, size: number): void => {
    contentBytes += size;
    files++;
    if (paths.length < SAMPLE) paths.push(path);
    else if (random(files) < SAMPLE) paths[random(SAMPLE)] = path;
  };
  const cost = await runMeasured([process.execPath, DOCTEUR, "make", "--quiet", "-", image], {
    input: siteTar(shape, onFile),
    signal,
  });
  return { ...cost, contentBytes, paths, files };
}

/** Paths of an image's files, at most `SAMPLE`, at random. */
async function pathsOf(image: string): Promise<string[]> {
  const random = seeded(2);
  const paths: string[] = [];
  const volume = await open(image);
  let files = 0;
  for await (const { path, kind } of volume.walk("/", { oids: false })) {
    if (kind === "directory") continue;
    files++;
    if (paths.length < SAMPLE) paths.push(path);
    else if (random(files) < SAMPLE) paths[random(SAMPLE)] = path;
  }
  await volume.close();
  return paths;
}

/** Measures reading. Times are in milliseconds and microseconds. */
async function read(image: string, paths: readonly string[]): Promise<Record<string, unknown>> {
  const random = seeded(3);
  const some = (): string => paths[random(paths.length)]!;
  const opens: number[] = [];
  for (let turn = 0; turn < OPENS; turn++)
    opens.push(await timed(async () => void (await (await open(image)).close())));
  const cold: number[] = [];
  const coldBytes: number[] = [];
  for (let turn = 0; turn < COLD; turn++) {
    const volume = await open(image);
    const before = volume.stats();
    await volume.size(some());
    const after = volume.stats();
    cold.push(after.deviceReads - before.deviceReads);
    coldBytes.push(after.deviceBytes - before.deviceBytes);
    await volume.close();
  }
  const volume = await open(image);
  const lookups: number[] = [];
  const reads: number[] = [];
  for (let turn = 0; turn < READS; turn++) lookups.push(await timed(() => volume.size(some())));
  for (let turn = 0; turn < READS; turn++) reads.push(await timed(() => volume.get(some())));
  const list = await timed(() => volume.list("/", { oids: false }));
  const { memoryBytes } = volume.stats();
  const { layout, imageSize } = volume;
  await volume.close();
  return {
    imageBytes: imageSize,
    layout,
    openMs: hundredths(median(opens.slice(WARM_UP))),
    coldLookup: { deviceReads: median(cold), deviceBytes: median(coldBytes) },
    lookupMicroseconds: latencyOf(lookups),
    readMicroseconds: latencyOf(reads),
    listRootMs: hundredths(list),
    wasmBytes: memoryBytes,
  };
}

async function main(argv: string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(HELP);
    return EXIT.ok;
  }
  const { values } = parse(argv, OPTIONS, []);
  if (values.plot) {
    plotScale(new URL("../../../../docs/figures/scale.json", import.meta.url));
    return EXIT.ok;
  }
  if (values.image !== undefined) {
    console.log(JSON.stringify(await read(values.image, await pathsOf(values.image)), null, 2));
    return EXIT.ok;
  }
  const wanted = parseCount("--paths", values.paths, { least: 1, most: PATHS_MAX }) ?? PATHS;
  const square = Math.min(100, Math.ceil(Math.sqrt(wanted / 25)));
  const versions = parseCount("--versions", values.versions, { least: 1, most: 1000 }) ?? square;
  const sections = parseCount("--sections", values.sections, { least: 1, most: 100 }) ?? 7;
  const minutes = parseCount("--minutes", values.minutes, { least: 1, most: MINUTES_MAX }) ?? MINUTES;
  const shape = { versions, pages: Math.ceil(wanted / versions), sections };
  const folder = mkdtempSync(join(tmpdir(), "docteur-scale-"));
  try {
    const image = values.keep ?? join(folder, "site.img");
    const figures = await interruptible(async (signal) => {
      const { paths, seconds, processorSeconds, files, memory, contentBytes } = await make(
        shape,
        image,
        signal,
      );
      const made = {
        files,
        contentBytes,
        makeSeconds: tenths(seconds),
        makeProcessorSeconds: tenths(processorSeconds),
        makeMemory: memory,
      };
      const own = { ...shape, ...made, ...(await read(image, paths)) };
      if (!values.peers) return own;
      const peers = await measurePeers(folder, shape, paths, { signal, most: 60 * minutes });
      return { ...own, pipeMicroseconds: await pipeLatency(folder), peers };
    });
    console.log(JSON.stringify(figures, null, 2));
    return EXIT.ok;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

runProgram("scale", main);
