/**
 * What is to be written, and where: selected entries under their paths in the destination, with the directories
 * above them. No two entries have one path.
 */
import type { Path } from "../arguments.js";
import { DocteurError } from "../errors.js";
import { shown } from "../git/byte-string.js";
import type { EntryKind } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import { checkWindowsName, foldedName, type NameRules } from "./names.js";
import { select } from "./select.js";

/** Something to write. Paths are byte strings without a slash in front. */
export interface Item {
  kind: Exclude<EntryKind, "submodule">;
  /** In the destination. */
  path: string;
  /** In the image. */
  from: string;
  /** Of the blob; empty for a directory. */
  oid: string;
}

/** How a plan is made. */
export interface PlanOptions {
  paths: readonly Path[];
  /** Names in front of each path that are dropped. */
  strip: number;
  rules: NameRules;
  signal: AbortSignal | undefined;
}

/** A directory of the destination: its names as they count, with each entry. */
interface Folder {
  path: string;
  names: Map<string, Item>;
}

class Planner {
  readonly #rules: NameRules;
  readonly #keepsAll: boolean;
  /** The directories that are not complete. */
  readonly #folders = new Map<string, Folder>([["", { path: "", names: new Map() }]]);
  #open: string[] = [];

  constructor(rules: NameRules, keepsAll: boolean) {
    this.#rules = rules;
    this.#keepsAll = keepsAll;
  }

  /** The items that an entry brings: directories above it that are new, and itself. */
  *add(kind: EntryKind, names: readonly string[], from: string, oid: string): Generator<Item> {
    this.#leave(names);
    let path = "";
    for (let depth = 1; depth <= names.length; depth++) {
      const above = path;
      path = names.slice(0, depth).join("/");
      const isLast = depth === names.length;
      const isFolder = !isLast || kind === "directory" || kind === "submodule";
      const item: Item = {
        kind: isFolder ? "directory" : (kind as Item["kind"]),
        path,
        from,
        oid: isFolder ? "" : oid,
      };
      if (this.#register(above, names[depth - 1]!, item)) yield item;
    }
  }

  /** Forgets the directories that no further entry is in. */
  #leave(names: readonly string[]): void {
    if (this.#keepsAll) return;
    let same = 0;
    while (same < this.#open.length && this.#open[same] === names[same]) same++;
    for (let depth = this.#open.length; depth > same; depth--)
      this.#folders.delete(this.#open.slice(0, depth).join("/"));
    this.#open = [...names];
  }

  /** @returns whether the item is new; a directory may come again */
  #register(above: string, name: string, item: Item): boolean {
    const { path, kind } = item;
    if (this.#rules.windows) checkWindowsName(name, path);
    const key = this.#rules.folds ? foldedName(name) : name;
    const { names } = this.#folders.get(above)!;
    const found = names.get(key);
    if (found === undefined) {
      names.set(key, item);
      if (kind === "directory") this.#folders.set(path, { path, names: new Map() });
      return true;
    }
    if (found.path === path && found.kind === "directory" && kind === "directory" && this.#folders.has(path))
      return false;
    throw found.path === path ? twice(path, found.from, item.from) : alike(found.path, path);
  }
}

function twice(path: string, first: string, second: string): DocteurError {
  if (first === second)
    return new DocteurError("BadTree", `${shown(path)} is in its directory twice`, {
      path: shown(path),
      hint: "docteur verify says what else is wrong with the image",
    });
  return new DocteurError("Io", `${shown(first)} and ${shown(second)} would both become ${shown(path)}`, {
    path: shown(path),
    hint: "strip fewer components, or extract them into directories of their own",
  });
}

function alike(first: string, second: string): DocteurError {
  return new DocteurError("Io", `${shown(first)} and ${shown(second)} have names that differ only in form`, {
    path: shown(second),
    hint: "one file would take the other's place where case does not count: extract them one at a time",
  });
}

/**
 * Plans what is to be written.
 * @throws DocteurError `NotFound` where nothing is selected or left; `BadTree` for an image that holds names
 *   that stand for something else, or a name twice; `Io` for names that the destination does not have
 */
export async function* plan(volume: Volume, options: PlanOptions): AsyncGenerator<Item, void, undefined> {
  const { paths, strip, rules, signal } = options;
  const planner = new Planner(rules, strip > 0 || paths.length > 0);
  let isEmpty = strip > 0;
  for await (const { path, entry } of select(volume, paths, signal)) {
    const names = path.split("/").slice(strip);
    if (names.length === 0) continue;
    isEmpty = false;
    yield* planner.add(entry.kind, names, path, entry.oid);
  }
  if (isEmpty)
    throw new DocteurError("NotFound", `every path has at most ${strip} names, which are all stripped`, {
      hint: "strip fewer components",
    });
}
