/** `docteur push`: an image becomes an artifact in a registry. For Node. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Checks, checkOptions, isFunction, isSignal, isString, isWhole } from "../arguments.js";
import { dropBody } from "../devices/http/answer.js";
import {
  type Descriptor,
  EMPTY_CONFIG,
  emptyConfig,
  MANIFEST_TYPE,
  writeManifest,
} from "../devices/oci/artifact.js";
import { findDockerCredentials } from "../devices/oci/credentials.js";
import { formatReference, parseOciUrl } from "../devices/oci/reference.js";
import { Registry, type RegistryOptions } from "../devices/oci/registry.js";
import { digestOf } from "../devices/oci/source.js";
import { DocteurError } from "../errors.js";
import { ioError, systemCode } from "../node/io-error.js";
import { open } from "../open.js";
import { numberSteps, type StepNumbers } from "../progress-steps.js";
import { hasBlob, upload } from "./upload.js";

/** How far a push has come: bytes. */
export interface PushProgress extends StepNumbers {
  phase: "hashing" | "uploading";
  done: number;
  total: number;
}

/** Options of `push`. */
export interface PushOptions extends RegistryOptions {
  /** Where the commit comes from: a URL, for the annotation `org.opencontainers.image.source`. */
  source?: string | undefined;
  /** Bytes of a chunk, from 5 MiB on, for an upload that goes on after a failure; undefined for one request. */
  chunkSize?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PushProgress) => void) | undefined;
}

/** What `push` did. */
export interface PushSummary {
  /** The reference with the manifest's digest. */
  reference: string;
  /** The manifest's digest. */
  manifestDigest: string;
  imageDigest: string;
  imageBytes: number;
  /** The commit that the image holds. */
  commit: string;
  /** Whether the image had to be uploaded: the registry may have had it. */
  uploaded: boolean;
}

/** Chunks that registries refuse as too small. */
export const CHUNK_MIN = 5 << 20;
const CHUNK_MAX = 1 << 30;

const PUSH: Checks & Record<keyof PushOptions, Checks[string]> = {
  source: isString,
  chunkSize: isWhole(CHUNK_MIN, CHUNK_MAX),
  signal: isSignal,
  onProgress: isFunction,
  fetch: isFunction,
  timeout: isWhole(1),
  retries: isWhole(0),
};

/** The image's digest and size. @param onRead told of bytes that were read */
async function describeFile(
  path: string,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<Descriptor> {
  const hash = createHash("sha256");
  let size = 0;
  try {
    for await (const piece of createReadStream(path, {
      highWaterMark: 1 << 20,
      signal,
    }) as AsyncIterable<Buffer>) {
      hash.update(piece);
      size += piece.length;
      onRead(piece.length);
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (systemCode(cause) === undefined) throw cause;
    throw ioError("read", path, cause);
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

/** Counts bytes of a phase. */
function counter(
  phase: PushProgress["phase"],
  total: number,
  report: (progress: Omit<PushProgress, keyof StepNumbers>) => void,
): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done = Math.min(total, done + bytes);
    report({ phase, done, total });
  };
}

/**
 * Puts an image into a registry, as an artifact that `open`, `pull` and OCI's own tools read. What the registry has
 * already is not uploaded again. Credentials are those of `docker login`.
 * @param image the path of an image
 * @param url `oci://registry/name:tag`
 * @throws DocteurError `InvalidArgument` for a reference with a digest; what opening the image throws; `Network`,
 *   `AccessDenied`, `Io`
 */
export async function push(image: string, url: string | URL, options?: PushOptions): Promise<PushSummary> {
  const { source, chunkSize, onProgress = () => undefined, ...given } = checkOptions("push", options, PUSH);
  const reference = parseOciUrl(new URL(url));
  if (reference.digest !== undefined || reference.tag === undefined)
    throw new DocteurError(
      "InvalidArgument",
      `cannot push to ${formatReference(reference)}: a push goes to a tag`,
    );
  const signal = given.signal ?? new AbortController().signal;
  const report = numberSteps<Omit<PushProgress, keyof StepNumbers>>(onProgress, ["hashing", "uploading"]);

  const { size } = await stat(image).catch((cause: unknown) => {
    throw ioError("read", image, cause);
  });
  const volume = await open(image, { signal });
  const { commit } = volume;
  await volume.close();
  const layer = await describeFile(image, signal, counter("hashing", size, report));

  const registry = new Registry(reference, "pull,push", findDockerCredentials, given);
  const uploaded = !(await hasBlob(registry, layer, signal));
  if (uploaded) {
    const onSent = counter("uploading", layer.size, report);
    await upload(registry, layer, { path: image }, { signal, chunkSize, onSent });
  }
  if (!(await hasBlob(registry, emptyConfig, signal))) {
    const bytes = new TextEncoder().encode(EMPTY_CONFIG);
    await upload(registry, emptyConfig, { bytes }, { signal, onSent: () => undefined });
  }

  const created = commit.date?.toISOString().replace(/\.000Z$/, "Z");
  const manifest = writeManifest(layer, { revision: commit.oid, created, source, title: basename(image) });
  const headers = { "content-type": MANIFEST_TYPE };
  const path = `manifests/${reference.tag}`;
  dropBody(await registry.request(path, { method: "PUT", headers, body: manifest, signal }, [201]));
  const digest = await digestOf(new TextEncoder().encode(manifest));
  return {
    reference: formatReference({ ...reference, digest }),
    manifestDigest: digest,
    imageDigest: layer.digest,
    imageBytes: layer.size,
    commit: commit.oid,
    uploaded,
  };
}
