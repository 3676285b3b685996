/** The thread that opens a URL for `openSync`, and serves it. */
import { workerData } from "node:worker_threads";
import { toDevice } from "../devices/open.js";
import { DeviceServer } from "../devices/shared.js";
import { packError } from "../threads/errors.js";
import type { ServeAnswer, ServeJob } from "./job.js";

const { source, options, port, signal } = workerData as ServeJob;

function answer(message: ServeAnswer, transfer: readonly object[]): void {
  port.postMessage(message, transfer as never);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

async function serve(): Promise<void> {
  const { shared } = new DeviceServer(await toDevice(source, options));
  answer({ shared }, [shared.port]);
}

serve().catch((error: unknown) => answer({ error: packError(error) }, []));
