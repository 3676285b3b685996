/** Trees, read with care: everything that is wrong with one. `treeScan` in Wasm passes those that nothing is wrong with. */
import { shown } from "./byte-string.js";
import { whyNot } from "./names.js";
import { MODE } from "./objects.js";

/** What an entry is (`Entry` in `asm/git/tree.ts`). */
export const ENTRY = { tree: 1, file: 2, executable: 3, symlink: 4, submodule: 5 } as const;

/** Modes by what they stand for, as git writes them. */
const MODES: Record<number, string> = {
  [ENTRY.tree]: MODE.directory,
  [ENTRY.file]: MODE.file,
  [ENTRY.executable]: MODE.executable,
  [ENTRY.symlink]: MODE.symlink,
  [ENTRY.submodule]: "160000",
};

/** Bytes of a name (`asm/base/limits.ts`). */
const NAME_MAX = 4096;

/** An entry of a tree. */
export interface TreeItem {
  kind: number;
  /** The name, a byte to a character. */
  name: string;
  /** Where the id begins in the tree. */
  oidAt: number;
}

/** Something wrong with a tree. */
export interface TreeProblem {
  severity: "error" | "warning";
  code: "BadTree" | "OddMode";
  /** Told where it is wanted: there may be as many as a tree has entries. */
  message: () => string;
}

/** What `inspectTree` tells of a tree, as it comes to it. */
export interface TreeVisitor {
  item?: (item: TreeItem) => void;
  problem?: (problem: TreeProblem) => void;
}

function kindOf(mode: number): number {
  switch (mode >> 12) {
    case 0o04:
      return ENTRY.tree;
    case 0o10:
      return (mode & 0o100) !== 0 ? ENTRY.executable : ENTRY.file;
    case 0o12:
      return ENTRY.symlink;
    case 0o16:
      return ENTRY.submodule;
    default:
      return 0;
  }
}

/** Why no tree may hold an entry of that name. */
function nameFault(name: string, kind: number): string | undefined {
  if (name === "") return "an entry has no name";
  if (name.includes("/")) return "a name holds a slash";
  if (name === "." || name === "..") return "no entry can be called that";
  if (name.length > NAME_MAX) return `a name is longer than ${NAME_MAX} bytes`;
  const mode = kind === ENTRY.tree ? MODE.directory : kind === ENTRY.symlink ? MODE.symlink : MODE.file;
  return whyNot(name, mode);
}

/** Digits of a mode, and the space behind them. */
const MODE_MAX = 7;
/** Bytes of a name that a message tells. */
const SHOWN_MAX = 200;

/** Reads a tree, and tells of its entries, as far as it can be read, and of all that is wrong with it. */
export function inspectTree(data: Uint8Array, { item, problem }: TreeVisitor): void {
  const fail = (message: () => string): void =>
    problem?.({
      severity: "error",
      code: "BadTree",
      message: () => `its tree is malformed: ${message()}`,
    });
  const text = (start: number, end: number): string =>
    Buffer.from(data.buffer, data.byteOffset + start, end - start).toString("latin1");
  // Names that begin the one before: between a file and a directory of one name stand only such as begin with it.
  const prefixes: string[] = [];
  let last: string | undefined;
  for (let at = 0; at < data.length; ) {
    const start = at;
    const space = at + data.subarray(at, at + MODE_MAX).indexOf(0x20);
    const nul = data.indexOf(0, at);
    if (nul < 0 || space > nul || data.length - nul < 21) {
      fail(() => `an entry is cut off (at byte ${start})`);
      return;
    }
    const digits = text(at, Math.max(at, space));
    if (!/^[0-7]{1,6}$/.test(digits)) {
      fail(() => `a mode is no octal number (at byte ${start})`);
      return;
    }
    // One that is too long is refused, however it goes on.
    const name = text(space + 1, Math.min(nul, space + 2 + NAME_MAX));
    const kind = kindOf(Number.parseInt(digits, 8));
    const quoted = (): string => `"${shown(name.slice(0, SHOWN_MAX))}"`;
    if (kind === 0) fail(() => `${quoted()} has the mode ${digits}, which is none of git's`);
    else if (digits !== MODES[kind])
      problem?.({
        severity: "warning",
        code: "OddMode",
        message: () => `${quoted()} has the mode ${digits}, which git writes as ${MODES[kind]}`,
      });
    const fault = nameFault(name, kind);
    if (fault !== undefined) fail(() => `${quoted()}: ${fault}`);
    const key = kind === ENTRY.tree ? `${name}/` : name;
    while (prefixes.length > 0 && !name.startsWith(prefixes.at(-1)!)) prefixes.pop();
    if (name === prefixes.at(-1)) fail(() => `${quoted()} is there twice`);
    else {
      if (last !== undefined && key <= last) fail(() => `${quoted()} is out of order`);
      prefixes.push(name);
    }
    last = key;
    if (kind !== 0) item?.({ kind, name, oidAt: nul + 1 });
    at = nul + 21;
  }
}
