/** Joins the sources of an image, and says what they are: the message of the image's commit. */
import { checkValue, isString } from "../arguments.js";
import { byteString, shown } from "../git/byte-string.js";
import { checkName } from "../git/names.js";
import { MODE } from "../git/objects.js";
import type { Gathered } from "./base/noticed.js";
import type { Listed } from "./list.js";
import { refuse } from "./options.js";
import { joinListings } from "./source/joined.js";

/**
 * Reads a prefix.
 * @returns the path, a byte string
 * @throws DocteurError `InvalidArgument`; `BadSource` for names that git forbids
 */
export function parsePrefix(prefix: string): string {
  checkValue("the prefix", prefix, isString);
  const names = byteString(prefix)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  if (names.length === 0 || names.includes("..") || prefix.includes("\0"))
    refuse(
      `not a directory of the image: ${JSON.stringify(prefix)}`,
      "--add takes a path from the root, without ..",
    );
  for (const name of names) checkName(name, MODE.directory, prefix);
  return names.join("/");
}

/** A source, listed, and its place. */
export interface PlacedSource {
  /** A byte string; empty for the main source. */
  prefix: string;
  /** For people: its text on the command line, without credentials. */
  name: string;
  listed: Listed;
}

const KINDS: Record<Listed["kind"], string> = {
  git: "commit",
  image: "the files of an image of commit",
  directory: "a directory",
  tar: "a tar archive",
  zip: "a zip archive",
  mixed: "several sources",
};

/** A line for each source, in the order of their places: it depends on their content alone, not on their paths. */
function describe(sources: readonly PlacedSource[]): string {
  return sources
    .map(({ prefix, listed: { kind, commit } }) => {
      const place = prefix === "" ? "/" : `/${shown(prefix)}`;
      return `${place}: ${KINDS[kind]}${commit === undefined ? "" : ` ${commit}`}`;
    })
    .sort()
    .join("\n");
}

/** The number of paths that are named. */
const SHOWN_MAX = 5;

function together(sources: readonly PlacedSource[], pick: (listed: Listed) => Gathered): Gathered {
  const first: string[] = [];
  let count = 0;
  for (const { prefix, listed } of sources) {
    const noticed = pick(listed);
    count += noticed.count;
    first.push(...noticed.first.map((path) => (prefix === "" ? path : `${prefix}/${path}`)));
  }
  return { count, first: first.slice(0, SHOWN_MAX) };
}

/**
 * Joins sources.
 * @returns all of them as one, and the message of its commit
 * @throws DocteurError `BadSource` if they have entries at one path
 */
export function joinSources(sources: readonly PlacedSource[]): Listed & { message: string } {
  return {
    kind: "mixed",
    listing: joinListings(
      sources.map(({ prefix, name, listed: { listing } }) => ({ prefix, name, listing })),
    ),
    submodules: together(sources, ({ submodules }) => submodules),
    lfsPointers: together(sources, ({ lfsPointers }) => lfsPointers),
    message: `Files of ${sources.length} source${sources.length === 1 ? "" : "s"}\n\n${describe(sources)}`,
  };
}
