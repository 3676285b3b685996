/**
 * Sources that need Node: sockets, and the credentials of a machine's user. `open.ts` imports this when a URL asks for
 * it. Bundles for browsers have `no-sources.ts` in its place (package.json, "browser").
 */
import { isNbdUrl } from "./nbd/address.js";
import { openNbd } from "./nbd/source.js";
import { findDockerCredentials } from "./oci/credentials.js";
import { openOci } from "./oci/source.js";
import type { SourceOptions } from "./options.js";
import type { RangeSource } from "./range-source.js";
import { readS3Settings } from "./s3/settings.js";
import { openS3 } from "./s3/source.js";

/** Opens what a URL of one of these schemes names. */
export async function openNodeSource(url: URL, options: SourceOptions): Promise<RangeSource> {
  if (isNbdUrl(url)) return openNbd(url, options);
  if (url.protocol === "s3:") return openS3(url, options, await readS3Settings());
  return openOci(url, options, findDockerCredentials);
}
