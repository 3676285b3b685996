/** Paths as `node:path` handles them on POSIX systems, in text or in byte strings (one character for each byte). */

/** The names of a path in its normal form; `..` stays in front where the path does not begin at the root. */
function normalNames(path: string): string[] {
  const isAbsolute = path.startsWith("/");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === ".." && names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (name !== ".." || !isAbsolute) names.push(name);
  }
  return names;
}

/** `posix.join`: `a//b/./c/../d` is `a/b/d`. */
export function join(...parts: readonly string[]): string {
  const path = parts.filter((part) => part !== "").join("/");
  const names = normalNames(path).join("/");
  const start = path.startsWith("/") ? "/" : "";
  const end = path.endsWith("/") && names !== "" ? "/" : "";
  return start + names + end || ".";
}

/** The names of `posix.resolve`, where the working directory is the root. */
export function resolvedNames(...parts: readonly string[]): string[] {
  let path = "";
  for (const part of parts) path = part.startsWith("/") ? part : `${path}/${part}`;
  return normalNames(`/${path}`);
}

/** Bytes as a byte string. */
export function byteString(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes of a byte string. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
