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

/** Makes tasks of one kind. */
export function taskMaker(spec: WorkSpec): () => Task {
  if (spec.kind === "search") {
    const pattern = new Pattern(spec.pattern);
    return () => {
      const search = new Search(pattern, spec.search);
      return {
        takesLines: true,
        get isDone() {
          return search.isDone;
        },
        add: (piece) => search.add(piece),
        finish: () => search.finish(),
      };
    };
  }
  return () => {
    const hash = createHash(spec.algorithm);
    return {
      takesLines: false,
      isDone: false,
      add: (piece) => void hash.update(piece),
      finish: () => hash.digest("hex"),
    };
  };
}
