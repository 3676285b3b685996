/**
 * A docteur image as an OCI artifact (OCI Image Specification 1.1, "Guidelines for Artifact Usage"): a manifest with an
 * `artifactType`, the empty configuration, and one layer, which is the image byte for byte.
 */
import { httpError } from "../http/failures.js";

/** Media types of the manifest's, and of ours. */
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
export const ARTIFACT_TYPE = "application/vnd.docteur.image.v1";
export const LAYER_TYPE = "application/vnd.docteur.image.v1.disk";

/** The empty configuration: its content and its descriptor. */
export const EMPTY_CONFIG = "{}";
const EMPTY_DESCRIPTOR = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: EMPTY_CONFIG.length,
};

/** Bytes of a manifest at the most: what registries take. */
export const MANIFEST_MAX = 4 << 20;

/** Some content in a registry. */
export interface Descriptor {
  digest: string;
  /** Bytes. */
  size: number;
}

/** What is told of an image beside its bytes. */
export interface ArtifactNotes {
  /** The commit, 40 hexadecimal digits. */
  revision: string;
  /** The commit's date, in ISO 8601. */
  created?: string | undefined;
  /** Where the commit comes from: a URL. */
  source?: string | undefined;
  /** The name of the file that others write when they pull the artifact. */
  title?: string | undefined;
}

/** The keys of annotations (OCI Image Specification, "Annotations"). */
const KEY = "org.opencontainers.image.";

/** Annotations without those that are not known. */
function annotate(notes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const annotations: Record<string, string> = {};
  for (const [name, value] of Object.entries(notes))
    if (value !== undefined) annotations[`${KEY}${name}`] = value;
  return annotations;
}

/** The descriptor of the empty configuration. */
export const emptyConfig: Descriptor = EMPTY_DESCRIPTOR;

/** The manifest of an image. Equal arguments give equal bytes. */
export function writeManifest(layer: Descriptor, { title, ...notes }: ArtifactNotes): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: EMPTY_DESCRIPTOR,
    layers: [{ mediaType: LAYER_TYPE, ...layer, annotations: annotate({ title }) }],
    annotations: annotate({ created: notes.created, revision: notes.revision, source: notes.source }),
  });
}

/** The image that a manifest is of, or the manifest that an index leads to. */
export interface ManifestContent {
  layer?: Descriptor;
  next?: Descriptor;
  /** Texts of the manifest, which nothing vouches for. */
  annotations: Readonly<Record<string, unknown>>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first of some descriptors that fits. */
function findDescriptor(
  list: unknown,
  isFitting: (one: Record<string, unknown>) => boolean,
): Descriptor | undefined {
  for (const one of Array.isArray(list) ? list : []) {
    if (!isObject(one) || !isFitting(one)) continue;
    const { digest, size } = one;
    if (typeof digest === "string" && /^sha256:[0-9a-f]{64}$/.test(digest) && Number.isSafeInteger(size))
      return { digest, size: size as number };
  }
  return undefined;
}

/**
 * Reads a manifest or an index.
 * @param name the reference, for messages
 * @throws DocteurError `Io` for one that is malformed, or not of a docteur image
 */
export function readManifest(name: string, text: string): ManifestContent {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw httpError("Io", name, "the registry's manifest is not JSON", { cause });
  }
  if (!isObject(manifest)) throw httpError("Io", name, "the registry's manifest is not an object");
  const annotations = isObject(manifest.annotations) ? manifest.annotations : {};
  const layer = findDescriptor(manifest.layers, ({ mediaType }) => mediaType === LAYER_TYPE);
  if (layer !== undefined) return { layer, annotations };
  const next = findDescriptor(manifest.manifests, ({ artifactType }) => artifactType === ARTIFACT_TYPE);
  if (next !== undefined) return { next, annotations };
  throw httpError("Io", name, "the artifact is not a docteur image", {
    hint: `an image has a layer of the type ${LAYER_TYPE}; docteur push makes such artifacts`,
  });
}
