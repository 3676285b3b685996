/** The page's worker: the image, its device and its cache are here, so that the page never waits for them. */
import { DocteurError, type Entry, open, type RangeSource, type Volume } from "../index.js";
import { makeImage } from "../make/browser.js";
import { type Report, type VerifyProgress, verify } from "../verify/index.js";
import type { Activity, Api, Call, Content, Event, Item, Listed, Made, Opened, Reply } from "./protocol.js";

/** Entries of a part of a directory, and items of a search. */
const PAGE = 500;
const FOUND_MAX = 200;
/** Milliseconds between two events of activity, and between two of progress. */
const EVENT_MS = 150;
/** Bytes of a page of the image: small, to fetch little. */
const PAGE_SIZE = 1 << 15;
/** How images at addresses are read. */
const REMOTE = { cache: "docteur-page", retries: 2 };
/** Findings of a report that are told. */
const FINDINGS_MAX = 20;

const post = (message: Event | Reply, transfer: Transferable[] = []): void =>
  (postMessage as (message: unknown, transfer: Transferable[]) => void)(message, transfer);

let volume: Volume | undefined;
/** The address or the file of what is open. */
let opened: string | Blob | undefined;
/** What verifying it has fetched, through a device of its own. */
let verifying = { requests: 0, bytes: 0 };
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
    const { misses } = remote;
    const requests = remote.requests + verifying.requests;
    const bytes = remote.bytes + verifying.bytes;
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

/** The `fetch` of `verify`: it counts what no volume counts. */
const verifyingFetch: typeof fetch = async (input, init) => {
  const counts = verifying;
  counts.requests++;
  const response = await countingFetch(input, init);
  counts.bytes += Number(response.headers.get("content-length") ?? 0);
  return response;
};

let imageSize = 0;

/**
 * A file of this device as a source of ranges, which remembers those that are read.
 * @param counts of requests and bytes, if no volume counts them
 */
function fileSource(blob: Blob, name: string, counts?: typeof verifying): RangeSource {
  imageSize = blob.size;
  return {
    size: blob.size,
    name,
    read: async (offset, length) => {
      noticeRange(offset, length);
      if (counts !== undefined) {
        counts.requests++;
        counts.bytes += length;
      }
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

const api: Api = {
  async open(source, name, commit): Promise<Opened> {
    ranges = [];
    const before = volume;
    const options = { pageSize: PAGE_SIZE, proof: "oid" as const, commit };
    const from = source instanceof Uint8Array ? new Blob([source as Uint8Array<ArrayBuffer>]) : source;
    volume =
      typeof from === "string"
        ? await open(from, { ...options, ...REMOTE, fetch: countingFetch })
        : await open(fileSource(from, name), options);
    opened = from;
    verifying = { requests: 0, bytes: 0 };
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

  async verify(): Promise<Report> {
    const verified = current();
    const words = { fetch: "fetched", read: "read", hash: "hashed", resolve: "of objects compared" };
    const options = {
      commit: verified.commit.oid,
      maxFindings: FINDINGS_MAX,
      onProgress: ({ phase, done, total }: VerifyProgress) =>
        noticeProgress(`Percent ${words[phase]}`, Math.floor((100 * done) / Math.max(1, total)), 100),
    };
    const report = await (typeof opened === "string"
      ? verify(opened, { ...options, ...REMOTE, fetch: verifyingFetch })
      : verify(fileSource(opened!, "", verifying), options));
    if (volume !== verified) throw new DocteurError("Closed", "another image was opened meanwhile");
    noticeActivity();
    return report;
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
