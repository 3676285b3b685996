/** `docteur/grep`: lines of an image's files that a pattern matches. */
import type { Path } from "../arguments.js";
import type { ImageSource } from "../devices/open.js";
import type { OpenOptions } from "../opening.js";
import type { Volume } from "../volume.js";
import { Pattern, type PatternSpec } from "./pattern.js";
import type { Found, SearchSpec } from "./search.js";
import { Sweep } from "./sweep.js";

/** A search through an image. */
export interface GrepJob {
  /** Where the volume comes from, and how it was opened: threads open a file again. */
  source: ImageSource;
  open: OpenOptions;
  /** Directories, with everything below them, and files. */
  paths: readonly Path[];
  follow: boolean;
  pattern: PatternSpec;
  search: SearchSpec;
  /** Tells by names, and by whole paths, which files are searched. */
  isNameWanted: (name: Uint8Array) => boolean;
  isPathWanted: (path: Uint8Array) => boolean;
  /** Tell files in which nothing is found, instead. */
  isMissing: boolean;
  /** Stop at the first file. */
  isFirst: boolean;
  jobs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A file, and what was found in it; nothing for a file of `isMissing`. */
export interface FileMatch {
  path: Buffer;
  found: Found | undefined;
  /** Whether lines of this file came before: a large one is told in parts. */
  isContinued: boolean;
}

/** How a search of a blob ended: nothing found; found; not known, as there was no room. */
const STATE = { none: 0, found: 1, unknown: 2 } as const;

/**
 * Searches files. Each blob is searched once, however often it stands in the image.
 * @param volume stays open
 * @returns files with matches, in the order of git's index
 * @throws DocteurError `InvalidArgument` for a wrong pattern; `NotFound` for a path; errors of the image
 */
export async function* grep(volume: Volume, job: GrepJob): AsyncGenerator<FileMatch, void, undefined> {
  const { paths, follow, pattern, search, isNameWanted, isPathWanted, isMissing, isFirst } = job;
  // A wrong pattern is told before anything is read.
  new Pattern(pattern);
  const { source, open, jobs, signal } = job;
  const work = { kind: "search", pattern, search } as const;
  const sweep = await Sweep.begin(volume, { source, open, work, isWanted: isNameWanted, jobs, signal });
  try {
    for (const path of paths) await sweep.add(path, follow);
    const states = new Map<number, (typeof STATE)[keyof typeof STATE]>();
    const kept = new Map<number, Found>();
    await sweep.run((blob, result) => {
      const found = typeof result === "object" ? result : undefined;
      states.set(blob, found === undefined ? STATE.unknown : STATE.found);
      if (found !== undefined && !found.isDropped) kept.set(blob, found);
      return !(isFirst && found !== undefined);
    });
    const isShown = (blob: number): boolean =>
      isMissing ? states.get(blob) !== STATE.found : states.has(blob);
    for await (const file of sweep.files(isShown)) {
      signal?.throwIfAborted();
      const { path, blob } = file;
      if (!isPathWanted(path)) continue;
      const found = kept.get(blob);
      if (found !== undefined || !states.has(blob)) {
        yield { path, found, isContinued: false };
        continue;
      }
      yield* tell(sweep, file, isMissing, search.want === "lines");
    }
  } finally {
    await sweep.close();
  }
}

/** Tells a file that is searched only now, or again. */
async function* tell(
  sweep: Sweep,
  file: { path: Buffer; blob: number },
  isMissing: boolean,
  tellsLines: boolean,
): AsyncGenerator<FileMatch, void, undefined> {
  const { path } = file;
  let last: Found | undefined;
  let isContinued = false;
  for await (const part of sweep.workOn(file)) {
    if (typeof part !== "object") continue;
    last = part;
    if (isMissing || !tellsLines || part.isBinary) continue;
    yield { path, found: part, isContinued };
    isContinued = true;
  }
  if (isMissing ? last === undefined : last !== undefined && !isContinued)
    yield { path, found: last, isContinued: false };
}
