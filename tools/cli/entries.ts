/** Entries of an image as commands print them: lines, and elements of a JSON array. */
import type { Entry, Volume } from "../../src/index.js";
import { printableJson } from "../../src/text/printable.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { print } from "./output.js";

const GIT_KINDS: Record<string, string> = { directory: "tree", submodule: "commit" };

/** A mode as git writes it. */
export function octalMode(mode: number): string {
  return mode.toString(8).padStart(6, "0");
}

/** The fields that git ls-tree -l prints before a name. */
export function longFields({ mode, kind, oid, size }: Entry): string {
  return `${octalMode(mode)} ${GIT_KINDS[kind] ?? "blob"} ${oid} ${String(size ?? "-").padStart(7)}\t`;
}

/** An entry for JSON. If its path is not UTF-8 it has another field, `quoted`: the path, in git's quotes. */
export function entryJson({ nameBytes: _, pathBytes, mode, ...entry }: Entry): Record<string, unknown> {
  return { ...entry, mode: octalMode(mode), ...quotedField(entry.path, pathBytes) };
}

/** The field `quoted` for a path that is not UTF-8. */
export function quotedField(path: string, pathBytes: Uint8Array): { quoted?: string } {
  return Buffer.from(path).equals(pathBytes) ? {} : { quoted: quotePath(pathBytes) };
}

/** The fields `target` and `targetQuoted` of a symbolic link. The second is there for a target that is not UTF-8. */
export function targetFields(bytes: Uint8Array): { target: string; targetQuoted?: string } {
  const target = Buffer.from(bytes).toString();
  const isText = Buffer.from(target).equals(bytes);
  return { target, ...(isText ? {} : { targetQuoted: quotePath(bytes) }) };
}

/** A JSON array that is printed element by element. */
export class JsonArray {
  #isEmpty = true;

  add(element: unknown): void {
    print(`${this.#isEmpty ? "[" : ","}\n  ${printableJson(element, 2).replaceAll("\n", "\n  ")}`);
    this.#isEmpty = false;
  }

  end(): void {
    print(this.#isEmpty ? "[]\n" : "\n]\n");
  }
}

/**
 * Everything below a directory, down to a depth: directories that are deeper are not read.
 * @param depth names below the directory; undefined for no limit
 */
export async function* walkTo(
  volume: Volume,
  path: Uint8Array,
  depth: number | undefined,
  options: { sizes: boolean; oids: boolean; follow: boolean },
): AsyncGenerator<Entry, void, undefined> {
  if (depth === undefined) {
    yield* volume.walk(path, options);
    return;
  }
  if (depth === 0) return;
  for await (const entry of volume.entries(path, options)) {
    yield entry;
    if (entry.kind === "directory") yield* walkTo(volume, entry.pathBytes, depth - 1, options);
  }
}
