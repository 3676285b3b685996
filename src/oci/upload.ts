/** Blobs on their way into a registry: whole, or in chunks that go on after a failure. */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { dropBody } from "../devices/http/answer.js";
import { httpError } from "../devices/http/failures.js";
import type { Descriptor } from "../devices/oci/artifact.js";
import type { Registry } from "../devices/oci/registry.js";

/** Chunks that a registry may lose. */
const SETBACKS_MAX = 8;

/** A file to upload, or a part of the memory. */
export type UploadContent = { path: string } | { bytes: Uint8Array<ArrayBuffer> };

/** How it is uploaded. */
export interface UploadOptions {
  signal: AbortSignal;
  /** Bytes of a chunk; undefined for one request. */
  chunkSize?: number | undefined;
  /** Told of bytes that were sent. */
  onSent: (bytes: number) => void;
}

/** Whether the registry has a blob. */
export async function hasBlob(
  registry: Registry,
  { digest }: Descriptor,
  signal: AbortSignal,
): Promise<boolean> {
  const response = await registry.request(`blobs/${digest}`, { method: "HEAD", signal }, [200, 404]);
  dropBody(response);
  return response.status === 200;
}

/** The address that an answer names, to go on at. */
function nextAddress(registry: Registry, response: Response, from: URL): URL {
  dropBody(response);
  const location = response.headers.get("location");
  if (location !== null) return registry.resolve(location, from);
  throw httpError("Io", registry.name, "the registry begins an upload without saying where (Location)");
}

async function begin(registry: Registry, signal: AbortSignal): Promise<URL> {
  const from = registry.url("blobs/uploads/");
  const request = { method: "POST", headers: { "content-length": "0" }, signal } as const;
  return nextAddress(registry, await registry.request(from, request, [202]), from);
}

function withDigest(address: URL, { digest }: Descriptor): URL {
  const url = new URL(address);
  url.searchParams.set("digest", digest);
  return url;
}

const OCTETS = { "content-type": "application/octet-stream" };

/** Uploads a blob by one request, anew where that fails in a way that may pass. */
async function uploadWhole(
  registry: Registry,
  blob: Descriptor,
  content: UploadContent,
  { signal, onSent }: UploadOptions,
): Promise<void> {
  const stream = (path: string) => (): ReadableStream<Uint8Array> => {
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    file.on("data", (piece) => onSent(piece.length));
    return Readable.toWeb(file.pause()) as ReadableStream<Uint8Array>;
  };
  await registry.attempts(signal, blob.size, async (limit) => {
    const address = withDigest(await begin(registry, limit), blob);
    const body = "path" in content ? stream(content.path) : content.bytes;
    const headers = { ...OCTETS, "content-length": String(blob.size) };
    dropBody(await registry.once(address, { method: "PUT", headers, body, signal: limit }, [201]));
  });
}

/** The bytes that the registry has, by the `Range` of its answer; undefined where it does not tell. */
function receivedOf(response: Response): number | undefined {
  const [, last] = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(response.headers.get("range") ?? "") ?? [];
  if (last === undefined) return undefined;
  // "0-0" stands for nothing, too; a chunk of one byte is not worth the difference.
  return last === "0" ? 0 : Number(last) + 1;
}

/** Uploads a file in chunks. */
class ChunkedUpload {
  readonly #registry: Registry;
  readonly #file: FileHandle;
  readonly #blob: Descriptor;
  readonly #options: UploadOptions;
  #address: URL;
  #sent = 0;
  #setbacks = 0;
  /** Whether the last chunk may or may not have arrived. */
  #isUnsure = false;

  constructor(registry: Registry, file: FileHandle, blob: Descriptor, options: UploadOptions, address: URL) {
    this.#registry = registry;
    this.#file = file;
    this.#blob = blob;
    this.#options = options;
    this.#address = address;
  }

  async run(chunkSize: number): Promise<void> {
    const { signal, onSent } = this.#options;
    const chunk = new Uint8Array(chunkSize);
    while (this.#sent < this.#blob.size) {
      const before = this.#sent;
      await this.#registry.attempts(signal, chunkSize, (limit) => this.#step(chunk, limit));
      if (this.#sent <= before && ++this.#setbacks > SETBACKS_MAX)
        throw httpError("Io", this.#registry.name, "the registry does not keep the chunks that it gets");
      onSent(this.#sent - before);
    }
    const url = withDigest(this.#address, this.#blob);
    const headers = { "content-length": "0" };
    dropBody(await this.#registry.request(url, { method: "PUT", headers, signal }, [201]));
  }

  /** Sends the next chunk. */
  async #step(chunk: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    if (this.#isUnsure) await this.#ask(signal);
    const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#sent);
    if (bytesRead === 0) return;
    const end = this.#sent + bytesRead;
    const headers = {
      ...OCTETS,
      "content-range": `${this.#sent}-${end - 1}`,
      "content-length": String(bytesRead),
    };
    const request = { method: "PATCH", headers, body: chunk.subarray(0, bytesRead), signal } as const;
    this.#isUnsure = true;
    const response = await this.#registry.once(this.#address, request, [202]);
    this.#isUnsure = false;
    this.#sent = Math.min(receivedOf(response) ?? end, end);
    this.#address = nextAddress(this.#registry, response, this.#address);
  }

  /** Asks how far the registry has come. */
  async #ask(signal: AbortSignal): Promise<void> {
    const response = await this.#registry.once(this.#address, { signal }, [204]);
    this.#sent = Math.min(receivedOf(response) ?? 0, this.#blob.size);
    this.#isUnsure = false;
    if (response.headers.has("location"))
      this.#address = nextAddress(this.#registry, response, this.#address);
  }
}

/**
 * Uploads a blob.
 * @throws DocteurError
 */
export async function upload(
  registry: Registry,
  blob: Descriptor,
  content: UploadContent,
  options: UploadOptions,
): Promise<void> {
  const { chunkSize, signal } = options;
  if (chunkSize === undefined || "bytes" in content) return uploadWhole(registry, blob, content, options);
  const file = await open(content.path);
  try {
    await new ChunkedUpload(registry, file, blob, options, await begin(registry, signal)).run(chunkSize);
  } finally {
    await file.close();
  }
}
