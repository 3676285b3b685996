/** A page that has workers make and verify images. The same script is the workers'. */
import { makeImage } from "docteur/make";
import { type Report, verify } from "docteur/verify";
import { answer, inWorker } from "docteur/worker";
import { WORK } from "./files.js";

/** What the page tells whoever drives it. */
export interface WorkerPageResult {
  /** The image that was made, in SHA-256. */
  sha256: string;
  /** Turns of the page's event loop meanwhile. */
  turns: { make: number; verify: number };
  report: Report;
  /** Phases of verifying, with the most copies that were in the browser's storage in each. */
  copies: Record<string, number>;
  /** Copies that are in the storage when a verifying was ended by its worker, and after the next ones. */
  left: { ended: number; after: number };
  /** Whether the page compiled Wasm. */
  hasCompiled: boolean;
  /** How often the page itself did the work. */
  fallbacks: number;
}

/** Counts turns of the event loop until a promise settles. */
async function turnsOf<T>(work: Promise<T>): Promise<{ value: T; turns: number }> {
  const { port1, port2 } = new MessageChannel();
  let turns = 0;
  port1.onmessage = () => {
    turns++;
    port2.postMessage(0);
  };
  port2.postMessage(0);
  const value = await work;
  port1.close();
  return { value, turns };
}

async function countCopies(): Promise<number> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("docteur-copies", { create: true });
  let count = 0;
  for await (const _ of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) count++;
  return count;
}

async function run(): Promise<WorkerPageResult> {
  let hasCompiled = false;
  const { compile } = WebAssembly;
  WebAssembly.compile = (bytes) => {
    hasCompiled = true;
    return compile(bytes);
  };
  let fallbacks = 0;
  let last: Worker | undefined;
  const functions = inWorker(
    () => {
      last = new Worker(import.meta.url, { type: "module" });
      return last;
    },
    {
      fallback: () => {
        fallbacks++;
        return { makeImage, verify };
      },
    },
  );
  const made = await turnsOf(functions.makeImage(WORK));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", made.value.image));
  const url = new URL("disk.img", location.href).href;
  const copies: Record<string, number> = {};
  const counting: Promise<void>[] = [];
  const onProgress = ({ phase }: { phase: string }): void => {
    const count = countCopies().then((found) => {
      copies[phase] = Math.max(copies[phase] ?? 0, found);
    });
    counting.push(count);
  };
  const verified = await turnsOf(functions.verify(url, { onProgress }));
  await Promise.all(counting);
  const left = { ended: 0, after: 0 };
  await functions
    .verify(url, {
      onProgress: ({ phase }) => {
        if (phase === "fetch") throw new Error("enough");
      },
    })
    .catch(() => undefined);
  left.ended = await countCopies();
  left.after = left.ended;
  // The engine lets go of the file of a worker that was ended a moment later.
  for (let tries = 0; left.after > 0 && tries < 10; tries++) {
    await functions.verify(url);
    left.after = await countCopies();
  }
  return {
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    turns: { make: made.turns, verify: verified.turns },
    report: verified.value,
    copies,
    left,
    hasCompiled,
    fallbacks,
  };
}

if ("document" in globalThis) Object.assign(globalThis, { result: run() });
else answer({ makeImage, verify });
