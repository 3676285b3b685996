/** Our image beside what else holds many files in one: its size, making it, a first file, random files, memory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DocteurError } from "../../src/errors.js";
import { seeded } from "../support/random.js";
import { findProgram } from "../support/servers.js";
import type { Benchmark, Context } from "./benchmark.js";
import type { Corpus } from "./corpus.js";
import { createRow, median, type Row, timed } from "./measure.js";
import { shuffled } from "./sample.js";

const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
const LIBRARY = new URL("../../src/index.js", import.meta.url).href;
/** Files that are read at random, at most. */
const READS = 200;
/** Runs of which the median counts. */
const RUNS = 3;

/** What reads files at random prints: milliseconds from opening on, and the most memory of its process, in KiB. */
interface Reading {
  milliseconds: number;
  kibibytes: number;
}

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** A format with its programs. */
interface Contender {
  name: string;
  /** Programs, and modules of Python after a colon, that it needs. */
  needs: readonly string[];
  ending: string;
  /** Makes the file from the directory in which it runs. */
  make(archive: string): Command;
  /** Prints a file, in a process of its own. */
  first?(archive: string, path: string): Command;
  /** Reads the paths that come on standard input, a line each, and prints a `Reading`. */
  reader?(archive: string): Command;
  /** Mounts the archive in the foreground; files are then read from the directory. */
  mount?(archive: string, directory: string): Command;
}

const NODE_READER = (open: string, read: string): string => `
${open}
const { readFileSync } = await import("node:fs");
const paths = readFileSync(0, "utf8").trimEnd().split("\\n");
const start = performance.now();
await begin();
for (const path of paths) ${read};
const milliseconds = performance.now() - start;
console.log(JSON.stringify({ milliseconds, kibibytes: process.resourceUsage().maxRSS }));`;

const PYTHON_READER = (open: string, read: string): string => `
import json, resource, sys, time
paths = sys.stdin.read().rstrip("\\n").split("\\n")
start = time.perf_counter()
${open}
for path in paths: ${read}
taken = (time.perf_counter() - start) * 1000
print(json.dumps({"milliseconds": taken, "kibibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))`;

const MAKE_ZIM = `
import mimetypes, os, sys
from libzim.writer import Creator, FileProvider, Item
class Page(Item):
    def __init__(self, path): super().__init__(); self.path = path
    def get_path(self): return self.path
    def get_title(self): return self.path
    def get_mimetype(self): return mimetypes.guess_type(self.path)[0] or "application/octet-stream"
    def get_contentprovider(self): return FileProvider(self.path)
    def get_hints(self): return {}
with Creator(sys.argv[1]).config_indexing(False, "eng") as creator:
    for folder, folders, files in os.walk("."):
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), ".")
            if not os.path.islink(path): creator.add_item(Page(path))`;

const nodeReader = (open: string, read: string): Command => [
  process.execPath,
  ...["--input-type=module", "-e", NODE_READER(open, read)],
];

const OURS: Contender = {
  name: "docteur",
  needs: [],
  ending: "img",
  make: (archive) => [process.execPath, PROGRAM, "make", "-q", ".", archive],
  first: (archive, path) => [process.execPath, PROGRAM, "cat", archive, `/${path}`],
  reader: (archive) =>
    nodeReader(
      `const { open } = await import(${JSON.stringify(LIBRARY)}); let volume;
      const begin = async () => { volume = await open(${JSON.stringify(archive)}); };`,
      'await volume.get("/" + path)',
    ),
};

const TAR = (archive: string): Command => ["tar", "-czf", archive, "."];

const PEERS: readonly Contender[] = [
  {
    name: "squashfs (zstd)",
    needs: ["mksquashfs", "unsquashfs", "squashfuse", "fusermount3"],
    ending: "squashfs",
    make: (archive) => ["mksquashfs", ".", archive, "-comp", "zstd", "-quiet", "-no-progress"],
    first: (archive, path) => ["unsquashfs", "-cat", archive, path],
    mount: (archive, directory) => ["squashfuse", "-f", archive, directory],
  },
  {
    name: "dwarfs",
    needs: ["mkdwarfs", "dwarfs", "fusermount3"],
    ending: "dwarfs",
    make: (archive) => ["mkdwarfs", "-i", ".", "-o", archive, "--log-level=error"],
    mount: (archive, directory) => ["dwarfs", archive, directory, "-f"],
  },
  {
    name: "zip",
    needs: ["zip", "unzip", "python3"],
    ending: "zip",
    make: (archive) => ["zip", "-q", "-r", "-9", archive, "."],
    first: (archive, path) => ["unzip", "-p", archive, path],
    reader: (archive) => [
      ...([
        "python3",
        "-c",
        PYTHON_READER("import zipfile, sys\nz = zipfile.ZipFile(sys.argv[1])", "z.read(path)"),
      ] as const),
      archive,
    ],
  },
  {
    name: "tar.gz, as git archive",
    needs: ["tar"],
    ending: "tar.gz",
    make: TAR,
    first: (archive, path) => ["tar", "-xzOf", archive, `./${path}`],
  },
  {
    name: "ratarmount on tar.gz",
    needs: ["tar", "ratarmount", "fusermount3"],
    ending: "rata.tar.gz",
    make: TAR,
    mount: (archive, directory) => ["ratarmount", "-f", archive, directory],
  },
  {
    name: "ZIM (libzim)",
    needs: ["zimdump", "python3:libzim"],
    ending: "zim",
    make: (archive) => ["python3", "-c", MAKE_ZIM, archive],
    first: (archive, path) => ["zimdump", "show", `--url=${path}`, archive],
    reader: (archive) => [
      ...([
        "python3",
        "-c",
        PYTHON_READER(
          "from libzim.reader import Archive\na = Archive(sys.argv[1])",
          "bytes(a.get_entry_by_path(path).get_item().content)",
        ),
      ] as const),
      archive,
    ],
  },
];

/** Runs a command to its end. @returns what it printed */
async function run(command: Command, cwd: string, input = ""): Promise<string> {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.on("error", () => undefined).end(input);
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new DocteurError("Io", `${program} failed: ${said.trim().split("\n").at(-1)}`);
  return Buffer.concat(chunks).toString("latin1");
}

/** What is not installed of what a contender needs. */
async function lacking({ needs }: Contender): Promise<string[]> {
  const missing: string[] = [];
  for (const need of needs) {
    const [program, module] = need.split(":") as [string, string?];
    if (findProgram(program) === undefined) missing.push(program);
    else if (module !== undefined)
      await run([program, "-c", `import ${module}`], ".").catch(() => missing.push(module));
  }
  return missing;
}

/** Mounts an archive, lets `work` read from the directory, and unmounts. @returns what it gave, and the most KiB of the mounting process */
async function mounted<T>(
  { mount }: Contender,
  archive: string,
  directory: string,
  work: () => Promise<T>,
): Promise<{ result: T; kibibytes: number }> {
  mkdirSync(directory, { recursive: true });
  const before = statSync(directory).dev;
  const [program, ...args] = mount!(archive, directory);
  const child = spawn(program, args, { stdio: "ignore" });
  const closed = once(child, "close");
  try {
    while (statSync(directory).dev === before) {
      if (child.exitCode !== null) throw new DocteurError("Io", `${program} mounts nothing`);
      await setTimeout(2);
    }
    const result = await work();
    const [, peak] = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))!;
    return { result, kibibytes: Number(peak) };
  } finally {
    await run(["fusermount3", "-u", directory], ".").catch(() => child.kill());
    await closed;
  }
}

/** What is measured of a contender, by the name of the row. */
type Measured = Record<string, number | undefined>;

async function measureOne(
  contender: Contender,
  { workTree, files }: Corpus,
  folder: string,
): Promise<Measured> {
  const archive = join(folder, `corpus.${contender.ending}`);
  const directory = join(folder, "mount");
  const making = await timed(() => run(contender.make(archive), workTree));
  const random = seeded(7);
  const paths = shuffled(files, random)
    .slice(0, READS)
    .map(({ path }) => path);
  const list = `${paths.join("\n")}\n`;
  const repeat = async (work: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < RUNS; index++) times.push(await timed(work));
    return median(times);
  };
  const { mount } = contender;
  const cat = contender.first;
  const inMount = nodeReader("const begin = () => {};", "readFileSync(path)");
  const first =
    cat !== undefined
      ? await repeat(() => run(cat(archive, paths[0]!), folder))
      : await repeat(() =>
          mounted(contender, archive, directory, async () => readFileSync(join(directory, paths[0]!))),
        );
  const measured: Measured = {
    "compare-size": statSync(archive).size,
    "compare-make": making,
    "compare-first": first,
  };
  const reader = contender.reader?.(archive);
  const readings: Reading[] = [];
  for (let index = 0; index < RUNS; index++)
    if (reader !== undefined) readings.push(JSON.parse(await run(reader, folder, list)) as Reading);
    else if (mount !== undefined) {
      const { result, kibibytes } = await mounted(contender, archive, directory, () =>
        run(inMount, directory, list),
      );
      readings.push({ ...(JSON.parse(result) as Reading), kibibytes });
    }
  if (readings.length > 0) {
    measured["compare-random"] =
      (1000 * median(readings.map(({ milliseconds }) => milliseconds))) / paths.length;
    measured["compare-memory"] = median(readings.map(({ kibibytes }) => kibibytes));
  }
  return measured;
}

const UNITS: Readonly<Record<string, string>> = {
  "compare-size": "bytes",
  "compare-make": "ms",
  "compare-first": "ms",
  "compare-random": "us/file",
  "compare-memory": "KiB",
};

async function compareAll({ corpus, note, signal }: Context): Promise<Row[]> {
  const data = await corpus();
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  const rows: Row[] = [];
  try {
    const ours = await measureOne(OURS, data, folder);
    for (const peer of PEERS) {
      signal.throwIfAborted();
      const missing = await lacking(peer);
      if (missing.length > 0) {
        note(`${peer.name} is not measured: there is no ${missing.join(", no ")}`);
        continue;
      }
      const theirs = await measureOne(peer, data, folder).catch((error: unknown) => {
        note(`${peer.name} is not measured: ${error instanceof Error ? error.message : String(error)}`);
        return {} as Measured;
      });
      for (const [name, unit] of Object.entries(UNITS)) {
        const value = theirs[name];
        if (value === undefined) continue;
        const row = { name, corpus: data.name, unit, ours: ours[name]!, peer: value, peerName: peer.name };
        rows.push(createRow(row, "less"));
      }
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const COMPARE: Record<string, Benchmark> = { compare: compareAll };
