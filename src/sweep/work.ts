/** What can be done to each blob, in this thread and in others. */
import { createHash } from "node:crypto";
import { Pattern, type PatternSpec } from "./pattern.js";
import { type Found, Search, type SearchSpec } from "./search.js";

/** Work on blobs, in a form that threads can pass on. */
export type WorkSpec =
  | { kind: "search"; pattern: PatternSpec; search: SearchSpec }
  | { kind: "hash"; algorithm: string };

/** The results of each kind of work; undefined stands for nothing. */
export type Result = Found | string | undefined;

/** One blob's work, piece by piece. A piece is valid during the call. */
export interface Task {
  readonly isDone: boolean;
  /** Whether pieces must end where lines end. */
  readonly takesLines: boolean;
  add(piece: Buffer): void;
  finish(): Result;
}

/** Does work of one kind. */
export interface Worker {
  /** Begins with a blob. */
  begin(): Task;
  /** Works on a whole blob, which is valid during the call. */
  whole(bytes: Buffer): Result;
}

function wholeTask(begin: () => Task, bytes: Buffer): Result {
  const task = begin();
  task.add(bytes);
  return task.finish();
}

function searcher(spec: PatternSpec, search: SearchSpec): Worker {
  const pattern = new Pattern(spec);
  const begin = (): Task => new Search(pattern, search);
  return {
    begin,
    whole(bytes) {
      // Most blobs hold nothing that is looked for.
      if (!search.invert && !pattern.isIn(bytes)) return undefined;
      return wholeTask(begin, bytes);
    },
  };
}

function hasher(algorithm: string): Worker {
  const begin = (): Task => {
    const hash = createHash(algorithm);
    return {
      takesLines: false,
      isDone: false,
      add: (piece) => void hash.update(piece),
      finish: () => hash.digest("hex"),
    };
  };
  return { begin, whole: (bytes) => wholeTask(begin, bytes) };
}

/** @throws DocteurError `InvalidArgument` for a wrong pattern */
export function workerFor(spec: WorkSpec): Worker {
  return spec.kind === "search" ? searcher(spec.pattern, spec.search) : hasher(spec.algorithm);
}
