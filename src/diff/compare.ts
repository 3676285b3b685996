/** Changes between the trees of two volumes. Directories of equal ids are equal: nothing below them is read. */
import { checkOptions, isBoolean, isFunction, isSignal, isWhole, type Path } from "../arguments.js";
import { DocteurError } from "../errors.js";
import type { Entry } from "../volume/entry.js";
import type { Volume } from "../volume.js";

/**
 * What happened to an entry. `typechange`: it became an entry of another kind, such as a file that became a symlink.
 * `renamed`: an entry of the same id and kind stood at another path, and no longer does.
 */
export type ChangeStatus = "added" | "deleted" | "modified" | "typechange" | "renamed";

/** A change of one entry that is not a directory. */
export interface Change {
  status: ChangeStatus;
  /** The entry as it was; undefined where it is new. */
  before: Entry | undefined;
  /** The entry as it is; undefined where it is gone. */
  after: Entry | undefined;
}

/** Options of `compare`. */
export interface CompareOptions {
  /** Tell renames from pairs of additions and deletions. By default they are told. */
  renames?: boolean | undefined;
  /** Changes that are held while renames are looked for; by default 100,000. If there are more, no rename is told. */
  renameLimit?: number | undefined;
  /** Told that no rename is looked for, as there are more changes than `renameLimit`. */
  onNotice?: ((text: string) => void) | undefined;
  /** Rejects with the signal's reason once it is aborted. */
  signal?: AbortSignal | undefined;
}

const CHECKS = { renames: isBoolean, renameLimit: isWhole(0), onNotice: isFunction, signal: isSignal };

/** The default of `renameLimit`. A change takes about a kilobyte of memory. */
const RENAME_LIMIT = 100_000;

/** The order of bytes. */
function order(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) if (left[at] !== right[at]) return left[at]! - right[at]!;
  return left.length - right.length;
}

/** Two trees, and how they are compared. */
class Comparison {
  readonly #before: Volume;
  readonly #after: Volume;
  readonly #signal: AbortSignal | undefined;

  constructor(before: Volume, after: Volume, signal: AbortSignal | undefined) {
    this.#before = before;
    this.#after = after;
    this.#signal = signal;
  }

  /** What a path leads to on either side. @throws DocteurError `NotFound` where neither has it */
  async *at(path: Path): AsyncGenerator<Change> {
    let missing: unknown;
    const find = async (volume: Volume): Promise<Entry | undefined> => {
      try {
        return await volume.stat(path, { signal: this.#signal });
      } catch (error) {
        if (!(error instanceof DocteurError) || error.code !== "NotFound") throw error;
        missing = error;
        return undefined;
      }
    };
    const before = await find(this.#before);
    const after = await find(this.#after);
    if (before === undefined && after === undefined) throw missing;
    yield* this.#pair(before, after);
  }

  /** The changes between two entries of one path. */
  async *#pair(before: Entry | undefined, after: Entry | undefined): AsyncGenerator<Change> {
    if (before?.oid === after?.oid && before?.mode === after?.mode) return;
    const wasDirectory = before?.kind === "directory";
    const isDirectory = after?.kind === "directory";
    if (wasDirectory && isDirectory) {
      yield* this.#directories(before, after);
    } else if (wasDirectory || isDirectory) {
      if (before !== undefined) yield* this.#all(this.#before, before, "deleted");
      if (after !== undefined) yield* this.#all(this.#after, after, "added");
    } else {
      yield { status: statusOf(before, after), before, after };
    }
  }

  /** The changes between two directories: their names are merged, in the order of their bytes. */
  async *#directories(before: Entry, after: Entry): AsyncGenerator<Change> {
    const signal = this.#signal;
    const olds = this.#before.entries(before.pathBytes, { signal });
    const news = this.#after.entries(after.pathBytes, { signal });
    let old = await olds.next();
    let young = await news.next();
    while (!old.done || !young.done) {
      const rank = old.done ? 1 : young.done ? -1 : order(old.value.nameBytes, young.value.nameBytes);
      yield* this.#pair(rank <= 0 ? old.value! : undefined, rank >= 0 ? young.value! : undefined);
      if (rank <= 0) old = await olds.next();
      if (rank >= 0) young = await news.next();
    }
  }

  /** A change for everything at and below an entry. */
  async *#all(volume: Volume, top: Entry, status: "added" | "deleted"): AsyncGenerator<Change> {
    for await (const entry of volume.walk(top.pathBytes, { signal: this.#signal }))
      if (entry.kind !== "directory")
        yield status === "added"
          ? { status, before: undefined, after: entry }
          : { status, before: entry, after: undefined };
  }
}

function isFile({ kind }: Entry): boolean {
  return kind === "file" || kind === "executable";
}

function statusOf(before: Entry | undefined, after: Entry | undefined): ChangeStatus {
  if (before === undefined) return "added";
  if (after === undefined) return "deleted";
  return before.kind === after.kind || (isFile(before) && isFile(after)) ? "modified" : "typechange";
}

/** The last name of a path. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * Joins deletions and additions of one id. Of several candidates, one of the same name is taken first, then the first.
 * Empty files have one id all, and are left alone.
 */
function withRenames(changes: readonly Change[]): Change[] {
  const deleted = new Map<string, Entry[]>();
  for (const { status, before } of changes)
    if (status === "deleted" && before!.oid !== EMPTY_BLOB) {
      const key = keyOf(before!);
      const found = deleted.get(key);
      if (found === undefined) deleted.set(key, [before!]);
      else found.push(before!);
    }
  const moved = new Set<Entry>();
  const joined = changes.map((change): Change => {
    const { status, after } = change;
    const candidates = status === "added" ? deleted.get(keyOf(after!)) : undefined;
    if (candidates === undefined || candidates.length === 0) return change;
    const named = candidates.findIndex(({ path }) => nameOf(path) === nameOf(after!.path));
    const [before] = candidates.splice(Math.max(0, named), 1);
    moved.add(before!);
    return { status: "renamed", before, after };
  });
  return joined.filter(({ status, before }) => status !== "deleted" || !moved.has(before!));
}

/** The id of a blob without content. */
const EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/** What a rename leaves as it is: the content, and whether it is a file, a symlink or a submodule. */
function keyOf(entry: Entry): string {
  return `${isFile(entry) ? "file" : entry.kind} ${entry.oid}`;
}

/**
 * Compares two images, or parts of them.
 * @param before the older one
 * @param path the directory or file to compare; the roots by default
 * @returns a change for each file, symlink and submodule that differs, sorted by the bytes of the paths (the new one of
 *   a rename). Without `renames`, and if there are more than `renameLimit`, they come as they are found
 * @throws DocteurError `NotFound` where neither image has the path; errors of the images
 * @example for await (const { status, after } of compare(old, young)) console.log(status, after?.path);
 */
export async function* compare(
  before: Volume,
  after: Volume,
  path: Path = "/",
  options: CompareOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const given = checkOptions("compare", options, CHECKS);
  const { renames = true, renameLimit = RENAME_LIMIT, onNotice, signal } = given;
  const found = new Comparison(before, after, signal).at(path);
  if (!renames) {
    yield* found;
    return;
  }
  const changes: Change[] = [];
  let isLooking = true;
  for await (const change of found) {
    if (!isLooking) yield change;
    else if (changes.push(change) > renameLimit) {
      isLooking = false;
      onNotice?.(`there are more than ${renameLimit} changes: renames are not looked for`);
      yield* changes.splice(0);
    }
  }
  const pathOf = ({ before, after }: Change): Uint8Array => (after ?? before)!.pathBytes;
  const keyed = withRenames(changes).map((change) => ({ change, path: pathOf(change) }));
  keyed.sort((left, right) => order(left.path, right.path));
  for (const { change } of keyed) yield change;
}
