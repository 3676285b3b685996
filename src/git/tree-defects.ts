/**
 * All defects that a tree can have, and their severities. Names and severities are those of `git fsck`
 * (fsck.h), with one exception: names that could lead out of a directory or into a repository once they are
 * files are errors here, even if git only warns of them. docs/VERIFY.md has the table; readers, `verify` and
 * `make` agree on it.
 */

/** An `error` makes an image unsound, and `make` refuses to write it; a `warning` is readable in every mode. */
export type DefectSeverity = "error" | "warning";

/** One kind of defect. */
interface Defect {
  /** Its severity in `git fsck` without `--strict`; `none` if no supported version of git checks for it. */
  git: DefectSeverity | "none";
  /** Its severity here, never lower than git's. */
  severity: DefectSeverity;
}

/** The defects, by the name that git gives them. */
export const TREE_DEFECTS = {
  /** The tree cannot be parsed: an entry is cut off, or its mode is not an octal number. */
  badTree: { git: "error", severity: "error" },
  treeNotSorted: { git: "error", severity: "error" },
  duplicateEntries: { git: "error", severity: "error" },
  /** git's fsck has a warning for it, but its parser reports such a tree as `badTree`. */
  emptyName: { git: "error", severity: "error" },
  fullPathname: { git: "warning", severity: "error" },
  hasDot: { git: "warning", severity: "error" },
  hasDotdot: { git: "warning", severity: "error" },
  /** Some file system reads the name as `.git`. */
  hasDotgit: { git: "warning", severity: "error" },
  /** The name is longer than 4,096 bytes, so readers refuse it. git checks for it since 2.43. */
  largePathname: { git: "none", severity: "error" },
  gitmodulesSymlink: { git: "error", severity: "error" },
  /** The entry is a directory. */
  gitmodulesBlob: { git: "error", severity: "error" },
  gitattributesBlob: { git: "error", severity: "error" },
  /** The entry is a submodule, whose id leads to no file. */
  gitmodulesMissing: { git: "error", severity: "error" },
  gitattributesMissing: { git: "error", severity: "error" },
  zeroPaddedFilemode: { git: "warning", severity: "warning" },
  /** git understands the mode, but never writes it. */
  badFilemode: { git: "warning", severity: "warning" },
  nullSha1: { git: "warning", severity: "warning" },
  gitattributesSymlink: { git: "warning", severity: "warning" },
  gitignoreSymlink: { git: "warning", severity: "warning" },
  mailmapSymlink: { git: "warning", severity: "warning" },
} as const satisfies Record<string, Defect>;

/** The name of a defect. */
export type TreeDefect = keyof typeof TREE_DEFECTS;
