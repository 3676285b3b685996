/** What a listing holds, path by path. */
import type { Listing } from "../../src/make/source/listing.js";

/** An entry of a listing. */
export interface ListedEntry {
  /** A byte string; of a folder with a slash at its end. */
  path: string;
  mode: string;
  blob: number | undefined;
}

/** The entries, in the order in which a walk tells of them. */
export function entriesOf({ tree }: Listing): ListedEntry[] {
  const entries: ListedEntry[] = [];
  const names: string[] = [];
  tree.walk({
    enter(name) {
      names.push(name);
      entries.push({ path: `${names.join("/")}/`, mode: "40000", blob: undefined });
    },
    leaf(name, mode, blob) {
      entries.push({ path: [...names, name].join("/"), mode, blob });
    },
    leave() {
      names.pop();
    },
  });
  return entries;
}

/** Paths of a listing, folders' with a slash. */
export const pathsOf = (listing: Listing): string[] =>
  entriesOf(listing)
    .map(({ path }) => path)
    .sort();
