/** `docteur pull`: an image out of a registry becomes a file. For Node. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type Checks, checkOptions, isFunction, isSignal, isWhole } from "../arguments.js";
import { dropBody } from "../devices/http/answer.js";
import { fetchError, httpError, RangesIgnored } from "../devices/http/failures.js";
import type { Descriptor } from "../devices/oci/artifact.js";
import { findDockerCredentials } from "../devices/oci/credentials.js";
import { formatReference, parseOciUrl } from "../devices/oci/reference.js";
import { Registry, type RegistryOptions } from "../devices/oci/registry.js";
import { findImage, openLayer } from "../devices/oci/source.js";
import { type RangeSource, TransientError } from "../devices/range-source.js";
import { DocteurError } from "../errors.js";
import { withOwnSignal } from "../node/own-signal.js";
import { type ResumedFile, resumeFile } from "../node/resume-file.js";

/** How far a pull has come: bytes. */
export interface PullProgress {
  phase: "downloading";
  done: number;
  total: number;
}

/** Options of `pull`. */
export interface PullOptions extends RegistryOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** What `pull` did. */
export interface PullSummary {
  /** The reference with the manifest's digest. */
  reference: string;
  /** The manifest's digest. */
  manifestDigest: string;
  /** The image's digest, which was checked. */
  imageDigest: string;
  imageBytes: number;
  /** The commit that the manifest names, if it names one; the image itself is what counts. */
  commit?: string;
  /** Bytes that an earlier run had left. */
  resumedBytes: number;
}

/** Bytes of a request, and requests at a time. */
const SEGMENT = 1 << 20;
const CONCURRENCY = 6;

const PULL: Checks & Record<keyof PullOptions, Checks[string]> = {
  signal: isSignal,
  onProgress: isFunction,
  fetch: isFunction,
  timeout: isWhole(1),
  retries: isWhole(0),
};

/** What a download needs. */
interface Download {
  registry: Registry;
  /** Undefined where the image comes whole or not at all. */
  source: RangeSource | undefined;
  layer: Descriptor;
  onProgress: (progress: PullProgress) => void;
}

async function writeAllAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
}

/** The next bytes of a body, or undefined at its end. @throws DocteurError, TransientError */
async function nextPart(
  name: string,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value;
  } catch (error) {
    throw fetchError(name, error);
  }
}

/** Writes a file from its start, by one request. @returns its digest */
async function downloadWhole(
  { registry, layer, onProgress }: Download,
  handle: FileHandle,
  signal: AbortSignal,
): Promise<string> {
  const { name } = registry;
  const { size: total, digest } = layer;
  return registry.attempts(signal, total, async (limit) => {
    const response = await registry.once(`blobs/${digest}`, { signal: limit }, [200]);
    const reader = (response.body ?? new Blob([]).stream()).getReader();
    const hash = createHash("sha256");
    let done = 0;
    try {
      for (let part = await nextPart(name, reader); part !== undefined; part = await nextPart(name, reader)) {
        limit.throwIfAborted();
        if (done + part.length > total)
          throw httpError("Mismatch", name, `the image has more than the ${total} bytes of its manifest`);
        await writeAllAt(handle, part, done);
        hash.update(part);
        done += part.length;
        onProgress({ phase: "downloading", done, total });
      }
    } finally {
      reader.releaseLock();
      dropBody(response);
    }
    if (done < total) throw new TransientError(`the connection ended after ${done} of ${total} bytes`);
    return `sha256:${hash.digest("hex")}`;
  });
}

/** Goes on with a file, some segments at a time. @returns its digest */
async function download(
  work: Download,
  handle: FileHandle,
  from: number,
  signal: AbortSignal,
): Promise<string> {
  const { registry, source, layer, onProgress } = work;
  if (source === undefined) return downloadWhole(work, handle, signal);
  const hash = createHash("sha256");
  if (from > 0) {
    const options = { fd: handle.fd, autoClose: false, start: 0, end: from - 1, highWaterMark: 1 << 20 };
    for await (const piece of createReadStream("", options) as AsyncIterable<Buffer>) hash.update(piece);
  }
  const fetchSegment = (offset: number): Promise<Uint8Array> => {
    const length = Math.min(SEGMENT, layer.size - offset);
    const segment = registry.attempts(signal, length, (limit) => source.read(offset, length, limit));
    // It is waited for in its turn.
    segment.catch(() => undefined);
    return segment;
  };
  const segments: Promise<Uint8Array>[] = [];
  let next = from;
  for (let done = from; done < layer.size; ) {
    for (; segments.length < CONCURRENCY && next < layer.size; next += SEGMENT)
      segments.push(fetchSegment(next));
    const bytes = await segments.shift()!;
    await writeAllAt(handle, bytes, done);
    hash.update(bytes);
    done += bytes.length;
    onProgress({ phase: "downloading", done, total: layer.size });
  }
  return `sha256:${hash.digest("hex")}`;
}

/** Makes the file whole, from what is there. @returns the bytes that were there and did not have to come again */
async function complete(
  work: Download,
  { handle, length }: ResumedFile,
  signal: AbortSignal,
): Promise<number> {
  const { registry, source, layer } = work;
  const found = source !== undefined && length <= layer.size ? length : 0;
  if (found !== length) await handle.truncate(found);
  if ((await download(work, handle, found, signal)) === layer.digest) return found;
  // What an earlier run left may be what is wrong.
  await handle.truncate(0);
  if (found > 0 && (await download(work, handle, 0, signal)) === layer.digest) return 0;
  await handle.truncate(0);
  throw httpError("Mismatch", registry.name, `the registry sends other bytes than those of ${layer.digest}`);
}

/**
 * Downloads an image from a registry. The file appears when it is whole and its digest is right. What a run that failed
 * has downloaded stays beside the file, and the next run goes on from there. Credentials are those of `docker login`.
 * @param url `oci://registry/name:tag` or `oci://registry/name@sha256:digest`
 * @param file the file to write
 * @throws DocteurError `Network`, `AccessDenied`, `Io`; `Mismatch` where the registry sends something else
 */
export async function pull(url: string | URL, file: string, options?: PullOptions): Promise<PullSummary> {
  const { onProgress = () => undefined, signal, ...given } = checkOptions("pull", options, PULL);
  const reference = parseOciUrl(new URL(url));
  const registry = new Registry(reference, "pull", findDockerCredentials, given);
  return withOwnSignal(signal, async (own, abort) => {
    const { reference: found, layer, annotations } = await findImage(registry, reference, own);
    const source = await openLayer(registry, layer, { ...given, signal: own }).catch((error: unknown) => {
      if (error instanceof RangesIgnored) return undefined;
      throw error;
    });
    try {
      const work = { registry, source, layer, onProgress };
      const write = (part: ResumedFile): Promise<number> => complete(work, part, own);
      const resumedBytes = await resumeFile(file, layer.digest.slice(7, 23), write, own);
      const revision = annotations["org.opencontainers.image.revision"];
      return {
        reference: formatReference(found),
        manifestDigest: found.digest,
        imageDigest: layer.digest,
        imageBytes: layer.size,
        ...(typeof revision === "string" ? { commit: revision } : {}),
        resumedBytes,
      };
    } finally {
      // Segments that nobody waits for any more.
      abort(new DocteurError("Closed", "the download has ended"));
      await source?.close?.();
    }
  });
}
