/** `#sources` without Node (package.json, "imports"). */
import { invalid } from "../arguments.js";
import { redacted } from "./redact.js";

export async function openNodeSource(url: URL): Promise<never> {
  throw invalid(
    `cannot open ${redacted(url)}: URLs of ${url.protocol} need Node`,
    "open an https: URL, or a source of ranges of your own",
  );
}
