/** S3 URLs, `s3://bucket/key`, and the addresses of objects over HTTP. */
import { invalid } from "../../arguments.js";
import { redacted } from "../redact.js";

/** An object. */
export interface S3Object {
  bucket: string;
  /** The key, not encoded. */
  key: string;
}

/** Bucket names (Amazon S3 User Guide, "General purpose bucket naming rules"). */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Reads an S3 URL. The key is percent-encoded where it has to be.
 * @throws DocteurError `InvalidArgument`
 */
export function parseS3Url(url: URL): S3Object {
  const isBare =
    url.username === "" && url.password === "" && url.search === "" && url.hash === "" && url.port === "";
  let key = "";
  try {
    key = decodeURIComponent(url.pathname.slice(1));
  } catch {
    // Said below.
  }
  if (isBare && BUCKET.test(url.host) && key !== "") return { bucket: url.host, key };
  throw invalid(
    `not an S3 URL: ${redacted(url)}`,
    "write s3://BUCKET/KEY, with %25, %3F and %23 for percent signs, question marks and number signs of the key",
  );
}

function encode(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The address of an object: with an endpoint, the bucket is in its path; of AWS, in the host's name where TLS's
 * certificates allow that.
 * @throws DocteurError `InvalidArgument` for an endpoint that is not a URL
 */
export function s3Address({ bucket, key }: S3Object, region: string, endpoint: string | undefined): URL {
  const path = key.split("/").map(encode).join("/");
  if (endpoint !== undefined) {
    const base = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (base?.protocol !== "http:" && base?.protocol !== "https:")
      throw invalid(`the endpoint of S3 (AWS_ENDPOINT_URL) is not an HTTP URL: ${endpoint}`);
    return new URL(`${base.origin}${base.pathname.replace(/\/$/, "")}/${bucket}/${path}`);
  }
  if (!/^[a-z0-9-]+$/.test(region)) throw invalid(`not a region of AWS: ${region}`);
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const host = `s3.${region}.${suffix}`;
  return new URL(
    bucket.includes(".") ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`,
  );
}
