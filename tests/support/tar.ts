/** Unpacks the fixtures' source trees: ustar with GNU's or POSIX's long names. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BLOCK_LEN = 512;

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}

/** The `path` of a POSIX extended header: records are "LENGTH KEY=VALUE\n". */
function extendedPath(content: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/m.exec(text(content))?.[1];
}

/** Unpacks an archive of trusted content into `folder`. */
export function unpackTar(archive: Uint8Array, folder: string): void {
  let longName: string | undefined;
  for (let at = 0; at + BLOCK_LEN <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + BLOCK_LEN);
    const size = Number.parseInt(text(header.subarray(124, 136)), 8);
    const content = archive.subarray(at + BLOCK_LEN, at + BLOCK_LEN + size);
    at += BLOCK_LEN + Math.ceil(size / BLOCK_LEN) * BLOCK_LEN;
    const type = String.fromCharCode(header[156]!);
    if (type === "L" || type === "x") {
      longName = type === "L" ? text(content) : extendedPath(content);
      continue;
    }
    const path = join(folder, longName ?? text(header.subarray(0, 100)));
    longName = undefined;
    if (type === "5") mkdirSync(path, { recursive: true });
    else if (type === "2") symlinkSync(text(header.subarray(157, 257)), path);
    else if (type === "0" || type === "\0") {
      writeFileSync(path, content);
      chmodSync(path, Number.parseInt(text(header.subarray(100, 108)), 8) & 0o777);
    } else throw new Error(`a tar entry of type ${type}`);
  }
}
