/** References to artifacts in registries: `oci://registry/name:tag@sha256:digest`. */
import { invalid } from "../../arguments.js";
import { redacted } from "../redact.js";

/** What a reference stands for. */
export interface OciReference {
  /** Where the registry's API is: `https://registry` or `http://registry`, without a slash at its end. */
  origin: string;
  /** The registry as references and docker's configuration have it: `host` or `host:port`. */
  registry: string;
  /** The repository in the registry. */
  repository: string;
  /** Undefined where a digest alone is given; "latest" where neither is. */
  tag: string | undefined;
  /** `sha256:` and 64 digits. */
  digest: string | undefined;
}

// OCI Distribution Specification 1.1, "Pulling manifests", has these two; the image specification the digest's.
const NAME = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(
  `^/(${NAME}(?:/${NAME})*)(?::([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);
const NAME_MAX = 255;

/** Whether a host is this machine: registries there need no TLS. */
function isLoopback(host: string): boolean {
  return host === "localhost" || /^127\.[0-9.]+$/.test(host) || host === "[::1]";
}

/** Whether a URL is of a registry. */
export function isOciUrl(url: URL): boolean {
  return url.protocol === "oci:" || url.protocol === "oci+http:";
}

/**
 * Reads a reference. The scheme `oci:` stands for https, and for http where the registry is on this machine's loopback;
 * `oci+http:` stands for http.
 * @throws DocteurError `InvalidArgument`
 */
export function parseOciUrl(url: URL): OciReference {
  const [, repository, tag, digest] = PATH.exec(url.pathname) ?? [];
  const isBare = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (
    !isOciUrl(url) ||
    url.host === "" ||
    !isBare ||
    repository === undefined ||
    repository.length > NAME_MAX
  )
    throw invalid(
      `not a reference to an artifact in a registry: ${redacted(url)}`,
      "write oci://REGISTRY/NAME:TAG or oci://REGISTRY/NAME@sha256:DIGEST, without a user: docker login keeps credentials",
    );
  const isPlain = url.protocol === "oci+http:" || isLoopback(url.hostname);
  return {
    origin: `${isPlain ? "http" : "https"}://${url.host}`,
    registry: url.host,
    repository,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest,
  };
}

/** A reference as people write it. */
export function formatReference({ origin, registry, repository, tag, digest }: OciReference): string {
  const isPlain = origin.startsWith("http:") && !isLoopback(new URL(origin).hostname);
  const suffix = (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
  return `oci${isPlain ? "+http" : ""}://${registry}/${repository}${suffix}`;
}
