/** Patterns for names and paths, as the options of commands give them. */
import { globMatcher } from "../../src/fs/glob.js";
import type { Entry } from "../../src/index.js";
import { usageError } from "./arguments.js";

/** A test of entries. */
export type EntryTest = (entry: Pick<Entry, "name" | "path">) => boolean;

function matcherOf(option: string, glob: string): (path: string) => boolean {
  try {
    return globMatcher(glob.replace(/^\/+/, ""));
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof SyntaxError)
      throw usageError(`${option}: ${glob}: ${cause.message}`);
    throw cause;
  }
}

/** Tests names. @throws DocteurError `Usage` */
export function nameTest(option: string, glob: string): EntryTest {
  const fits = matcherOf(option, glob);
  return ({ name }) => fits(name);
}

/** Tests whole paths, without the slash in front. @throws DocteurError `Usage` */
export function pathTest(option: string, glob: string): EntryTest {
  const fits = matcherOf(option, glob);
  return ({ path }) => fits(path.slice(1));
}

/** Tests whole paths if the pattern has a slash, and names otherwise. @throws DocteurError `Usage` */
export function globTest(option: string, glob: string): EntryTest {
  return glob.includes("/") ? pathTest(option, glob) : nameTest(option, glob);
}

/** Tests of files by their names, and then by their paths. Bytes that are not UTF-8 are U+FFFD for a pattern. */
export interface FileTests {
  isNameWanted(name: Uint8Array): boolean;
  isPathWanted(path: Uint8Array): boolean;
  /** Whether a path can fail although its name has passed. */
  hasPaths: boolean;
}

/** Tests by patterns: those with a slash are for whole paths, the others for names. */
function bothTests(
  option: string,
  globs: readonly string[],
): { name: EntryTest; path: EntryTest; hasPaths: boolean } {
  const names = globs.filter((glob) => !glob.includes("/")).map((glob) => nameTest(option, glob));
  const paths = globs.filter((glob) => glob.includes("/")).map((glob) => pathTest(option, glob));
  return {
    name: (entry) => passesAny(names, entry, false),
    path: (entry) => passesAny(paths, entry, false),
    hasPaths: paths.length > 0,
  };
}

/**
 * Tests of the options `--include` and `--exclude`.
 * @throws DocteurError `Usage`
 */
export function fileTests(include: readonly string[], exclude: readonly string[]): FileTests {
  const wanted = bothTests("--include", include);
  const unwanted = bothTests("--exclude", exclude);
  const isAny = include.length === 0;
  const hasPaths = wanted.hasPaths || unwanted.hasPaths;
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  return {
    isNameWanted: (bytes) => {
      if (isAny && exclude.length === 0) return true;
      const entry = { name: textOf(bytes), path: "" };
      return (isAny || wanted.hasPaths || wanted.name(entry)) && !unwanted.name(entry);
    },
    isPathWanted: (bytes) => {
      if (!hasPaths) return true;
      const path = textOf(bytes);
      const entry = { name: path.slice(path.lastIndexOf("/") + 1), path };
      return (isAny || wanted.name(entry) || wanted.path(entry)) && !unwanted.path(entry);
    },
    hasPaths,
  };
}

/** Whether an entry passes one of the tests; `none` if there are none. */
export function passesAny(
  tests: readonly EntryTest[],
  entry: Parameters<EntryTest>[0],
  none: boolean,
): boolean {
  return tests.length === 0 ? none : tests.some((test) => test(entry));
}

/** A regular expression of a user's. @throws DocteurError `Usage` */
export function parseRegExp(option: string, source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^Invalid regular expression: /, "");
    throw usageError(
      `${option}: not a regular expression: ${why}`,
      "regular expressions are those of JavaScript, with the flag u: before a character without another meaning, no backslash",
    );
  }
}
