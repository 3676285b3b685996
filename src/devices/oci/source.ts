/** An image in a registry as a source of ranges: found by its reference, read lazily from the blob endpoint. */
import { readBody } from "../http/answer.js";
import { httpError } from "../http/failures.js";
import { type HttpOptions, openHttp } from "../http.js";
import type { RangeSource } from "../range-source.js";
import { type Descriptor, INDEX_TYPE, MANIFEST_MAX, MANIFEST_TYPE, readManifest } from "./artifact.js";
import type { FindCredentials } from "./credentials.js";
import { type OciReference, parseOciUrl } from "./reference.js";
import { Registry } from "./registry.js";

/** An image that was found in a registry. */
export interface FoundImage {
  /** The reference with the digest of the manifest, which does not change. */
  reference: OciReference & { digest: string };
  /** The image. */
  layer: Descriptor;
  annotations: Readonly<Record<string, unknown>>;
}

const ACCEPT = { accept: `${MANIFEST_TYPE}, ${INDEX_TYPE}` };

/** The digest of some bytes. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Reads a manifest. @throws DocteurError `Mismatch` where its digest is another one */
async function fetchManifest(
  registry: Registry,
  reference: string,
  signal: AbortSignal,
): Promise<{ text: string; digest: string }> {
  const { name } = registry;
  const bytes = await registry.attempts(signal, 0, async (limit) => {
    const response = await registry.once(`manifests/${reference}`, { headers: ACCEPT, signal: limit }, [200]);
    return readBody(name, response, MANIFEST_MAX);
  });
  if (bytes === undefined)
    throw httpError("Io", name, `the registry's manifest is larger than ${MANIFEST_MAX} bytes`);
  const digest = await digestOf(bytes);
  if (reference.includes(":") && reference !== digest)
    throw httpError("Mismatch", name, `the registry sends a manifest whose digest is ${digest}`);
  return { text: new TextDecoder().decode(bytes), digest };
}

/**
 * Finds the image of a reference: its manifest, by an index where there is one.
 * @throws DocteurError
 */
export async function findImage(
  registry: Registry,
  reference: OciReference,
  signal: AbortSignal,
): Promise<FoundImage> {
  const found = await fetchManifest(registry, reference.digest ?? reference.tag!, signal);
  let content = readManifest(registry.name, found.text);
  if (content.next !== undefined)
    content = readManifest(registry.name, (await fetchManifest(registry, content.next.digest, signal)).text);
  const { layer, annotations } = content;
  if (layer === undefined) throw httpError("Io", registry.name, "an index leads to an index");
  return { reference: { ...reference, digest: found.digest }, layer, annotations };
}

/**
 * Opens an image that was found. Ranges are not compared with its digest, which only a reader of all bytes can do.
 * @throws DocteurError
 */
export async function openLayer(
  registry: Registry,
  layer: Descriptor,
  options: HttpOptions,
): Promise<RangeSource> {
  const blob = registry.url(`blobs/${layer.digest}`);
  const fetch = registry.fetch as typeof globalThis.fetch;
  const source = await openHttp(blob, { ...options, headers: undefined, sign: undefined, fetch });
  const { size, prefetched } = source;
  if (size !== layer.size) {
    await source.close?.();
    throw httpError(
      "Mismatch",
      registry.name,
      `the image has ${size} bytes, and ${layer.size} by its manifest`,
    );
  }
  return {
    size,
    name: registry.name,
    // Of one registry, the digest stands for the content.
    identity: `oci:${blob.href}`,
    digest: layer.digest,
    prefetched,
    read: (offset, length, signal) => source.read(offset, length, signal),
    readParts: source.readParts?.bind(source),
    close: () => source.close?.(),
  };
}

/**
 * Opens an image in a registry.
 * @param url `oci://registry/name:tag` or `oci://registry/name@sha256:digest`
 * @param find gives credentials
 * @throws DocteurError
 */
export async function openOci(url: URL, options: HttpOptions, find: FindCredentials): Promise<RangeSource> {
  const reference = parseOciUrl(url);
  const registry = new Registry(reference, "pull", find, options);
  const { layer } = await findImage(registry, reference, options.signal ?? new AbortController().signal);
  return openLayer(registry, layer, options);
}
