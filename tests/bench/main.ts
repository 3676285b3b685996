/** `npm run bench`: measures docteur against its peers. docs/BENCHMARKS.md says what, and how to read it. */
import { parse, usageError } from "../../tools/cli/arguments.js";
import { reportError } from "../../tools/cli/errors.js";
import { EXIT } from "../../tools/cli/exit.js";
import { interruptible, runProgram } from "../../tools/cli/process.js";
import { ProgressLine } from "../../tools/cli/progress.js";
import { ART } from "./art.js";
import type { Benchmark, Context } from "./benchmark.js";
import { COMPARE } from "./compare.js";
import { type Corpus, createCorpus } from "./corpus.js";
import { DEFLATE } from "./deflate.js";
import { EXTRACT } from "./extract.js";
import { GREP } from "./grep.js";
import { HTTP, stopSites } from "./http.js";
import { HTTP_SERVE } from "./http-serve.js";
import { INFLATE } from "./inflate.js";
import { LARGE_READ } from "./large-read.js";
import { MAKE } from "./make.js";
import { MAKE_FROM } from "./make-from.js";
import { formatRow, type Row, tableHead } from "./measure.js";
import { OPEN } from "./open.js";
import { READ } from "./read.js";
import { RUBY_START } from "./ruby.js";
import { SEEK } from "./seek.js";
import { VERIFY } from "./verify.js";
import { WASM_SIZE } from "./wasm-size.js";

const BENCHMARKS: Record<string, Benchmark> = {
  ...INFLATE,
  ...DEFLATE,
  ...ART,
  ...OPEN,
  ...READ,
  ...SEEK,
  ...LARGE_READ,
  ...RUBY_START,
  ...HTTP,
  ...HTTP_SERVE,
  ...MAKE,
  ...MAKE_FROM,
  ...VERIFY,
  ...EXTRACT,
  ...GREP,
  ...COMPARE,
  ...WASM_SIZE,
};
const NAMES = Object.keys(BENCHMARKS);

const HELP = `usage: npm run --silent bench -- [--json] [--corpus DIR] [NAME]...

Measures docteur against its peers, all benchmarks or those named:
  ${NAMES.join(" ").replace(/(.{60}\S*) /g, "$1\n  ")}

Options:
      --corpus DIR  measure on the files of a directory; by default, on some of node_modules
      --json        print an array of objects: name, corpus, unit, ours, peer, peerName, ratio
  -h, --help        print this help`;

/** Hands out one corpus, made when it is first asked for. */
class LazyCorpus {
  readonly #make: () => ReturnType<typeof createCorpus>;
  #made: ReturnType<typeof createCorpus> | undefined;

  constructor(make: () => ReturnType<typeof createCorpus>) {
    this.#make = make;
  }

  async get(): Promise<Corpus> {
    this.#made ??= this.#make();
    return (await this.#made).corpus;
  }

  async remove(): Promise<void> {
    // A corpus that could not be made has removed itself.
    (await this.#made?.catch(() => undefined))?.remove();
  }
}

/**
 * Runs benchmarks. One that fails says so, and the others run all the same.
 * @returns the exit status of the first that failed
 */
async function measure(
  names: readonly string[],
  directory: string | undefined,
  onRow: (row: Row) => void,
  signal: AbortSignal,
): Promise<number> {
  let status: number = EXIT.ok;
  const progress = new ProgressLine();
  const corpus = new LazyCorpus(() =>
    createCorpus(directory, (step) => progress.update(() => `${step} …`), signal),
  );
  const note = (text: string): void => {
    progress.clear();
    process.stderr.write(`bench: ${text}\n`);
  };
  const context: Context = { corpus: () => corpus.get(), note, signal };
  try {
    for (const name of names) {
      progress.update(() => `${name} …`);
      try {
        const rows = await BENCHMARKS[name]!(context);
        progress.clear();
        rows.forEach(onRow);
      } catch (error) {
        signal.throwIfAborted();
        progress.clear();
        const failed = reportError(`bench: ${name}`, error);
        if (status === EXIT.ok) status = failed;
      }
    }
    return status;
  } finally {
    progress.clear();
    await stopSites();
    await corpus.remove();
  }
}

async function main(argv: string[]): Promise<number> {
  const options = {
    json: { type: "boolean" },
    corpus: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  const { values, positionals } = parse(argv, options, [], NAMES);
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw usageError(`no benchmark ${unknown}`, `there is ${NAMES.join(", ")}`);
  const names = positionals.length > 0 ? positionals : NAMES;
  const rows: Row[] = [];
  const onRow = (row: Row): void => {
    if (rows.length === 0 && !values.json) process.stdout.write(`${tableHead()}\n`);
    rows.push(row);
    if (!values.json) process.stdout.write(`${formatRow(row)}\n`);
  };
  const status = await interruptible((signal) => measure(names, values.corpus, onRow, signal));
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
  return status;
}

runProgram("bench", main);
