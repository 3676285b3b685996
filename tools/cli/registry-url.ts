/** References to registries as people type them. */
import { isOciUrl } from "../../src/devices/oci/reference.js";
import { usageError } from "./arguments.js";

/** @throws DocteurError `Usage` for text that is not an `oci:` URL */
export function registryUrl(word: string): URL {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url !== undefined && isOciUrl(url)) return url;
  throw usageError(`not a reference to a registry: ${word}`, "write oci://REGISTRY/NAME:TAG");
}
