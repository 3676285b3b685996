/** A server of one file in a thread of its own, which takes its time: for benchmarks, and for callers that block. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { RangeServer } from "./range-server.js";

/** What the thread is given. */
interface Job {
  path: string;
  /** Milliseconds before it answers. */
  latency: number;
  /** Requests that have come, and bytes that were sent, f64 each. */
  counters: SharedArrayBuffer;
}

/** A file on a server that takes its time. */
export class SlowServer {
  readonly url: string;
  readonly #worker: Worker;
  readonly #counters: Float64Array;

  private constructor(worker: Worker, url: string, counters: SharedArrayBuffer) {
    this.#worker = worker;
    this.url = url;
    this.#counters = new Float64Array(counters);
  }

  /** @param latency milliseconds before it answers */
  static async start(path: string, latency: number): Promise<SlowServer> {
    const counters = new SharedArrayBuffer(16);
    const job: Job = { path, latency, counters };
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    const [url] = (await once(worker, "message")) as [string];
    return new SlowServer(worker, url, counters);
  }

  get requests(): number {
    return this.#counters[0]!;
  }

  get bytes(): number {
    return this.#counters[1]!;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function serve({ path, latency, counters }: Job): Promise<void> {
  const server = await new RangeServer(readFileSync(path)).start();
  const counts = new Float64Array(counters);
  let unsent = 0;
  server.behaviour = (request, response, self) => {
    response.once("finish", () => {
      // The server counts a body that an answer to HEAD does not have.
      if (request.method === "HEAD") unsent += self.content.length;
      counts[1] = self.sent - unsent;
    });
    counts[0] = self.seen.length;
    setTimeout(() => self.serve(request, response), latency);
    return true;
  };
  parentPort!.postMessage(server.url);
}

if (!isMainThread) await serve(workerData as Job);
