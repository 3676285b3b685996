/** `glob`: paths that fit patterns. Only directories that can hold such paths are read. */
import { isDirectory } from "../posix/attributes.js";
import { errnoOf, PosixError } from "../posix/errno.js";
import { type Found, lookup } from "../posix/lookup.js";
import { type Steps, settle } from "../posix/steps.js";
import type { Entry } from "../volume/entry.js";
import { optionsOf, placeOf } from "./arguments.js";
import { decode } from "./encoding.js";
import { invalidType, systemError } from "./errors.js";
import { ANY_DEPTH, expandBraces, fits, type Part, partsOf } from "./glob-pattern.js";
import { byteString, bytesOf, join, resolvedNames } from "./paths.js";
import type { Reads } from "./reads.js";
import { Dirent } from "./stats.js";

/** Bytes that the results of one call may take, as in `list`. */
const RESULTS_MAX = 1 << 30;
const RESULT_BYTES = 320;

/** A pattern, and the parts that a directory's entries are to fit. */
interface State {
  parts: readonly Part[];
  at: ReadonlySet<number>;
}

/** A directory that can hold results. */
interface Folder {
  found: Found;
  /** Its path as results begin with it. */
  path: string;
  states: readonly State[];
}

/** Goes through directories, and gives results one by one. */
class Globbing {
  readonly #reads: Reads;
  readonly #cwd: string;
  readonly #withFileTypes: boolean;
  readonly #isExcluded: (path: string, entry: Entry) => boolean;
  readonly #patterns: readonly string[];
  readonly #folders: Folder[] = [];
  readonly #seen = new Set<string>();
  #ready: (string | Dirent)[] = [];
  #hasBegun = false;

  constructor(reads: Reads, patterns: unknown, given: unknown) {
    const options = optionsOf(given);
    const list = Array.isArray(patterns) ? patterns : [patterns];
    if (!list.every((pattern) => typeof pattern === "string"))
      throw invalidType("patterns", "of type string or an instance of Array", patterns);
    this.#reads = reads;
    this.#cwd =
      options.cwd === undefined || options.cwd === null ? "/" : placeOf(options.cwd, "options.cwd").text;
    this.#withFileTypes = Boolean(options.withFileTypes);
    this.#patterns = (list as string[]).flatMap(expandBraces);
    this.#isExcluded = this.#excluder(options.exclude);
  }

  /** A test of paths by the option `exclude`: a function, or patterns. */
  #excluder(exclude: unknown): (path: string, entry: Entry) => boolean {
    if (exclude === undefined || exclude === null) return () => false;
    if (typeof exclude === "function")
      return (path, entry) => Boolean(exclude(this.#withFileTypes ? this.#direntOf(path, entry) : path));
    if (!Array.isArray(exclude) || !exclude.every((pattern) => typeof pattern === "string"))
      throw invalidType("options.exclude", "an instance of Array or of type function", exclude);
    const patterns = (exclude as string[])
      .flatMap(expandBraces)
      .map((pattern) => partsOf(this.#absolute(pattern)));
    return (path) => {
      const names = this.#absolute(path).split("/");
      return patterns.some((parts) => fitsAll(parts, names));
    };
  }

  #absolute(path: string): string {
    return resolvedNames(this.#cwd, path).join("/");
  }

  #direntOf(path: string, entry: Entry): Dirent {
    const full = join(path.startsWith("/") ? "" : this.#cwd, path);
    const slash = full.lastIndexOf("/");
    return new Dirent(full.slice(slash + 1) || full, full.slice(0, slash) || "/", entry);
  }

  #add(path: string, entry: Entry): void {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    this.#ready.push(this.#withFileTypes ? this.#direntOf(path, entry) : path);
  }

  *#find(path: string): Steps<Found | undefined> {
    const bytes = new TextEncoder().encode(join(this.#cwd, path.startsWith("/") ? "" : path));
    try {
      return yield* lookup(
        this.#reads.volume,
        path.startsWith("/") ? new TextEncoder().encode(path) : bytes,
        true,
      );
    } catch (error) {
      if (errnoOf(error) === undefined || errnoOf(error) === "EIO") throw error;
      return undefined;
    }
  }

  /** Finds where each pattern begins: behind its names that stand for themselves. */
  *#begin(): Steps<void> {
    for (const pattern of this.#patterns) {
      const all = partsOf(pattern);
      const onlyFolders = all.length > 1 && all.at(-1) === "";
      const parts = all.filter((part) => part !== "" && part !== ".");
      const magic = parts.findIndex((part) => typeof part !== "string");
      const fixed = (magic < 0 ? parts : parts.slice(0, magic)) as string[];
      const path = join(pattern.startsWith("/") ? "/" : "", ...fixed);
      const found = yield* this.#find(path);
      if (found === undefined || this.#isExcluded(path, found.entry)) continue;
      const rest = magic < 0 ? [] : parts.slice(magic);
      if (rest.length === 0 && pattern !== "" && (!onlyFolders || isDirectory(found.entry)))
        this.#add(path, found.entry);
      if (rest.length > 0 && isDirectory(found.entry)) {
        if (rest.every((part) => part === ANY_DEPTH)) this.#add(path, found.entry);
        const states = [{ parts: onlyFolders ? [...rest, ""] : rest, at: closure(rest, [0]) }];
        this.#folders.push({ found, path: path === "." ? "" : path, states });
      }
    }
  }

  /** The next result. */
  *advance(): Steps<string | Dirent | undefined> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      yield* this.#begin();
      this.#ready.reverse();
    }
    while (this.#ready.length === 0) {
      const folder = this.#folders.shift();
      if (folder === undefined) return undefined;
      yield* this.#enter(folder);
      this.#ready.reverse();
    }
    return this.#ready.pop();
  }

  *#enter({ found, path, states }: Folder): Steps<void> {
    const call = { syscall: "scandir", path: path || this.#cwd };
    for (const entry of yield* this.#reads.page(call, found)) {
      const name = decode(entry.nameBytes, "utf8");
      const below = path === "" ? name : join(path, name);
      if (this.#isExcluded(below, entry)) continue;
      const next: State[] = [];
      let isResult = false;
      for (const { parts, at } of states) {
        const taken = steps(parts, at, name);
        const onlyFolders = parts.at(-1) === "";
        const last = onlyFolders ? parts.length - 1 : parts.length;
        if (taken.has(last) && (!onlyFolders || isDirectory(entry))) isResult = true;
        // Links are followed where a name of the pattern stands for them, not by `**`.
        const named = [...at].filter((index) => parts[index] !== ANY_DEPTH);
        const onward = entry.kind === "symlink" ? steps(parts, named, name) : isDirectory(entry) ? taken : [];
        const into = [...onward].filter((index) => index < last);
        if (into.length > 0) next.push({ parts, at: new Set(into) });
      }
      if (isResult) this.#add(below, entry);
      if (next.length === 0) continue;
      const full = bytesOf(`${byteString(found.path)}/${byteString(entry.nameBytes)}`);
      const target =
        entry.kind === "symlink" ? yield* this.#find(`/${decode(full, "utf8")}`) : { path: full, entry };
      if (target !== undefined && isDirectory(target.entry))
        this.#folders.push({ found: target, path: below, states: next });
    }
  }
}

/** Places in a pattern, and those behind a `**`, which may stand for nothing. */
function closure(parts: readonly Part[], places: Iterable<number>): Set<number> {
  const all = new Set<number>();
  for (let at of places) {
    all.add(at);
    while (parts[at] === ANY_DEPTH) all.add(++at);
  }
  return all;
}

/** The places behind a name. */
function steps(parts: readonly Part[], places: Iterable<number>, name: string): Set<number> {
  const behind: number[] = [];
  for (const at of places) {
    const part = parts[at];
    if (part === undefined || part === "" || !fits(part, name)) continue;
    behind.push(part === ANY_DEPTH ? at : at + 1);
  }
  return closure(parts, behind);
}

/** Whether a whole path fits a pattern. */
function fitsAll(parts: readonly Part[], names: readonly string[]): boolean {
  let places = closure(parts, [0]);
  for (const name of names) places = steps(parts, places, name);
  return places.has(parts.length);
}

/** The results all at once. @throws `ENOMEM` where they are more than memory has room for */
export function* globAll(reads: Reads, patterns: unknown, options?: unknown): Steps<(string | Dirent)[]> {
  const globbing = new Globbing(reads, patterns, options);
  const results: (string | Dirent)[] = [];
  for (let cost = 0; ; ) {
    const result = yield* globbing.advance();
    if (result === undefined) return results;
    cost += RESULT_BYTES + (typeof result === "string" ? result.length : 0);
    if (cost > RESULTS_MAX) throw systemError("ENOMEM", { syscall: "scandir" }, new PosixError("ENOMEM"));
    results.push(result);
  }
}

/** The results one by one. */
export async function* globEach(
  reads: Reads,
  patterns: unknown,
  options?: unknown,
): AsyncGenerator<string | Dirent, void, undefined> {
  const globbing = new Globbing(reads, patterns, options);
  for (;;) {
    const result = await settle(globbing.advance());
    if (result === undefined) return;
    yield result;
  }
}

/** A test of paths by a pattern, as `path.matchesGlob` tells. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const all = expandBraces(pattern).map(partsOf);
  return (path) => {
    const names = join(path).split("/");
    return all.some((parts) => fitsAll(parts, names));
  };
}

/** Whether a path fits a pattern, as `path.matchesGlob` tells. */
export function matchesGlob(path: string, pattern: string): boolean {
  return globMatcher(pattern)(path);
}
