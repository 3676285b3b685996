/** Names that are not written to a disk or into an archive. Names and paths are byte strings ("latin1"). */
import { DocteurError } from "../errors.js";
import { shown, textOf } from "../git/byte-string.js";
import { type NameKind, nameDefect, nameReason } from "../git/names.js";
import { TREE_DEFECTS } from "../git/tree-defects.js";
import type { EntryKind } from "../volume/entry.js";

/** What a destination requires of names, beyond what every destination does. */
export interface NameRules {
  /** Names that differ only in case, or in how Unicode composes them, name one file. */
  folds: boolean;
  /** Windows' rules hold. */
  windows: boolean;
}

function kindOf(kind: EntryKind): NameKind {
  return kind === "executable" ? "file" : kind;
}

/**
 * Makes sure that a name stands for one entry of its directory, and is not one of git's own. The rules are
 * those of `docteur verify`; git checks out none of these names either (read-cache.c, `verify_path`).
 * @param path of the entry, in the image
 * @throws DocteurError `BadTree`
 */
export function checkName(name: string, kind: EntryKind, path: string): void {
  const defect = name.includes("/") ? "fullPathname" : nameDefect(name, kindOf(kind));
  if (defect === undefined || TREE_DEFECTS[defect].severity !== "error") return;
  throw new DocteurError("BadTree", `${shown(path)} is not extracted: ${nameReason(defect)}`, {
    path: shown(path),
    hint: "docteur verify says what else is wrong with the image",
  });
}

/** Names of devices, whatever follows a dot. The digits of COM and LPT may be superscripts. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|:|$)/i;
const NOT_ON_WINDOWS = '<>:"|?*\\';

/** The reason why Windows refuses a name, or reads another name in it. */
function whyNotOnWindows(name: string): string | undefined {
  const text = textOf(name);
  if (DEVICE.test(text)) return "Windows has a device of that name";
  if (/[. ]$/.test(text)) return "Windows drops dots and spaces at a name's end";
  for (const char of text)
    if (char < " " || NOT_ON_WINDOWS.includes(char)) return `Windows' names hold no ${JSON.stringify(char)}`;
  return text.includes("\ufffd") ? "the name is not UTF-8" : undefined;
}

/** @throws DocteurError `Io` for a name that Windows does not have */
export function checkWindowsName(name: string, path: string): void {
  const reason = whyNotOnWindows(name);
  if (reason === undefined) return;
  throw new DocteurError("Io", `cannot write ${shown(path)}: ${reason}`, { path: shown(path) });
}

/** The form of a name that it shares with all names that a folding file system takes for it. */
export function foldedName(name: string): string {
  return textOf(name).normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}
