/** Walks through everything below a directory, in memory that does not grow with the directories' sizes. */
import type { FoundEntry, Page } from "./entry.js";

/** The order in which a walk goes through a directory. */
export type WalkOrder = "name" | "path";

/**
 * Reads a page of a directory.
 * @param path the directory's
 * @param after the name that the page begins behind; empty for the first
 * @param limit the most entries
 */
export type ReadPage = (path: Uint8Array, after: Uint8Array, limit: number) => Promise<Page>;

/** Entries of a page: a deeper directory has fewer, as the pages of all directories above are held, too. */
const PAGE_MAX = 4096;
const PAGE_MIN = 16;

/** A directory that the walk is in. */
interface Level {
  path: Uint8Array;
  page: FoundEntry[];
  /** The next entry of the page. */
  next: number;
  hasMore: boolean;
  /** Only in order of paths: directories whose turn has not come. Each name is a beginning of the next. */
  waiting: FoundEntry[];
}

const SLASH = 0x2f;

/** Whether a directory's paths, "NAME/…", come before another entry's; the other's name comes after NAME. */
function comesBefore(folder: FoundEntry, other: FoundEntry): boolean {
  const name = folder.nameBytes;
  const next = other.nameBytes;
  return !name.every((byte, index) => next[index] === byte) || (next[name.length] ?? 0) > SLASH;
}

function pageLength(depth: number): number {
  return Math.max(PAGE_MIN, PAGE_MAX >> Math.min(depth, 30));
}

/**
 * Walks through a directory.
 * @param order `name`: each directory by the bytes of its names, as it is listed; `path`: all by the bytes of
 *   their paths, directories' with a slash at the end
 * @param read reads a page
 * @returns the entries, each directory before its entries
 */
export async function* walkPages(
  root: Uint8Array,
  order: WalkOrder,
  read: ReadPage,
): AsyncGenerator<FoundEntry, void, undefined> {
  const levels: Level[] = [];
  const enter = (path: Uint8Array): void => {
    levels.push({ path, page: [], next: 0, hasMore: true, waiting: [] });
  };
  /** The next entry of a level; undefined at its end. */
  const advance = async (level: Level): Promise<FoundEntry | undefined> => {
    if (level.next === level.page.length && level.hasMore) {
      const after = level.page.at(-1)?.nameBytes ?? new Uint8Array(0);
      const { entries, hasMore } = await read(level.path, after, pageLength(levels.length - 1));
      level.page = entries;
      level.next = 0;
      level.hasMore = hasMore;
    }
    return level.page[level.next];
  };
  enter(root);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = await advance(level);
    const waiting = level.waiting.at(-1);
    let chosen: FoundEntry;
    if (waiting !== undefined && (entry === undefined || comesBefore(waiting, entry))) {
      level.waiting.pop();
      chosen = waiting;
    } else if (entry === undefined) {
      levels.pop();
      continue;
    } else {
      level.next++;
      if (order === "path" && entry.kind === "directory") {
        level.waiting.push(entry);
        continue;
      }
      chosen = entry;
    }
    yield chosen;
    if (chosen.kind === "directory") enter(chosen.pathBytes);
  }
}
