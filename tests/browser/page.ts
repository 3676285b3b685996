/** A page that makes an image, reads it back, and shows what it did. The same script is a worker that just makes one. */
import { open } from "docteur";
import { type MemoryProgress, makeImage } from "docteur/make";
import { DATE, FILES } from "./files.js";

/** What the page tells whoever drives it. */
export interface PageResult {
  sha256: string;
  commit: string;
  imageBytes: number;
  /** Phases, in the order in which they came. */
  phases: string[];
  /** "kind path", as the image lists them. */
  listing: string[];
  /** Contents as they were read back, in SHA-256, by path. */
  contents: Record<string, string>;
  /** The image that a worker made of the same files, in SHA-256. */
  workerSha256: string;
  /** The code of the error that a path of a file gets. */
  fileErrorCode: string;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function makeInWorker(): Promise<string> {
  const worker = new Worker(import.meta.url, { type: "module" });
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  }).finally(() => worker.terminate());
}

function show(id: string, text: string): void {
  document.getElementById(id)!.textContent = text;
}

function showStep(phases: string[], { phase, done, total }: MemoryProgress): void {
  if (!phases.includes(phase)) phases.push(phase);
  const bar = document.querySelector("progress")!;
  bar.max = total;
  bar.value = done;
  show("step", `${phase}: ${done} of ${total}`);
}

async function readBack(image: Uint8Array): Promise<Pick<PageResult, "listing" | "contents">> {
  const volume = await open(image);
  const listing: string[] = [];
  const contents: Record<string, string> = {};
  for (const folder of ["/", "/bin", "/data", "/docs", "/empty"])
    for (const { kind, path } of await volume.list(folder)) {
      listing.push(`${kind} ${path}`);
      if (kind !== "directory") contents[path] = await sha256(new Uint8Array(await volume.get(path)));
    }
  await volume.close();
  return { listing, contents };
}

async function run(): Promise<PageResult> {
  const phases: string[] = [];
  const start = performance.now();
  const made = await makeImage(FILES, { date: DATE, onProgress: (step) => showStep(phases, step) });
  const { image, commit, imageBytes, fileCount, deltaCount, objectCount } = made;
  const milliseconds = Math.round(performance.now() - start);
  show("step", `${fileCount} files, ${imageBytes} bytes, ${milliseconds} ms`);
  show("commit", `commit ${commit}, ${objectCount} objects, ${deltaCount} of them deltas`);
  const { listing, contents } = await readBack(image);
  const list = document.getElementById("listing")!;
  for (const line of listing) list.append(Object.assign(document.createElement("li"), { textContent: line }));
  const fileErrorCode = await open("/etc/hostname").catch((error) => error.code);
  const workerSha256 = await makeInWorker();
  const result = { sha256: await sha256(image), commit, imageBytes, phases, listing, contents };
  return { ...result, workerSha256, fileErrorCode };
}

if ("document" in globalThis) {
  Object.assign(globalThis, { result: run() });
} else {
  const { image } = await makeImage(FILES, { date: DATE });
  postMessage(await sha256(image));
}
