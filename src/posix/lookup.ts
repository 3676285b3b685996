/**
 * Paths as POSIX resolves them (path_resolution(7)): name by name, `..` after the links before it, symbolic links inside
 * the image, absolute ones from its root.
 */
import { DocteurError } from "../errors.js";
import type { VolumeSync } from "../sync/volume.js";
import type { Entry } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import { isDirectory } from "./attributes.js";
import { PosixError } from "./errno.js";
import { answer, type Steps } from "./steps.js";

/** A volume of either kind. */
export type AnyVolume = Volume | VolumeSync;

/** What a path leads to. */
export interface Found {
  /** The path without links and dots, which a volume takes as it is. Empty for the root. */
  path: Uint8Array;
  entry: Entry;
}

/** Links that are followed on the way to one entry, as on Linux (`MAXSYMLINKS`). */
const LINKS_MAX = 40;
/** Bytes of a link's target, or of a path, that can be followed (`PATH_MAX` on Linux, less the NUL). */
const TARGET_MAX = 4095;
/** Bytes of a name that most file systems can have (`NAME_MAX` on Linux). An image may have longer ones. */
const NAME_MAX = 255;

const SLASH = 0x2f;
const DOT = 0x2e;
const HERE = Uint8Array.of(DOT);

/** The names of a path. A slash at its end stands for a last name `.`: what is before it must be a directory. */
function namesOf(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    if (end > start) names.push(path.subarray(start, end));
    start = end + 1;
  }
  if (path.at(-1) === SLASH) names.push(HERE);
  return names;
}

/** 1 for `.`, 2 for `..`, else 0. */
function dotsOf(name: Uint8Array): number {
  return name.length <= 2 && name.every((byte) => byte === DOT) ? name.length : 0;
}

/** `/a/b` of its names. */
function pathOf(names: readonly Uint8Array[]): Uint8Array {
  const path = new Uint8Array(names.reduce((length, name) => length + name.length + 1, 0));
  let at = 0;
  for (const name of names) {
    path[at] = SLASH;
    path.set(name, at + 1);
    at += name.length + 1;
  }
  return path;
}

/** Whether an error only says that the path as it is leads nowhere. */
function leadsNowhere(error: unknown): boolean {
  return (
    error instanceof DocteurError &&
    ["NotFound", "DictionaryExpected", "ValueExpected", "Submodule"].includes(error.code)
  );
}

/** The entry at a path without links and dots; undefined where there is none. */
function* entryAt(volume: AnyVolume, path: Uint8Array): Steps<Entry | undefined> {
  try {
    return yield* answer<Entry>(volume.stat(path));
  } catch (error) {
    if (leadsNowhere(error)) return undefined;
    throw error;
  }
}

/** The target of a link. @throws PosixError `ENAMETOOLONG` for one that cannot be followed */
export function* targetOf(volume: AnyVolume, { path, entry }: Found): Steps<Uint8Array> {
  if (entry.size! > TARGET_MAX) throw new PosixError("ENAMETOOLONG");
  return yield* answer<Uint8Array>(volume.get(path));
}

/** Goes from name to name. */
function* walk(volume: AnyVolume, names: readonly Uint8Array[], follow: boolean): Steps<Found> {
  const ahead = [...names].reverse();
  let done: Uint8Array[] = [];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const dots = dotsOf(name);
    if (dots === 2) done.pop();
    if (dots > 0) continue;
    const path = pathOf([...done, name]);
    const entry = yield* entryAt(volume, path);
    if (entry === undefined) throw new PosixError(name.length > NAME_MAX ? "ENAMETOOLONG" : "ENOENT");
    if (entry.kind === "symlink" && (follow || ahead.length > 0)) {
      if (++links > LINKS_MAX) throw new PosixError("ELOOP");
      const target = yield* targetOf(volume, { path, entry });
      if (target.length === 0) throw new PosixError("ENOENT");
      if (target[0] === SLASH) done = [];
      ahead.push(...namesOf(target).reverse());
      continue;
    }
    if (ahead.length > 0 && !isDirectory(entry)) throw new PosixError("ENOTDIR");
    done.push(name);
    if (ahead.length === 0) return { path, entry };
  }
  const path = pathOf(done);
  return { path, entry: yield* answer<Entry>(volume.stat(path)) };
}

/**
 * Finds what a path leads to. A path without a slash in front begins at the root.
 * @param follow follow a link at the path's end; those before it are followed in any case
 * @throws PosixError `ENOENT`, `ENOTDIR`, `ELOOP` beyond 40 links, `ENAMETOOLONG`; DocteurError what the volume throws
 */
export function* lookup(volume: AnyVolume, path: Uint8Array, follow: boolean): Steps<Found> {
  if (path.length === 0) throw new PosixError("ENOENT");
  if (path.length > TARGET_MAX) throw new PosixError("ENAMETOOLONG");
  const names = namesOf(path);
  // Most paths have no link and no dots in them: they are found at once.
  if (names.every((name) => dotsOf(name) === 0)) {
    const plain = pathOf(names);
    const entry = yield* entryAt(volume, plain);
    if (entry !== undefined && !(follow && entry.kind === "symlink")) return { path: plain, entry };
  }
  return yield* walk(volume, names, follow);
}

/**
 * Finds the directory that would hold a path's last name: it must be there for the path to be made or removed.
 * @throws what `lookup` throws
 */
export function* lookupParent(volume: AnyVolume, path: Uint8Array): Steps<Found> {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end--;
  while (end > 0 && path[end - 1] !== SLASH) end--;
  if (path.length === 0) throw new PosixError("ENOENT");
  return yield* lookup(volume, end === 0 ? HERE : path.subarray(0, end), true);
}
