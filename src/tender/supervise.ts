/**
 * Runs a guest in a thread of its own, so that everything it does ends as an outcome. An endless loop ends at its time
 * limit. Memory that the engine takes beyond the guest's linear memory ends at a bound that follows from the memory
 * limit. For Node.
 * @module docteur/tender/supervise
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

/** The devices and settings of a guest. */
export interface SuperviseOptions {
  /** Files and URLs by the names of devices: exactly those that the guest's manifest declares. */
  devices?: Readonly<Record<string, DeviceFile>>;
  /** Options for devices at URLs. */
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

/** The end of a supervised guest. */
export interface SupervisedOutcome {
  /** As in `Outcome`; 124 at the time limit, 255 if the engine ran out of memory. */
  status: number;
  cause: Outcome["cause"] | "timeout" | "memory";
  /** The trap or the failure, for people. */
  reason?: string;
  /** The last failures of devices at URLs, by their names. The guest saw EUNSPEC. */
  failures: ReadonlyMap<string, unknown>;
  /** Whether the console failed because its reader has closed the pipe. */
  isPipeBroken: boolean;
  /**
   * Whether the guest's thread does not react: it is inside a system call, or the engine compiles. It ends with the
   * process. To end at once the process must be killed: `process.exit` waits for threads.
   */
  isStuck: boolean;
}

const MIB = 2 ** 20;
/** Memory of the process, beyond what it had and the guest's memory limit, that a guest may cost. */
const OVERHEAD = 256 * MIB;
/** Further memory for each byte of the module: its compiled code, and its functions. */
const OVERHEAD_PER_BYTE = 64;
/** Milliseconds between two looks at the memory of the process. */
const LOOK = 20;
/** Milliseconds that a thread has to end after it was told to. */
const GRACE = 500;

/** Bytes of a module, 0 if there is none: the thread then gives the reason. */
function sizeOf(guest: string | Uint8Array): number {
  return typeof guest === "string" ? (statSync(guest, { throwIfNoEntry: false })?.size ?? 0) : guest.length;
}

/** The reason why a guest was stopped. */
type Stop = Pick<SupervisedOutcome, "status" | "cause" | "reason">;

/** The end of a guest, as its thread reports it. */
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
      // The engine's own objects for functions, tables and exceptions.
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
 * @returns its outcome; a trap, a limit or a console that fails is an outcome, not an exception
 * @throws DocteurError as `run` does; `Io` if the module or the file of a device cannot be opened; the errors of opening
 *   a URL
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
    // An error while a device closes is not the guest's.
    for (const server of servers.values()) await server.close().catch(() => undefined);
  }
}
