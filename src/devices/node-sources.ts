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

/** Opens what a URL of one of these schemes names. */
export function openNodeSource(url: URL, options: SourceOptions): Promise<RangeSource> {
  if (isNbdUrl(url)) return openNbd(url, options);
  return openOci(url, options, findDockerCredentials);
}
