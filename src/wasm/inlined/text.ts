/** Wasm as text: what the build puts into the modules beside this one. */
import { inflate } from "../inflate.js";

/** The bytes of a module. @param text its length in bytes, a colon, and its deflate stream in base64 */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const [size, stream] = text.split(":") as [string, string];
  const digits = atob(stream);
  const bytes = new Uint8Array(digits.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = digits.charCodeAt(at);
  return inflate(bytes, Number(size));
}
