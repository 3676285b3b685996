/**
 * Walks through everything below a directory, in memory that does not grow with the directories' sizes. While the device
 * is slow, the directories that come next are read at once.
 */
import type { FoundEntry, Page } from "./entry.js";

/** The order in which a walk goes through a directory. */
export type WalkOrder = "name" | "path";

/**
 * Reads a page of a directory.
 * @param path the directory's
 * @param after the name that the page begins behind; empty for the first
 * @param limit the most entries
 */
export type ReadPage = (path: Uint8Array, after: Uint8Array, limit: number) => Page | Promise<Page>;

/** Entries of a page: a deeper directory has fewer, as the pages of all directories above are held, too. */
const PAGE_MAX = 4096;
const PAGE_MIN = 16;
/** Directories that are read ahead of the walk's place, and the most entries of the page that is then held of each. */
const AHEAD = 12;
const AHEAD_ENTRIES = 512;
/** Such pages that are held: those of the levels above, too. */
const AHEAD_PAGES = 4 * AHEAD;

const NOTHING = new Uint8Array(0);

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

/** The first pages of directories whose turn has not come. */
class Ahead {
  readonly #read: ReadPage;
  readonly #pages = new Map<FoundEntry, Promise<Page>>();
  /** Whether a page has had to be waited for. */
  #isSlow = false;

  constructor(read: ReadPage) {
    this.#read = read;
  }

  /** Reads the first page of a directory, unless that has begun. */
  async first(
    folder: FoundEntry | undefined,
    path: Uint8Array,
    limit: number,
    levels: Level[],
  ): Promise<Page> {
    const begun = folder === undefined ? undefined : this.#pages.get(folder);
    if (folder !== undefined) this.#pages.delete(folder);
    const page = begun ?? this.#read(path, NOTHING, limit);
    if (!(page instanceof Promise)) return page;
    this.#isSlow = true;
    this.begin(levels);
    return page;
  }

  /** If the device is slow, begins to read the directories that come next, as far as they are known. */
  begin(levels: readonly Level[]): void {
    if (!this.#isSlow) return;
    let left = AHEAD;
    for (let depth = levels.length - 1; depth >= 0; depth--) {
      const { waiting, page, next } = levels[depth]!;
      const limit = Math.min(pageLength(depth + 1), AHEAD_ENTRIES);
      for (let index = waiting.length - 1; index >= 0 && left > 0; index--, left--)
        this.#begin(waiting[index]!, limit);
      for (let index = next; index < page.length && left > 0; index++) {
        if (page[index]!.kind !== "directory") continue;
        this.#begin(page[index]!, limit);
        left--;
      }
    }
  }

  #begin(folder: FoundEntry, limit: number): void {
    if (this.#pages.has(folder)) return;
    const page = (async () => this.#read(folder.pathBytes, NOTHING, limit))();
    // Its error is told when its turn comes.
    page.catch(() => undefined);
    this.#pages.set(folder, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > AHEAD_PAGES) this.#pages.delete(oldest!);
  }
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
  const ahead = new Ahead(read);
  const enter = async (path: Uint8Array, folder?: FoundEntry): Promise<void> => {
    const { entries, hasMore } = await ahead.first(folder, path, pageLength(levels.length), levels);
    levels.push({ path, page: entries, next: 0, hasMore, waiting: [] });
    ahead.begin(levels);
  };
  /** The next entry of a level; undefined at its end. */
  const advance = async (level: Level): Promise<FoundEntry | undefined> => {
    if (level.next === level.page.length && level.hasMore) {
      const after = level.page.at(-1)?.nameBytes ?? NOTHING;
      const { entries, hasMore } = await read(level.path, after, pageLength(levels.length - 1));
      level.page = entries;
      level.next = 0;
      level.hasMore = hasMore;
    }
    return level.page[level.next];
  };
  await enter(root);
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
    if (chosen.kind === "directory") await enter(chosen.pathBytes, chosen);
  }
}
