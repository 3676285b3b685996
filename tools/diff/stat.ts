/** Counts of changed lines, a file each, as git diff --stat shows them. */
import type { Change, LineChange } from "../../src/diff/index.js";
import { quotePath } from "../../src/text/quoted-path.js";
import { paint } from "../cli/style.js";

/** Changes that have a line of their own: widths are known once all are. Others are in the sums only. */
const LINES_MAX = 100_000;
/** Columns of a line. */
const WIDTH = 80;
/** The least columns for the bar. */
const BAR_MIN = 10;

interface Counted {
  name: string;
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
export class Stat {
  readonly #counted: Counted[] = [];
  readonly #max: number;
  #files = 0;
  #added = 0;
  #deleted = 0;

  /** @param max lines at most; behind the last of them stands `...`, as git has it */
  constructor(max = LINES_MAX) {
    this.#max = max;
  }

  add(change: Change, lines: LineChange): void {
    this.#files++;
    this.#added += lines.added;
    this.#deleted += lines.deleted;
    if (this.#counted.length < this.#max) this.#counted.push({ name: nameOf(change), lines });
  }

  text(): string {
    const counted = this.#counted;
    const total = ({ added, deleted }: LineChange): number => added + deleted;
    const most = largest(counted.map(({ lines }) => total(lines)));
    const digits = largest(counted.map(({ lines }) => (lines.isBinary ? 3 : String(total(lines)).length)));
    // " NAME | COUNT BAR"
    const nameWidth = Math.min(largest(counted.map(({ name }) => name.length)), WIDTH - 5 - digits - BAR_MIN);
    const room = WIDTH - 5 - digits - nameWidth;
    const shown = counted.map(({ name, lines }) => {
      const start = ` ${shortened(name, nameWidth).padEnd(nameWidth)} |`;
      if (lines.isBinary)
        return `${start} ${"Bin".padStart(digits)} ${lines.oldSize} -> ${lines.newSize} bytes\n`;
      return `${`${start} ${String(total(lines)).padStart(digits)} ${bar(lines, most, room)}`.trimEnd()}\n`;
    });
    const rest = this.#files > counted.length ? " ...\n" : "";
    return shown.join("") + rest + counts(this.#files, this.#added, this.#deleted);
  }
}
