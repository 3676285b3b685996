/** Trees, read with care: everything that is wrong with one. `treeScan` in Wasm passes those that nothing is wrong with. */
import { shown } from "../make/byte-string.js";
import { MODE } from "../make/objects.js";
import { whyNot } from "../make/source/names.js";
import type { Severity } from "./report.js";

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

/** Bytes of a name (`asm/limits.ts`). */
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
  severity: Severity;
  code: "BadTree" | "OddMode";
  message: string;
}

/** A tree's entries as far as it can be read, and what is wrong with it. */
export interface TreeContent {
  items: TreeItem[];
  problems: TreeProblem[];
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

/** Reads a tree, and says all that is wrong with it. */
export function inspectTree(data: Uint8Array): TreeContent {
  const items: TreeItem[] = [];
  const problems: TreeProblem[] = [];
  const fail = (message: string): void => void problems.push({ severity: "error", code: "BadTree", message });
  const names = new Set<string>();
  let last = "";
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const nul = data.indexOf(0, at);
    const digits = space < 0 ? "" : Buffer.from(data.subarray(at, space)).toString("latin1");
    if (nul < 0 || space < 0 || space > nul || data.length - nul < 21) {
      fail(`its tree is malformed: an entry is cut off (at byte ${at})`);
      break;
    }
    if (!/^[0-7]{1,6}$/.test(digits)) {
      fail(`its tree is malformed: a mode is no octal number (at byte ${at})`);
      break;
    }
    const name = Buffer.from(data.subarray(space + 1, nul)).toString("latin1");
    const kind = kindOf(Number.parseInt(digits, 8));
    const quoted = `"${shown(name.slice(0, 200))}"`;
    if (kind === 0) fail(`its tree is malformed: ${quoted} has the mode ${digits}, which is none of git's`);
    else if (digits !== MODES[kind]) {
      const message = `${quoted} has the mode ${digits}, which git writes as ${MODES[kind]}`;
      problems.push({ severity: "warning", code: "OddMode", message });
    }
    const fault = nameFault(name, kind);
    if (fault !== undefined) fail(`its tree is malformed: ${quoted}: ${fault}`);
    const key = kind === ENTRY.tree ? `${name}/` : name;
    if (names.has(name)) fail(`its tree is malformed: ${quoted} is there twice`);
    else if (items.length > 0 && key <= last) fail(`its tree is malformed: ${quoted} is out of order`);
    last = key;
    names.add(name);
    if (kind !== 0) items.push({ kind, name, oidAt: nul + 1 });
    at = nul + 21;
  }
  return { items, problems };
}
