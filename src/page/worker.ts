/** The page's worker: the image, its device and its cache are here, so that the page never waits for them. */
import { DocteurError, type Entry, open, type RangeSource, type Volume } from "../index.js";
import { makeImage } from "../make/browser.js";
import type { Activity, Api, Call, Content, Event, Item, Listed, Made, Opened, Reply } from "./protocol.js";

/** Entries of a part of a directory, and items of a search. */
const PAGE = 500;
const FOUND_MAX = 200;
/** Milliseconds between two events of activity, and between two of progress. */
const EVENT_MS = 150;
/** Bytes of a page of the image: small, to fetch little. */
const PAGE_SIZE = 1 << 15;

const post = (message: Event | Reply, transfer: Transferable[] = []): void =>
  (postMessage as (message: unknown, transfer: Transferable[]) => void)(message, transfer);

let volume: Volume | undefined;
let ranges: [number, number][] = [];
let searching: AbortController | undefined;

function current(): Volume {
  if (volume === undefined) throw new DocteurError("Closed", "no image is open");
  return volume;
}

function itemOf({ name, path, pathBytes, kind, oid, size }: Entry): Item {
  return { name, path, bytes: pathBytes, kind, oid, size };
}

let isActivityDue = false;

/** Tells what was fetched, a moment later, with what is fetched until then. */
function noticeActivity(): void {
  if (isActivityDue) return;
  isActivityDue = true;
  setTimeout(() => {
    isActivityDue = false;
    const remote = volume?.stats().remote;
    if (remote === undefined) return;
    const { requests, bytes, misses } = remote;
    const activity: Activity = { requests, bytes, hits: remote.hits + remote.storeHits, misses, ranges };
    ranges = [];
    post({ event: "activity", activity });
  }, EVENT_MS);
}

let lastProgress = 0;

function noticeProgress(text: string, done: number, total?: number): void {
  const now = Date.now();
  if (now - lastProgress < EVENT_MS && done !== total) return;
  lastProgress = now;
  post({ event: "progress", text, done, total });
}

/** Remembers a range that a request asks for. */
function noticeRange(offset: number, length: number): void {
  ranges.push([offset, length]);
  noticeActivity();
}

/** A `fetch` that remembers the ranges that come. */
const countingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const [, first, last, size] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (size !== undefined) imageSize = Number(size);
  if (last !== undefined) noticeRange(Number(first), Number(last) - Number(first) + 1);
  return response;
};

let imageSize = 0;

/** A file of this device as a source of ranges, which remembers those that are read. */
function fileSource(blob: Blob, name: string): RangeSource {
  imageSize = blob.size;
  return {
    size: blob.size,
    name,
    read: async (offset, length) => {
      noticeRange(offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

const api: Api = {
  async open(source, name, commit): Promise<Opened> {
    ranges = [];
    const before = volume;
    const options = { pageSize: PAGE_SIZE, proof: "oid" as const, commit };
    if (typeof source === "string") {
      volume = await open(source, { ...options, fetch: countingFetch, cache: "docteur-page", retries: 2 });
    } else {
      const blob = source instanceof Uint8Array ? new Blob([source as Uint8Array<ArrayBuffer>]) : source;
      volume = await open(fileSource(blob, name), options);
    }
    await before?.close().catch(() => undefined);
    noticeActivity();
    return { name, size: imageSize, commit: volume.commit, isExpected: commit !== undefined };
  },

  async list(path, after): Promise<Listed> {
    const entries = await current().list(path, { limit: PAGE + 1, after, follow: true });
    noticeActivity();
    return { items: entries.slice(0, PAGE).map(itemOf), hasMore: entries.length > PAGE };
  },

  async read(path, most): Promise<Content> {
    const entry = await current().stat(path, { follow: true });
    const bytes = await current().getPartial(path, 0, most, { follow: true });
    noticeActivity();
    return { item: { ...itemOf(entry), bytes: path }, bytes: new Uint8Array(bytes) };
  },

  async search(text): Promise<{ hasMore: boolean }> {
    searching?.abort();
    const mine = new AbortController();
    searching = mine;
    const wanted = text.toLowerCase();
    let items: Item[] = [];
    let count = 0;
    const flush = (): void => {
      if (items.length > 0 && !mine.signal.aborted) post({ event: "found", items });
      items = [];
    };
    try {
      for await (const entry of current().walk("/", { signal: mine.signal })) {
        if (mine.signal.aborted) return { hasMore: false };
        if (!entry.path.toLowerCase().includes(wanted)) continue;
        items.push(itemOf(entry));
        if (++count === FOUND_MAX) {
          flush();
          return { hasMore: true };
        }
        if (items.length === 20) flush();
      }
    } catch (error) {
      if (!mine.signal.aborted) throw error;
    }
    flush();
    noticeActivity();
    return { hasMore: false };
  },

  async check(): Promise<{ files: number; bytes: number }> {
    const checked = current();
    let files = 0;
    let bytes = 0;
    for await (const { kind, pathBytes } of checked.walk()) {
      if (kind === "directory" || kind === "submodule") continue;
      const reader = checked.stream(pathBytes).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.length;
      files++;
      noticeProgress("Checking files", files);
      noticeActivity();
    }
    return { files, bytes };
  },

  async make(files): Promise<Made> {
    const contents: [string, ArrayBuffer][] = [];
    for (const [path, file] of files) {
      contents.push([path, await file.arrayBuffer()]);
      noticeProgress("Reading files", contents.length, files.length);
    }
    const words = { read: "Hashing files", compare: "Comparing files", pack: "Compressing files" };
    const { image, commit, fileCount, contentBytes } = await makeImage(contents, {
      // The newest file's, so that equal files give equal images.
      date: new Date(Math.max(0, ...files.map(([, file]) => file.lastModified))),
      onProgress: ({ phase, done, total }) => noticeProgress(words[phase], done, total),
    });
    return { image, commit, fileCount, contentBytes };
  },
};

addEventListener("message", async ({ data: { id, method, args } }: MessageEvent<Call>) => {
  try {
    const value = await (api[method] as (...args: unknown[]) => Promise<unknown>)(...args);
    post({ id, value });
  } catch (error) {
    const { message, hint } = error as DocteurError;
    post({ id, error: { message, hint } });
  }
});
