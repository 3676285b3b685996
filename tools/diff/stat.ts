/** Counts of changed lines, a file each, as git diff --stat shows them. */
import type { Change, LineChange } from "../../src/diff/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { paint } from "../cli/style.js";

/** Columns of a line. */
const WIDTH = 80;
/** The least columns for the bar. */
const BAR_MIN = 10;

interface Counted {
  change: Change;
  lines: LineChange;
}

function nameOf({ before, after }: Change): string {
  const path = ({ pathBytes }: { pathBytes: Uint8Array }): string => quotePath(pathBytes.subarray(1));
  if (before !== undefined && after !== undefined && before.path !== after.path)
    return `${path(before)} => ${path(after)}`;
  return path((after ?? before)!);
}

/** The end of a name that fits. */
function shortened(name: string, width: number): string {
  return name.length <= width ? name : `...${name.slice(name.length - width + 3)}`;
}

/** Pluses and minuses: as many as lines where there is room, and a share of it elsewhere. */
function bar({ added, deleted }: LineChange, most: number, room: number): string {
  const scale = (count: number): number =>
    most <= room || count === 0 ? count : Math.max(1, Math.floor((count * room) / most));
  return paint("green", "+".repeat(scale(added))) + paint("red", "-".repeat(scale(deleted)));
}

function counts(files: number, added: number, deleted: number): string {
  const few = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
  const parts = [few(files, "file changed", "files changed")];
  if (added > 0) parts.push(few(added, "insertion(+)", "insertions(+)"));
  if (deleted > 0) parts.push(few(deleted, "deletion(-)", "deletions(-)"));
  return ` ${parts.join(", ")}\n`;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** A line for each change, and one for all. */
export function statLines(changes: readonly Counted[]): string {
  const names = changes.map(({ change }) => nameOf(change));
  const totals = changes.map(({ lines }) => lines.added + lines.deleted);
  const most = Math.max(...totals);
  const digits = Math.max(
    ...changes.map(({ lines }, at) => (lines.isBinary ? 3 : String(totals[at]).length)),
  );
  // " NAME | COUNT BAR"
  const nameWidth = Math.min(largest(names.map(({ length }) => length)), WIDTH - 5 - digits - BAR_MIN);
  const room = WIDTH - 5 - digits - nameWidth;
  const shown = changes.map(({ lines }, at) => {
    const name = shortened(names[at]!, nameWidth).padEnd(nameWidth);
    if (lines.isBinary)
      return ` ${name} | ${"Bin".padStart(digits)} ${lines.oldSize} -> ${lines.newSize} bytes\n`;
    return ` ${name} | ${String(totals[at]).padStart(digits)} ${bar(lines, most, room)}`
      .trimEnd()
      .concat("\n");
  });
  const sum = (of: (lines: LineChange) => number): number =>
    changes.reduce((total, { lines }) => total + of(lines), 0);
  return (
    shown.join("") +
    counts(
      changes.length,
      sum(({ added }) => added),
      sum(({ deleted }) => deleted),
    )
  );
}
