/** From whatever an image can be opened from to a block device: the one place that knows sources and schemes. */
import { invalid, isBytes, shown } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { type BlockDevice, isBlockSize } from "./device.js";
import { MemoryDevice } from "./memory.js";
import { inSectors, SECTOR_MAX } from "./split.js";

/** What an image can be opened from: a path or a `file:` URL (Node), its bytes, or a block device. */
export type ImageSource = string | URL | Uint8Array | ArrayBuffer | BlockDevice;

/** The scheme of a string that is a URL: a letter and more, a colon, two slashes. */
const SCHEME = /^([a-z][a-z0-9+.-]+:)\/\//i;

const NO_DEVICE_HINT = "fetch the image and open its bytes, or open a block device of your own";

/** Objects that hold bytes without being any, and what to do with them. */
const CONVERSIONS: Readonly<Record<string, string>> = {
  Blob: "open(await blob.arrayBuffer())",
  File: "open(await file.arrayBuffer())",
  Response: "open(await response.arrayBuffer())",
  Request: "open(await (await fetch(request)).arrayBuffer())",
  ReadableStream: "open(await new Response(stream).arrayBuffer())",
  SharedArrayBuffer: "open(new Uint8Array(buffer))",
};

/** Whether a source is an `ArrayBuffer`, of whatever realm. */
function isArrayBuffer(source: unknown): source is ArrayBuffer {
  return source instanceof ArrayBuffer || Object.prototype.toString.call(source) === "[object ArrayBuffer]";
}

function isUrl(source: unknown): source is URL {
  return source instanceof URL || Object.prototype.toString.call(source) === "[object URL]";
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
  const { FileDevice, fileSize, pathOfUrl } = await import("./node-files.js");
  const path = typeof file === "string" ? file : pathOfUrl(file);
  // A device calls a size that its blocks do not divide a bad argument of its host's: of an image it is
  // damage.
  const size = await fileSize(path);
  if (size !== undefined) checkLength(size, blockSize, path);
  return new FileDevice(path, Math.min(blockSize, SECTOR_MAX));
}

async function openUrl(url: URL, blockSize: number): Promise<BlockDevice> {
  if (url.protocol === "file:") return openFile(url, blockSize);
  throw invalid(
    `cannot open ${url.href}: docteur has no device for ${url.protocol} URLs, only for file: URLs`,
    NO_DEVICE_HINT,
  );
}

/** What a string names: a URL where it has a scheme, else a path. */
function parseSource(text: string): URL | string {
  if (!SCHEME.test(text)) return text;
  try {
    return new URL(text);
  } catch (cause) {
    throw invalid(`cannot open ${shown(text)}: not a URL`, undefined, cause);
  }
}

async function openString(text: string, blockSize: number): Promise<BlockDevice> {
  const source = parseSource(text);
  return typeof source === "string" ? openFile(source, blockSize) : openUrl(source, blockSize);
}

/**
 * The file that a source names: a path or a `file:` URL; undefined for sources of other kinds.
 * @throws DocteurError `InvalidArgument` for a malformed URL
 */
export function fileOf(source: ImageSource): string | URL | undefined {
  const named = typeof source === "string" ? parseSource(source) : source;
  return typeof named === "string" || (isUrl(named) && named.protocol === "file:") ? named : undefined;
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

function checkDevice(source: unknown): BlockDevice {
  const kind = Object.prototype.toString.call(source).slice(8, -1);
  if (Object.hasOwn(CONVERSIONS, kind))
    throw invalid(`cannot open a ${kind}: docteur has no device for it`, `use ${CONVERSIONS[kind]}`);
  if (typeof source === "object" && source !== null) {
    if (isDevice(source)) return source;
    if (typeof (source as Partial<BlockDevice>).read === "function")
      throw invalid(
        "cannot open the device: its blockSize must be a power of two, at least 512, and its capacity a whole number of blocks",
      );
  }
  throw invalid(
    `cannot open ${shown(source)}`,
    "an image is opened from a path, a file: URL, a Uint8Array, an ArrayBuffer or a block device",
  );
}

/**
 * The device that stands for a source.
 * @param blockSize bytes, where the source is no device
 * @throws DocteurError `InvalidArgument` for what is no source, `Truncated` for an image that was cut short,
 *   and what opening a file throws
 */
export async function toDevice(source: ImageSource, blockSize: number): Promise<BlockDevice> {
  if (!isBlockSize(blockSize))
    throw invalid(`not a block size: ${shown(blockSize)}`, "a block size is a power of two, at least 512");
  if (typeof source === "string") return openString(source, blockSize);
  if (isUrl(source)) return openUrl(source, blockSize);
  if (isBytes(source) || isArrayBuffer(source)) {
    const bytes = isBytes(source) ? source : new Uint8Array(source);
    checkLength(bytes.length, blockSize);
    return new MemoryDevice(bytes, Math.min(blockSize, SECTOR_MAX));
  }
  return inSectors(checkDevice(source));
}
