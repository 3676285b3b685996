/** Directories, page by page: whole, entry by entry, or everything below. */
import { textBytes } from "../arguments.js";
import { FLAG } from "../core/abi.js";
import { DocteurError } from "../errors.js";
import { type Calls, flagsOf, type PageQuery, signalsOf } from "./calls.js";
import { type Entry, entryCost, type FoundEntry, folderOf, namesOf } from "./entry.js";
import type { EntriesOptions, WalkOptions } from "./options.js";
import { Place, placeOf } from "./place.js";
import { walkPages } from "./walk.js";

/** Entries that are listed at once. */
const PAGE = 4096;
/** The most bytes of a name (`Limit.NAME` in asm/base/limits.ts): the rest of a longer one does not affect the order. */
const NAME_MAX = 4096;

const NOTHING = new Uint8Array(0);

/** The first page that a listing asks for. */
export function firstPage(path: unknown, choice: EntriesOptions): PageQuery {
  const place = placeOf(path);
  const { after } = choice;
  return {
    place,
    folder: folderOf(namesOf(place.bytes)),
    flags: flagsOf(choice),
    after: after === undefined ? NOTHING : textBytes("after", after).subarray(0, NAME_MAX),
    limit: PAGE,
    signals: signalsOf(choice),
  };
}

/** The error for a listing whose entries take more than the memory limit. */
export function tooMany(path: string, count: number): DocteurError {
  const message = `${path || "/"}: more than ${count} entries are more than the memory limit has room for`;
  const hint = "list it in parts, with limit and after, or iterate over entries()";
  return new DocteurError("OutOfMemory", message, { path, hint });
}

/**
 * The entries of a directory.
 * @param limit the most entries
 * @param memoryLimit bytes that they may take
 * @throws DocteurError `OutOfMemory`, and the core's errors
 */
export async function listPages(
  calls: Calls,
  first: PageQuery,
  limit: number,
  memoryLimit: number,
): Promise<Entry[]> {
  const query = { ...first };
  const found: FoundEntry[] = [];
  let cost = 0;
  for (;;) {
    query.limit = Math.min(PAGE, limit - found.length);
    const { entries, hasMore } = await calls.page(query);
    for (const entry of entries) {
      found.push(entry);
      cost += entryCost(entry);
    }
    if (!hasMore || found.length === limit) return found;
    if (cost > memoryLimit) throw tooMany(query.place.text, found.length);
    query.after = found.at(-1)!.nameBytes;
  }
}

/** The entries of a directory, one by one. */
export async function* eachEntry(calls: Calls, first: PageQuery): AsyncGenerator<Entry, void, undefined> {
  let { after } = first;
  for (;;) {
    const { entries, hasMore } = await calls.page({ ...first, after });
    yield* entries;
    if (!hasMore) return;
    after = entries.at(-1)!.nameBytes;
  }
}

/** Everything below a directory, or the entry itself for a path that leads to anything else. */
export async function* walkFrom(
  calls: Calls,
  place: Place,
  choice: WalkOptions,
): AsyncGenerator<Entry, void, undefined> {
  const flags = flagsOf(choice);
  const ended = new AbortController();
  const signals = [...signalsOf(choice), ended.signal];
  const top = await calls.stat(place, choice.oids === false ? flags : FLAG.OID | flags, signals);
  if (top.kind !== "directory") {
    yield top;
    return;
  }
  try {
    yield* walkPages(place.bytes, choice.order ?? "name", (bytes, after, limit) => {
      const folder = folderOf(namesOf(bytes));
      return calls.page({ place: new Place(folder.text, bytes), folder, flags, after, limit, signals });
    });
  } finally {
    // Directories that were read ahead are not wanted any more.
    ended.abort();
  }
}
