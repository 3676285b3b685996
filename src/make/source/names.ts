/**
 * Which names and paths an image can hold. git refuses trees with a name that some file system takes for `.git`, and its
 * own settings where they are not files (fsck.c; `is_hfs_dotgit` and `is_ntfs_dotgit` and their relatives);
 * the core reads paths up to limits of its own (`asm/limits.ts`). Names and paths are byte strings ("latin1").
 */
import { DocteurError } from "../../errors.js";
import { shown, textOf } from "../byte-string.js";
import { MODE, type Mode } from "../objects.js";

/** Names in a path, the last one too. */
const DEPTH_MAX = 512;
/** Bytes of a path, without a slash in front. */
const PATH_MAX = 4095;
/** Bytes of a long path that a message tells. */
const SHOWN_MAX = 200;

/** Characters that HFS+ does not see in names. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** What HFS+ makes of a name, as far as git looks: where a name is no text, it ends. */
function hfsName(name: string): string {
  const [text = ""] = textOf(name).split(/[\ufffd-\uffff]/, 1);
  return text.replace(IGNORED, "").toLowerCase();
}

/** What NTFS makes of a name: dots and spaces at the end do not count, nor does the name of a stream. */
function ntfsName(name: string): string {
  return name
    .replace(/:.*$/s, "")
    .replace(/[. ]+$/, "")
    .toLowerCase();
}

/** What a name may come to on Windows, where a backslash is a slash. */
function windowsNames(name: string): string[] {
  const names = [name];
  for (let at = name.indexOf("\\"); at >= 0; at = name.indexOf("\\", at + 1)) names.push(name.slice(at + 1));
  return names;
}

/** Whether some file system takes a name for `.git`. */
function isDotGit(name: string): boolean {
  if (hfsName(name) === ".git") return true;
  return windowsNames(name).some((part) => [".git", "git~1"].includes(ntfsName(part.replace(/\\.*$/s, ""))));
}

/** One of git's settings that are files in the work tree. */
interface Setting {
  name: string;
  /** What NTFS' short names of it begin with when many are taken: six characters, four of them of a hash. */
  hashed: string;
}

const MODULES: Setting = { name: ".gitmodules", hashed: "gi7eba" };
const ATTRIBUTES: Setting = { name: ".gitattributes", hashed: "gi7d29" };

/** Whether NTFS takes a name for one of git's settings. */
function isNtfsSetting(name: string, setting: Setting): boolean {
  const ntfs = ntfsName(name);
  if (ntfs === setting.name || new RegExp(`^${setting.name.slice(1, 7)}~[1-4]$`).test(ntfs)) return true;
  const stem = /^([^~]*)~[1-9][0-9]*$/.exec(ntfs)?.[1];
  return ntfs.length === 8 && stem !== undefined && setting.hashed.startsWith(stem);
}

/** Why no sound tree has an entry of that name (a byte to a character) and mode; `undefined` where one may. */
export function whyNot(name: string, mode: Mode): string | undefined {
  // What almost all names lack.
  if (!/git|~|[\x80-\xff]/i.test(name)) return undefined;
  if (isDotGit(name)) return "git trees hold no name that some file systems take for .git";
  const isModules =
    hfsName(name) === MODULES.name || windowsNames(name).some((part) => isNtfsSetting(part, MODULES));
  const isAttributes = hfsName(name) === ATTRIBUTES.name || isNtfsSetting(name, ATTRIBUTES);
  const isFault = mode === MODE.directory ? isModules || isAttributes : mode === MODE.symlink && isModules;
  return isFault ? "git has settings in files of that name" : undefined;
}

/**
 * Makes sure that git takes a name for what it is.
 * @param path for the message
 * @throws DocteurError `BadSource`
 */
export function checkName(name: string, mode: Mode, path: string): void {
  const why = whyNot(name, mode);
  if (why === undefined) return;
  throw new DocteurError("BadSource", `${shown(path)} cannot be in an image: ${why}`, {
    path: shown(path),
    hint: "rename it, or leave it out with --exclude",
  });
}

/**
 * Makes sure that the core will read a path.
 * @param path for the message
 * @param length the path's from the root of the source, in bytes
 * @param depth how many names it has
 * @throws DocteurError `BadSource`
 */
export function checkLimits(path: string, length: number, depth: number): void {
  if (depth <= DEPTH_MAX && length <= PATH_MAX) return;
  const limit = depth > DEPTH_MAX ? `more than ${DEPTH_MAX} levels deep` : `longer than ${PATH_MAX} bytes`;
  const begin = shown(path.slice(0, SHOWN_MAX)) + (path.length > SHOWN_MAX ? "..." : "");
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
