/**
 * Sources that need Node: sockets, and the credentials of a machine's user. This is `#sources` with Node; other hosts have
 * `no-sources.ts` (package.json, "imports"). Few URLs need them, so each is loaded when one does.
 */
import type { SourceOptions } from "./options.js";
import type { RangeSource } from "./range-source.js";

async function openS3(url: URL, options: SourceOptions): Promise<RangeSource> {
  const [source, { readS3Settings }] = await Promise.all([
    import("./s3/source.js"),
    import("./s3/settings.js"),
  ]);
  return source.openS3(url, options, await readS3Settings());
}

async function openOci(url: URL, options: SourceOptions): Promise<RangeSource> {
  const [source, credentials] = await Promise.all([
    import("./oci/source.js"),
    import("./oci/credentials.js"),
  ]);
  return source.openOci(url, options, credentials.findDockerCredentials);
}

/** Opens what a URL of one of these schemes names. */
export async function openNodeSource(url: URL, options: SourceOptions): Promise<RangeSource> {
  const { protocol } = url;
  if (protocol.startsWith("nbd")) return (await import("./nbd/source.js")).openNbd(url, options);
  return protocol === "s3:" ? openS3(url, options) : openOci(url, options);
}
