/** Changes as people and programs read them: git's patches, and counts of lines. */
import { structuredPatch } from "diff";
import { joinedBytes } from "../joined-bytes.js";
import { quotePath } from "../text/quoted-path.js";
import type { Entry } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import type { Change } from "./compare.js";

/** Lines of a change, in unified form. */
export interface Hunk {
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  lines: string[];
}

/** What a change does to a file's lines. */
export interface LineChange {
  /** Whether either content is not text: it has a NUL in its first 8,000 bytes, or is very large. */
  isBinary: boolean;
  /** Bytes before and after. */
  oldSize: number;
  newSize: number;
  /** Lines, 0 of binary content. */
  added: number;
  deleted: number;
  hunks: Hunk[];
}

/** git's rule for binary content: a NUL in so many bytes from the start. */
const PROBE = 8000;
/** Bytes of a file that is compared line by line. */
const TEXT_MAX = 32 << 20;
/** Edits that are looked for between two files; beyond that, all lines count as changed. */
const EDITS_MAX = 4000;

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

function isBinary(content: Uint8Array): boolean {
  return content.length > TEXT_MAX || content.subarray(0, PROBE).includes(0);
}

/** Bytes as text, a character each: whatever the encoding, lines come out as they went in. */
function charactersOf(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4096)
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 4096)));
  return parts.join("");
}

function bytesOf(characters: string): Uint8Array {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** One hunk that takes all lines away, and puts all others there. */
function replaced(before: string, after: string): Hunk[] {
  const linesOf = (text: string, sign: string): string[] => {
    const lines = text.split("\n");
    const last = lines.pop();
    const marked = lines.map((line) => sign + line);
    return last === "" ? marked : [...marked, sign + last, "\\ No newline at end of file"];
  };
  const [old, young] = [linesOf(before, "-"), linesOf(after, "+")];
  const count = (lines: string[]): number => lines.filter((line) => line[0] !== "\\").length;
  const [oldLines, newLines] = [count(old), count(young)];
  return [{ oldStart: 1, oldLines, newStart: 1, newLines, lines: [...old, ...young] }];
}

/** The content of an entry. A submodule has a line instead, as git shows it. */
async function contentOf(
  volume: Volume,
  entry: Entry | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (entry === undefined) return NOTHING;
  if (entry.kind === "submodule") return encoder.encode(`Subproject commit ${entry.oid}\n`);
  // One byte more than is compared is enough to tell that it is too large.
  return volume.getPartial(entry.pathBytes, 0, TEXT_MAX + 1, { signal });
}

/**
 * Compares the contents of a change line by line.
 * @param context unchanged lines around each change, in `hunks`
 * @throws DocteurError errors of the images
 */
export async function lineChange(
  before: Volume,
  after: Volume,
  change: Change,
  context = 3,
  signal?: AbortSignal,
): Promise<LineChange> {
  const same = change.before?.oid === change.after?.oid;
  const old = same ? NOTHING : await contentOf(before, change.before, signal);
  const young = same ? NOTHING : await contentOf(after, change.after, signal);
  const sizeOf = async (volume: Volume, entry: Entry | undefined, read: Uint8Array): Promise<number> =>
    read.length > TEXT_MAX ? volume.size(entry!.pathBytes, { signal }) : read.length;
  const oldSize = await sizeOf(before, change.before, old);
  const newSize = await sizeOf(after, change.after, young);
  if (isBinary(old) || isBinary(young))
    return { isBinary: true, oldSize, newSize, added: 0, deleted: 0, hunks: [] };
  const [oldText, newText] = [charactersOf(old), charactersOf(young)];
  const patch = structuredPatch("", "", oldText, newText, undefined, undefined, {
    context,
    maxEditLength: EDITS_MAX,
  });
  const hunks = patch?.hunks ?? replaced(oldText, newText);
  const count = (sign: string): number =>
    hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line[0] === sign).length, 0);
  return { isBinary: false, oldSize, newSize, added: count("+"), deleted: count("-"), hunks };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(6, "0");
}

/** A path in a patch, after `a` or `b`. */
function prefixed(letter: string, entry: Entry): string {
  const bytes = new Uint8Array(entry.pathBytes.length + 1);
  bytes[0] = letter.charCodeAt(0);
  bytes.set(entry.pathBytes, 1);
  return quotePath(bytes);
}

const NO_OID = "0".repeat(40);

/** The lines in front of a patch's hunks (git-diff, "Generating patch text with -p"). */
function headerOf({ before, after }: Change, { isBinary, hunks }: LineChange): string {
  const [old, young] = [prefixed("a", (before ?? after)!), prefixed("b", (after ?? before)!)];
  const lines = [`diff --git ${old} ${young}`];
  if (before === undefined) lines.push(`new file mode ${octal(after!.mode)}`);
  else if (after === undefined) lines.push(`deleted file mode ${octal(before.mode)}`);
  else if (before.mode !== after.mode)
    lines.push(`old mode ${octal(before.mode)}`, `new mode ${octal(after.mode)}`);
  if (before !== undefined && after !== undefined && before.path !== after.path)
    lines.push(
      "similarity index 100%",
      `rename from ${quotePath(before.pathBytes.subarray(1))}`,
      `rename to ${quotePath(after.pathBytes.subarray(1))}`,
    );
  if (before?.oid !== after?.oid) {
    const mode = before !== undefined && before.mode === after?.mode ? ` ${octal(before.mode)}` : "";
    lines.push(`index ${before?.oid ?? NO_OID}..${after?.oid ?? NO_OID}${mode}`);
  }
  const names = [before === undefined ? "/dev/null" : old, after === undefined ? "/dev/null" : young];
  if (isBinary) lines.push(`Binary files ${names[0]} and ${names[1]} differ`);
  else if (hunks.length > 0) lines.push(`--- ${names[0]}`, `+++ ${names[1]}`);
  return `${lines.join("\n")}\n`;
}

/** The lines that a hunk is about, as its head has them: none of a file come after line 0. */
function range(start: number, count: number): string {
  if (count === 0) return `${start - 1},0`;
  return count === 1 ? String(start) : `${start},${count}`;
}

/**
 * A change as a patch that `git apply` takes. Binary content is named, not shown. An entry that became one of another
 * kind is deleted and added, as in git's own patches.
 * @param context unchanged lines around each change
 * @returns bytes: contents keep their encodings
 * @throws DocteurError errors of the images
 */
export async function patchOf(
  before: Volume,
  after: Volume,
  change: Change,
  context = 3,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (change.status === "typechange") {
    const gone: Change = { ...change, status: "deleted", after: undefined };
    const come: Change = { ...change, status: "added", before: undefined };
    return joinedBytes([
      await patchOf(before, after, gone, context, signal),
      await patchOf(before, after, come, context, signal),
    ]);
  }
  const lines = await lineChange(before, after, change, context, signal);
  const parts: Uint8Array[] = [encoder.encode(headerOf(change, lines))];
  for (const { oldStart, oldLines, newStart, newLines, lines: text } of lines.hunks) {
    const head = `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n`;
    parts.push(bytesOf(`${head}${text.join("\n")}\n`));
  }
  return joinedBytes(parts);
}
