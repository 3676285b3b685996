/**
 * Fuzzes: `npm run fuzz -- TARGET [--seconds N] [--seed S] [--case=N]`. TARGET is one of `TARGETS`, or `all`, which divides the time.
 * A case that fails is written to `fuzz-TARGET-SEED-N.bin` in the current folder; `--seed SEED --case=N` runs it again. The saved inputs of
 * `tests/fuzz/corpus/TARGET` come first, as the cases below 0. The cases run in a thread of their own, so that one that hangs is found, too.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { savedInputs } from "./corpus.js";
import { type RunResult, runTarget } from "./target.js";
import { TARGETS, type TargetName } from "./targets.js";

/**
 * A case that takes longer hangs: milliseconds of a processor, or looks of the watch, twice a second. A machine that is
 * busy with other things lets a case take any time.
 */
const HANG_MS = 20_000;
const HANG_LOOKS = 240;
/** Room for the input of the current case. */
const INPUT_MAX = 4 << 20;

/** One target's run, as the thread is given it. */
interface Job {
  name: TargetName;
  seed: number;
  seconds: number;
  only: number | undefined;
  /** The current case and its input's length, i32 each; then the input. */
  shared: SharedArrayBuffer;
}

type Report = Pick<RunResult, "cases" | "counts"> & { failure?: string };

async function work({ name, seed, seconds, only, shared }: Job): Promise<void> {
  const head = new Int32Array(shared, 0, 2);
  const room = new Uint8Array(shared, 8);
  const range = only === undefined ? { seconds } : { from: only, cases: 1 };
  const { cases, counts, failure } = await runTarget(TARGETS[name], {
    seed,
    corpus: savedInputs(name),
    ...range,
    onCase: (index) => {
      head[0] = index;
      head[1] = 0;
    },
    onInput: (input) => {
      room.set(input.subarray(0, INPUT_MAX));
      head[1] = Math.min(input.length, INPUT_MAX);
    },
  });
  const report: Report = { cases, counts };
  if (failure !== undefined) report.failure = (failure.error as Error).stack ?? String(failure.error);
  parentPort!.postMessage(report);
}

/** Runs a target in a thread. @returns whether nothing was found */
async function fuzz(name: TargetName, seed: number, seconds: number, only?: number): Promise<boolean> {
  const shared = new SharedArrayBuffer(8 + INPUT_MAX);
  const head = new Int32Array(shared, 0, 2);
  const job: Job = { name, seed, seconds, only, shared };
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  let since = process.cpuUsage();
  let looks = 0;
  let last = -1;
  const report = await new Promise<Report>((resolve, reject) => {
    const watch = setInterval(() => {
      if (head[0] !== last) {
        since = process.cpuUsage();
        looks = 0;
      }
      last = head[0]!;
      const { user, system } = process.cpuUsage(since);
      if ((user + system) / 1000 > HANG_MS || ++looks > HANG_LOOKS)
        resolve({ cases: last, counts: {}, failure: "it hangs" });
    }, 500);
    worker.once("message", resolve).once("error", reject);
    worker.once("exit", () => clearInterval(watch));
  }).finally(() => worker.terminate());
  const counts = Object.entries(report.counts).map(([what, count]) => `${count} ${what}`);
  console.log(`${name}: seed ${seed}, ${report.cases} cases: ${counts.join(", ")}`);
  if (report.failure === undefined) return true;
  const file = `fuzz-${name}-${seed}-${head[0]}.bin`;
  writeFileSync(file, new Uint8Array(shared, 8, head[1]));
  console.error(`${name}: case ${head[0]} of seed ${seed} failed, see ${file}\n${report.failure}`);
  return false;
}

function usage(): never {
  console.error(
    `usage: npm run fuzz -- ${Object.keys(TARGETS).join("|")}|all [--seconds N] [--seed S] [--case=N]`,
  );
  process.exit(16);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: "string" }, seed: { type: "string" }, case: { type: "string" } },
    allowPositionals: true,
  });
  const [target = "", ...rest] = positionals;
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Date.now() | 0);
  const only = values.case === undefined ? undefined : Number(values.case);
  const names = target === "all" ? (Object.keys(TARGETS) as TargetName[]) : [target as TargetName];
  if (rest.length > 0 || !names.every((name) => Object.hasOwn(TARGETS, name))) usage();
  if (!(seconds > 0) || !Number.isInteger(seed) || (only !== undefined && !Number.isInteger(only))) usage();
  for (const name of names) if (!(await fuzz(name, seed, seconds / names.length, only))) process.exitCode = 1;
}

await (isMainThread ? main() : work(workerData as Job));
