/** A page that opens images from servers, and from what browsers have. The same script is a worker that does so too. */
import { DocteurError, type ImageSource, type OpenOptions, open, type RemoteStats } from "docteur";

/** What came of opening something and reading all of it. */
export interface ReadResult {
  commit?: string;
  /** Contents in SHA-256, by path. */
  contents?: Record<string, string>;
  remote?: RemoteStats | undefined;
  error?: { code: string; message: string; hint: string | undefined };
}

/** What the page tells whoever drives it. */
export interface RemotePageResult {
  page: Record<string, ReadResult>;
  worker: Record<string, ReadResult>;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function read(source: ImageSource, options: OpenOptions = {}): Promise<ReadResult> {
  try {
    const volume = await open(source, options);
    const contents: Record<string, string> = {};
    for await (const { kind, path } of volume.walk("/"))
      if (kind !== "directory") contents[path] = await sha256(await volume.get(path));
    const { remote } = volume.stats();
    await volume.close();
    return { commit: volume.commit.oid, contents, remote };
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    const { code, message, hint } = error;
    return { error: { code, message, hint } };
  }
}

async function everywhere(other: string, hidden: string): Promise<Record<string, ReadResult>> {
  const here = new URL("/disk.img", location.origin);
  return {
    url: await read(here.href),
    otherOrigin: await read(other, { retries: 0 }),
    hiddenHeaders: await read(hidden, { retries: 0 }),
    redirect: await read(new URL("/redirect", here)),
    redirectWithHeaders: await read(new URL("/redirect", here), { headers: { "x-key": "secret" } }),
    response: await read(await fetch(here)),
    blob: await read(await (await fetch(here)).blob()),
  };
}

/** The image as a file of the origin's. */
async function storeFile(name: string): Promise<FileSystemFileHandle> {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(await (await fetch("/disk.img")).blob());
  await writable.close();
  return handle;
}

interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{
    getSize(): number;
    read(buffer: Uint8Array, options: { at: number }): number;
    close(): void;
  }>;
}

function inWorker(addresses: string[]): Promise<Record<string, ReadResult>> {
  const worker = new Worker(import.meta.url, { type: "module" });
  return new Promise<Record<string, ReadResult>>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(addresses);
  }).finally(() => worker.terminate());
}

async function run(): Promise<RemotePageResult> {
  const [other, hidden] = new URLSearchParams(location.search).getAll("at") as [string, string];
  const page = await everywhere(other, hidden);
  // Half of the image's pages have room: the rest is fetched again.
  const size = Math.floor(page.blob!.remote!.bytes / 2);
  for (const name of ["cold", "warm"]) page[name] = await keep("pages");
  for (const name of ["smallCold", "smallWarm"]) page[name] = await keep({ name: "small", size });
  page.fileHandle = await read(await storeFile("page.img"));
  return { page, worker: await inWorker([other, hidden]) };
}

function keep(cache: NonNullable<OpenOptions["cache"]>): Promise<ReadResult> {
  return read(new URL("/disk.img", location.origin), { cache, pageSize: 4096 });
}

if ("document" in globalThis) {
  Object.assign(globalThis, { result: run() });
} else {
  addEventListener("message", async ({ data: [other, hidden] }) => {
    const found = await everywhere(other, hidden);
    const handle = (await storeFile("worker.img")) as SyncFileHandle;
    found.fileHandle = await read(handle);
    found.syncHandle = await read(await handle.createSyncAccessHandle());
    // It was closed, or it could not be had again.
    found.syncHandleAgain = await read(await handle.createSyncAccessHandle());
    found.warm = await keep("pages");
    postMessage(found);
  });
}
