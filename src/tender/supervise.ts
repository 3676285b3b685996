/**
 * Runs a guest in a thread of its own, so that whatever it does ends as an outcome: an endless loop at its time limit,
 * memory that the engine takes for it beyond its linear memory at a bound that follows from the memory limit. For Node.
 */
import { statSync } from "node:fs";
import { type TransferListItem, Worker } from "node:worker_threads";
import { pathOfUrl } from "../devices/node-files.js";
import { fileOf, toDevice } from "../devices/open.js";
import type { DeviceOptions } from "../devices/options.js";
import { DeviceServer } from "../devices/shared.js";
import { DocteurError } from "../errors.js";
import type { Outcome } from "./index.js";
import { ABORT_STATUS, type Answer, type DeviceFile, type Job, MEMORY_LIMIT } from "./job.js";

export type { DeviceFile } from "./job.js";

/** The status of a guest that reached its time limit: that of `timeout(1)`. */
export const TIMEOUT_STATUS = 124;

/** What a guest gets. */
export interface SuperviseOptions {
  /** Files and URLs by the names of devices: exactly those that the guest's manifest declares. */
  devices?: Readonly<Record<string, DeviceFile>>;
  /** How devices at URLs are read. */
  remote?: DeviceOptions | undefined;
  /** The guest's arguments; none by default. */
  args?: readonly string[];
  /** Bytes that the guest's memory may grow to, `MEMORY_LIMIT` by default. */
  memoryLimit?: number | undefined;
  /** Milliseconds after which the guest is stopped, at most 2^31 - 1; without it, it may run forever. */
  timeLimit?: number | undefined;
  /** The descriptor that takes the guest's output, 1 by default: standard output. */
  output?: number | undefined;
}

/** How a supervised guest ended. */
export interface SupervisedOutcome {
  /** As `Outcome` has it; 124 at the time limit, 255 where the engine ran out of memory. */
  status: number;
  cause: Outcome["cause"] | "timeout" | "memory";
  /** The trap or the failure, for people. */
  reason?: string;
  /** Why devices at URLs failed last, by their names: to the guest they have answered with EUNSPEC. */
  failures: ReadonlyMap<string, unknown>;
  /** Whether the console failed because its reader has closed the pipe. */
  isPipeBroken: boolean;
  /**
   * Whether the guest's thread does not react: it is inside a system call, or the engine compiles. It ends with the
   * process, which must be killed if it is to end now: `process.exit` waits for threads.
   */
  isStuck: boolean;
}

const MIB = 2 ** 20;
/** Memory of the process, beyond what it had and the guest's memory limit, that a guest may cost. */
const OVERHEAD = 256 * MIB;
/** The same, for each byte of the module: its code when compiled, and its functions. */
const OVERHEAD_PER_BYTE = 64;
/** Milliseconds between two looks at the memory of the process. */
const LOOK = 20;
/** Milliseconds that a thread has to end after it was told to. */
const GRACE = 500;

/** Bytes of a module, 0 where there is none: the thread says why. */
function sizeOf(guest: string | Uint8Array): number {
  return typeof guest === "string" ? (statSync(guest, { throwIfNoEntry: false })?.size ?? 0) : guest.length;
}

/** Why a guest was stopped. */
type Stop = Pick<SupervisedOutcome, "status" | "cause" | "reason">;

/** How a guest ended, as its thread tells. */
type Ended = Omit<SupervisedOutcome, "failures">;

/** A guest that is under way. */
class Supervision {
  readonly #worker: Worker;
  readonly #resolve: (outcome: Ended) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  #answer: Answer | undefined;
  #stop: Stop | undefined;

  constructor(
    job: Job,
    timeLimit: number | undefined,
    resolve: (outcome: Ended) => void,
    reject: (error: unknown) => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    const size = sizeOf(job.guest);
    const most = process.memoryUsage.rss() + job.memoryLimit + OVERHEAD + OVERHEAD_PER_BYTE * size;
    const ports = job.devices.flatMap(([, device]) => ("port" in device ? [device.port] : []));
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: job,
      transferList: ports as unknown as TransferListItem[],
      execArgv: [],
      // The objects of the engine's own for functions, tables and exceptions.
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil((OVERHEAD + (OVERHEAD_PER_BYTE / 2) * size) / MIB),
      },
    });
    this.#worker.once("message", (answer: Answer) => {
      this.#answer = answer;
    });
    this.#worker.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") this.#stop ??= { ...OUT_OF_MEMORY };
      else this.#reject(error);
    });
    this.#worker.once("exit", () => this.#settle(false));
    this.#timers.push(
      setInterval(() => {
        if (process.memoryUsage.rss() > most) this.#end({ ...OUT_OF_MEMORY });
      }, LOOK),
    );
    if (timeLimit !== undefined)
      this.#timers.push(setTimeout(() => this.#end({ status: TIMEOUT_STATUS, cause: "timeout" }), timeLimit));
  }

  /** Stops the guest, unless it has ended. */
  #end(stop: Stop): void {
    if (this.#stop !== undefined) return;
    this.#stop = stop;
    void this.#worker.terminate();
    this.#timers.push(setTimeout(() => this.#settle(true), GRACE));
  }

  #settle(isStuck: boolean): void {
    for (const timer of this.#timers) clearTimeout(timer);
    if (isStuck) this.#worker.unref();
    const answer = this.#answer;
    if (answer === undefined) {
      const stop = this.#stop;
      if (stop !== undefined) this.#resolve({ ...stop, isPipeBroken: false, isStuck });
      else this.#reject(new DocteurError("Io", "the guest's thread ended before its work was done"));
    } else if ("error" in answer) {
      const { code, message, hint } = answer.error;
      this.#reject(new DocteurError(code, message, { hint }));
    } else this.#resolve({ ...answer.outcome, isPipeBroken: answer.isPipeBroken, isStuck });
  }
}

const OUT_OF_MEMORY = {
  status: ABORT_STATUS,
  cause: "memory",
  reason: "the engine needs more memory than the guest may cost",
} as const;

/** Opens what lies at a URL; a file is opened by the guest's thread. */
async function serve({ path, blockSize = 512 }: DeviceFile, remote: DeviceOptions): Promise<DeviceServer> {
  const device = await toDevice(path, { ...remote, blockSize });
  return new DeviceServer(device, blockSize);
}

/**
 * Runs a guest in a thread until it ends or reaches a limit. Devices at URLs are served by the calling thread, which
 * must not block meanwhile: to the guest they are synchronous.
 * @param guest the module's path, or its bytes
 * @returns how it ended; a trap, a limit or a console that fails is an outcome, not an exception
 * @throws DocteurError as `run` does; `Io` where the module or the file of a device cannot be opened, and what opening
 *   a URL throws
 */
export async function supervise(
  guest: string | Uint8Array,
  options: SuperviseOptions = {},
): Promise<SupervisedOutcome> {
  const { devices = {}, args = [], memoryLimit = MEMORY_LIMIT, timeLimit, output = 1, remote = {} } = options;
  const servers = new Map<string, DeviceServer>();
  const job: Job = { guest, devices: [], args, memoryLimit, output };
  try {
    for (const [name, device] of Object.entries(devices)) {
      const file = fileOf(device.path);
      if (file === undefined) {
        const server = await serve(device, remote);
        servers.set(name, server);
        job.devices.push([name, server.shared]);
      } else {
        const path = typeof file === "string" ? file : pathOfUrl(file);
        job.devices.push([name, { ...device, path }]);
      }
    }
    const ended = await new Promise<Ended>((resolve, reject) => {
      new Supervision(job, timeLimit, resolve, reject);
    });
    const failed = [...servers].filter(([, { failure }]) => failure !== undefined);
    return { ...ended, failures: new Map(failed.map(([name, { failure }]) => [name, failure])) };
  } finally {
    // How a device takes its end says nothing of the guest.
    for (const server of servers.values()) await server.close().catch(() => undefined);
  }
}
