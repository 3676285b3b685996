/**
 * Checks the names and paths that an image can hold. git refuses trees with a name that some file system
 * reads as `.git`, and its own settings files if they are not files (fsck.c; `is_hfs_dotgit` and
 * `is_ntfs_dotgit` and their relatives); the core reads paths up to limits of its own (`asm/base/limits.ts`).
 * Names and paths are byte strings ("latin1").
 */
import { DocteurError } from "../errors.js";
import { shown, shownStart, textOf } from "./byte-string.js";
import { MODE, type Mode } from "./objects.js";
import { TREE_DEFECTS, type TreeDefect } from "./tree-defects.js";

/** Bytes of a name (`asm/base/limits.ts`). */
export const NAME_MAX = 4096;
/** Names in a path, including the last. */
const DEPTH_MAX = 512;
/** Bytes of a path, without a slash in front. */
const PATH_MAX = 4095;
/** Bytes of a long path that a message shows. */
const SHOWN_MAX = 200;

/** Characters that HFS+ ignores in names, as bytes of UTF-8. */
const IGNORED = /(?:\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf)*/y;
const UTF8_MAX = 4;

/** Whether HFS+ reads a name as another, by git's rules: a name ends at the first byte that is not UTF-8. */
function isHfsName(name: string, other: string): boolean {
  let at = 0;
  const skip = (): void => {
    IGNORED.lastIndex = at;
    IGNORED.test(name);
    at = IGNORED.lastIndex;
  };
  for (const char of other) {
    skip();
    if (name[at]?.toLowerCase() !== char) return false;
    at++;
  }
  skip();
  return at === name.length || /^[\ufffd-\uffff]/.test(textOf(name.slice(at, at + UTF8_MAX)));
}

/**
 * Names that NTFS reads as `.git`. Dots and spaces at a name's end do not count, and neither does the name of
 * a stream. A backslash is a slash on Windows. Such patterns read each character at most twice, however long
 * a name is.
 */
const NTFS_GIT = /(?:^|\\)(?:\.git|git~1)[. ]*(?:[\\:]|$)/i;

/** Whether some file system reads a name as `.git`. */
function isDotGit(name: string): boolean {
  return isHfsName(name, ".git") || NTFS_GIT.test(name);
}

/**
 * Names that NTFS reads as one of git's settings files.
 * @param start a pattern of the name's beginning
 * @param hashed the beginning of its short names when many are taken: six characters, four of them of a hash;
 *   a longer number replaces the last of them
 */
function ntfsSetting(start: string, name: string, hashed: string): RegExp {
  const short = Array.from(
    { length: hashed.length + 1 },
    (_, kept) => `${hashed.slice(0, kept)}~[1-9][0-9]{${hashed.length - kept}}`,
  );
  const names = [`\\${name}`, `${name.slice(1, 7)}~[1-4]`, ...short];
  return new RegExp(`${start}(?:${names.join("|")})[. ]*(?::|$)`, "i");
}

/** One of git's settings files in the work tree, under the names that file systems may give it. */
interface Setting {
  name: string;
  ntfs: RegExp;
  /** The defects of an entry of another kind. */
  symlink: TreeDefect;
  directory?: TreeDefect;
  submodule?: TreeDefect;
}

const SETTINGS: readonly Setting[] = [
  {
    name: ".gitmodules",
    ntfs: ntfsSetting("(?:^|\\\\)", ".gitmodules", "gi7eba"),
    symlink: "gitmodulesSymlink",
    directory: "gitmodulesBlob",
    submodule: "gitmodulesMissing",
  },
  {
    name: ".gitattributes",
    ntfs: ntfsSetting("^", ".gitattributes", "gi7d29"),
    symlink: "gitattributesSymlink",
    directory: "gitattributesBlob",
    submodule: "gitattributesMissing",
  },
  {
    name: ".gitignore",
    ntfs: ntfsSetting("^", ".gitignore", "gi250a"),
    symlink: "gitignoreSymlink",
  },
  {
    name: ".mailmap",
    ntfs: ntfsSetting("^", ".mailmap", "maba30"),
    symlink: "mailmapSymlink",
  },
];

/**
 * The kinds of entries for which a name can be a defect. A file can have the name of any of git's settings
 * files.
 */
export type NameKind = "file" | "symlink" | "directory" | "submodule";

/**
 * The worst defect of a name.
 * @param name a byte string, without slashes
 * @returns `undefined` if the name has no defect
 */
export function nameDefect(name: string, kind: NameKind): TreeDefect | undefined {
  if (name === "") return "emptyName";
  if (name === ".") return "hasDot";
  if (name === "..") return "hasDotdot";
  if (name.length > NAME_MAX) return "largePathname";
  return settingDefect(name, kind);
}

/** Whether git, or a file system, reads a name as one of git's own. */
function settingDefect(name: string, kind: NameKind): TreeDefect | undefined {
  // Almost no name matches this.
  if (!/git|~|mailmap|[\x80-\xff]/i.test(name)) return undefined;
  if (isDotGit(name)) return "hasDotgit";
  if (kind === "file") return undefined;
  // If a name matches several defects, the first ones are errors.
  for (const setting of SETTINGS) {
    const defect = setting[kind];
    if (defect !== undefined && (isHfsName(name, setting.name) || setting.ntfs.test(name))) return defect;
  }
  return undefined;
}

/** The reason why git considers a name unsound, for people. */
export function nameReason(defect: TreeDefect): string {
  return NAME_REASONS[defect] ?? "git has settings in files of that name";
}

const NAME_REASONS: Partial<Record<TreeDefect, string>> = {
  emptyName: "an entry has no name",
  fullPathname: "a name holds a slash",
  hasDot: "no entry can be called that",
  hasDotdot: "no entry can be called that",
  largePathname: `a name is longer than ${NAME_MAX} bytes`,
  hasDotgit: "git trees hold no name that some file systems take for .git",
};

/**
 * Makes sure that git considers a name sound.
 * @param path for the message
 * @throws DocteurError `BadSource`
 */
export function checkName(name: string, mode: Mode, path: string | (() => string)): void {
  const defect = settingDefect(name, nameKind(mode));
  if (defect === undefined || TREE_DEFECTS[defect].severity !== "error") return;
  const place = shown(typeof path === "string" ? path : path());
  throw new DocteurError("BadSource", `${place} cannot be in an image: ${nameReason(defect)}`, {
    path: place,
    hint: "rename it, or leave it out with --exclude",
  });
}

function nameKind(mode: Mode): NameKind {
  if (mode === MODE.directory) return "directory";
  return mode === MODE.symlink ? "symlink" : "file";
}

/**
 * The reason why the core refuses a path; `undefined` if it reads it.
 * @param length the path's length in bytes, from the source's root
 * @param depth how many names it has
 */
export function whyTooDeep(length: number, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return `more than ${DEPTH_MAX} levels deep`;
  return length > PATH_MAX ? `longer than ${PATH_MAX} bytes` : undefined;
}

/**
 * Makes sure that the core will read a path.
 * @param path for the message
 * @param length the path's length in bytes, from the source's root
 * @param depth how many names it has
 * @throws DocteurError `BadSource`
 */
export function checkLimits(path: string, length: number, depth: number): void {
  const limit = whyTooDeep(length, depth);
  if (limit === undefined) return;
  const begin = shownStart(path, SHOWN_MAX) + (path.length > SHOWN_MAX ? "..." : "");
  throw new DocteurError("BadSource", `${begin} cannot be in an image: its path is ${limit}`, {
    path: begin,
    hint: "rename it, or leave it out with --exclude",
  });
}

/** The error for an entry of a kind that no image holds. */
export function refuseSpecial(path: string, kind: string): never {
  throw new DocteurError("BadSource", `${shown(path)} is ${kind}`, {
    path: shown(path),
    hint: "an image holds files, directories and symbolic links: --skip-special leaves others out",
  });
}
