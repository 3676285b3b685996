/** From whatever an image can be opened from to a block device: the one place that knows sources and schemes. */
import { FileDevice, fileSize, hasFiles, openFolderStore, pathOfUrl } from "#files";
import { openNodeSource } from "#sources";
import { invalid, isBytes, shown } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { blobSource, type FileHandleLike, fileHandleSource, responseBytes } from "./blob.js";
import { CacheStorageStore } from "./cache-storage.js";
import { type BlockDevice, isBlockSize } from "./device.js";
import { openHttp } from "./http.js";
import { MemoryDevice } from "./memory.js";
import { type DeviceOptions, isStore } from "./options.js";
import type { RangeSource } from "./range-source.js";
import { redacted, redactedText } from "./redact.js";
import { systemClock } from "./remote/clock.js";
import { CheckedPages, type PageStore } from "./remote/kept-pages.js";
import type { KeptPages } from "./remote/page-loader.js";
import { PAGE_SIZE, RemoteDevice } from "./remote.js";
import { inSectors, SECTOR_MAX } from "./split.js";
import { type SyncHandle, SyncHandleDevice } from "./sync-handle.js";

/** What an image can be opened from: docs/DEVICES.md. */
export type ImageSource =
  /** A path (Node), or a URL: `http:`, `https:`; with Node `file:`, `oci:`, `nbd:` and others. */
  | string
  | URL
  /** Its bytes. */
  | Uint8Array
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  /** What `fetch` gave: its body is read whole. */
  | Response
  /** An open file of node:fs/promises. */
  | FileHandleLike
  /** A `FileSystemFileHandle`. */
  | { getFile(): Promise<Blob> }
  /** A `FileSystemSyncAccessHandle`, in a worker. */
  | SyncHandle
  | RangeSource
  | BlockDevice;

/** Options of devices, with a block size. */
interface Options extends DeviceOptions {
  blockSize: number;
  signal?: AbortSignal | undefined;
}

const BLOCK_SIZE = 512;
/** Bytes that a persistent cache may take by default. */
const STORE_SIZE = 1 << 30;

/** The scheme of a string that is a URL: a letter and more, a colon, two slashes. */
const SCHEME = /^([a-z][a-z0-9+.-]+:)\/\//i;

/** How URLs of other schemes than `file:` are opened. */
const SCHEMES: Readonly<Record<string, (url: URL, options: Options) => Promise<RangeSource>>> = {
  "http:": openHttp,
  "https:": openHttp,
  "s3:": openNodeSource,
  "oci:": openNodeSource,
  "oci+http:": openNodeSource,
  "nbd:": openNodeSource,
  "nbds:": openNodeSource,
  "nbd+unix:": openNodeSource,
  "nbds+unix:": openNodeSource,
};

/** Objects that hold bytes without being any, and what to do with them. */
const CONVERSIONS: Readonly<Record<string, string>> = {
  Request: "open(await fetch(request))",
  ReadableStream: "open(await new Response(stream).arrayBuffer())",
};

/** Objects that are opened by what the engine calls them. */
const KINDS: Readonly<Record<string, (source: never, options: Options) => Promise<BlockDevice>>> = {
  ArrayBuffer: async (buffer: ArrayBuffer, options) => overBytes(new Uint8Array(buffer), options),
  SharedArrayBuffer: async (buffer: SharedArrayBuffer, options) => overBytes(new Uint8Array(buffer), options),
  Blob: async (blob: Blob, options) => overSource(blobSource(blob), options),
  File: async (file: Blob, options) => overSource(blobSource(file), options),
  Response: async (response: Response, options) => overBytes(await responseBytes(response), options),
  FileSystemFileHandle: async (handle: { getFile(): Promise<Blob> }, options) =>
    overSource(blobSource(await handle.getFile()), options),
  FileSystemSyncAccessHandle: (handle: SyncHandle, { blockSize }) =>
    orClose(handle, async () => {
      checkLength(handle.getSize(), blockSize);
      return new SyncHandleDevice(handle, Math.min(blockSize, SECTOR_MAX));
    }),
};

/** Those of them that can be opened again. */
const REOPENABLE = ["ArrayBuffer", "SharedArrayBuffer", "Blob", "File", "FileSystemFileHandle"];

/** What the engine calls an object, of whatever realm. */
function kindOf(source: unknown): string {
  return Object.prototype.toString.call(source).slice(8, -1);
}

function isUrl(source: unknown): source is URL {
  return source instanceof URL || kindOf(source) === "URL";
}

/** An image whose size is not a whole number of blocks has lost its end. */
function checkLength(length: number, blockSize: number, path?: string): void {
  if (length >= blockSize && length % blockSize === 0) return;
  const what = path ?? "the image";
  throw new DocteurError(
    "Truncated",
    `${what} is ${length} bytes long, which is no whole number of ${blockSize}-byte blocks`,
    { path, offset: length, hint: "the image was cut short, or it is not a docteur image" },
  );
}

async function openFile(file: string | URL, blockSize: number): Promise<BlockDevice> {
  const path = typeof file === "string" ? file : pathOfUrl(file);
  // A device calls a size that its blocks do not divide a bad argument of its host's: of an image it is
  // damage.
  const size = await fileSize(path);
  if (size !== undefined) checkLength(size, blockSize, path);
  return new FileDevice(path, Math.min(blockSize, SECTOR_MAX));
}

function overBytes(bytes: Uint8Array, { blockSize }: Options): BlockDevice {
  checkLength(bytes.length, blockSize);
  return new MemoryDevice(bytes, Math.min(blockSize, SECTOR_MAX));
}

/** Makes something of what is open, and closes it where that fails. */
async function orClose<T>(opened: Pick<RangeSource, "close">, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    // The reason is what counts, not how the source takes it.
    await (async () => opened.close?.())().catch(() => undefined);
    throw error;
  }
}

function overSource(source: RangeSource, options: Options): Promise<BlockDevice> {
  const { blockSize } = options;
  return orClose(source, async () => {
    checkLength(source.size, blockSize, source.name);
    const kept = await keptPages(source, options);
    return new RemoteDevice(source, { ...options, blockSize: Math.min(blockSize, SECTOR_MAX) }, { kept });
  });
}

/** Where the pages of a source are kept beyond the life of this process, if anywhere. */
async function keptPages(
  { identity }: RangeSource,
  { cache, pageSize = PAGE_SIZE }: Options,
): Promise<KeptPages | undefined> {
  if (cache === undefined || identity === undefined) return undefined;
  return CheckedPages.of(await storeOf(cache), identity, pageSize, systemClock);
}

async function storeOf(cache: NonNullable<DeviceOptions["cache"]>): Promise<PageStore> {
  if (isStore(cache)) return cache;
  const { name, size = STORE_SIZE } = typeof cache === "string" ? { name: cache } : cache;
  if (!hasFiles && "caches" in globalThis) return new CacheStorageStore(name, size);
  return openFolderStore(name, size);
}

async function openUrl(url: URL, options: Options): Promise<BlockDevice> {
  const { protocol } = url;
  if (protocol === "file:") return openFile(url, options.blockSize);
  if (Object.hasOwn(SCHEMES, protocol)) return overSource(await SCHEMES[protocol]!(url, options), options);
  throw invalid(
    `cannot open ${redacted(url)}: docteur has no device for ${protocol} URLs`,
    `the schemes that it knows are file:, ${Object.keys(SCHEMES).join(", ")}`,
  );
}

/** What a string names: a URL where it has a scheme, else a path. */
function parseSource(text: string): URL | string {
  if (!SCHEME.test(text)) return text;
  try {
    return new URL(text);
  } catch {
    // The engine's error would show a password.
    throw invalid(`cannot open ${shown(redactedText(text))}: not a URL`);
  }
}

async function openString(text: string, options: Options): Promise<BlockDevice> {
  const source = parseSource(text);
  return typeof source === "string" ? openFile(source, options.blockSize) : openUrl(source, options);
}

/**
 * The file that a source names: a path or a `file:` URL; undefined for sources of other kinds.
 * @throws DocteurError `InvalidArgument` for a malformed URL
 */
export function fileOf(source: ImageSource): string | URL | undefined {
  const named = typeof source === "string" ? parseSource(source) : source;
  return typeof named === "string" || (isUrl(named) && named.protocol === "file:") ? named : undefined;
}

/** What messages call a source: a path as it is, a URL without credentials; undefined for objects. */
export function nameOf(source: ImageSource): string | undefined {
  const named = typeof source === "string" ? SCHEME.exec(source) && redactedText(source) : source;
  if (named === null) return source as string;
  return typeof named === "string" ? named : isUrl(named) ? redacted(named) : undefined;
}

/** Whether a source keeps to the contract of `BlockDevice`, as far as can be seen. */
function isDevice(source: object): source is BlockDevice {
  const { blockSize, capacity, read } = source as Partial<BlockDevice>;
  return (
    typeof read === "function" &&
    isBlockSize(blockSize as number) &&
    Number.isSafeInteger(capacity) &&
    capacity! >= blockSize! &&
    capacity! % blockSize! === 0
  );
}

/** Whether an object is a source of ranges. */
function isSource(source: object): source is RangeSource {
  const { size, read } = source as Partial<RangeSource>;
  return typeof read === "function" && Number.isSafeInteger(size) && size! >= 0;
}

/** Whether an object is an open file of node:fs/promises. */
function isFileHandle(source: object): source is FileHandleLike {
  const { fd, read, stat } = source as Record<string, unknown>;
  return typeof fd === "number" && typeof read === "function" && typeof stat === "function";
}

async function openObject(source: object, options: Options): Promise<BlockDevice> {
  if (isDevice(source)) return inSectors(source);
  if (isSource(source)) return overSource(source, options);
  if (isFileHandle(source)) return overSource(await orClose(source, () => fileHandleSource(source)), options);
  if (typeof (source as Partial<BlockDevice>).read !== "function") throw refusal(source);
  throw invalid(
    "cannot open the device: its blockSize must be a power of two, at least 512, and its capacity a whole number of blocks",
    "a source of ranges has a size in bytes instead",
  );
}

/** Whether a source can be opened again: what is open itself cannot, nor what is read once. */
export function canReopen(source: ImageSource): boolean {
  return (
    typeof source === "string" || isUrl(source) || isBytes(source) || REOPENABLE.includes(kindOf(source))
  );
}

function refusal(source: unknown): DocteurError {
  return invalid(
    `cannot open ${shown(source)}`,
    "an image is opened from a path, a URL, bytes, a Blob, a Response, an open file, a source of ranges or a block device",
  );
}

/**
 * The device that stands for a source.
 * @param options the block size is for sources that are no devices
 * @throws DocteurError `InvalidArgument` for what is no source, `Truncated` for an image that was cut short,
 *   and what opening a file or a URL throws
 */
export async function toDevice(
  source: ImageSource,
  { blockSize = BLOCK_SIZE, ...rest }: DeviceOptions & { signal?: AbortSignal | undefined } = {},
): Promise<BlockDevice> {
  if (!isBlockSize(blockSize))
    throw invalid(`not a block size: ${shown(blockSize)}`, "a block size is a power of two, at least 512");
  const options = { ...rest, blockSize };
  if (typeof source === "string") return openString(source, options);
  if (isUrl(source)) return openUrl(source, options);
  if (isBytes(source)) return overBytes(source, options);
  if (typeof source !== "object" || source === null) throw refusal(source);
  const kind = kindOf(source);
  if (Object.hasOwn(CONVERSIONS, kind))
    throw invalid(`cannot open a ${kind}: docteur has no device for it`, `use ${CONVERSIONS[kind]}`);
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind]!(source as never, options);
  return openObject(source, options);
}
