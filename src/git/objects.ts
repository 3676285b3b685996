/** git's objects as bytes: trees and commits (gitformat-pack; git's tree.c and commit.c). Runs in browsers, too. */

import type { CommitDate } from "./date.js";
import { hexOid, type Sha1 } from "./oid.js";
import { completeMessage, GREENTHUMB, identOf, type Person } from "./person.js";

/** The kinds of objects, by the number that a pack gives them. */
export const KIND = { commit: 1, tree: 2, blob: 3 } as const;

/** A kind of object. */
export type Kind = keyof typeof KIND;

/** The modes of tree entries, as git writes them. */
export const MODE = {
  directory: "40000",
  file: "100644",
  executable: "100755",
  symlink: "120000",
} as const;

/** One of `MODE`. */
export type Mode = (typeof MODE)[keyof typeof MODE];

/** All modes: tables store a mode as its index here. */
export const MODES: readonly Mode[] = Object.values(MODE);

const ENCODER = new TextEncoder();

/** The id of an object, 20 bytes. @param hash takes it */
export function hashObject(hash: Sha1, kind: Kind, content: Uint8Array): Uint8Array {
  hash.update(objectHeader(kind, content.length));
  hash.update(content);
  return hash.digest();
}

/** The header that is hashed before an object's content. @param size the content's length in bytes */
export function objectHeader(kind: Kind, size: number): Uint8Array {
  return ENCODER.encode(`${kind} ${size}\0`);
}

/** Sorts entries as git does, where a directory's name counts as if a slash followed. */
export function sortTree(entries: { mode: Mode; name: string }[]): void {
  const key = (entry: { mode: Mode; name: string }): string =>
    entry.mode === MODE.directory ? `${entry.name}/` : entry.name;
  entries.sort((left, right) => {
    const a = key(left);
    const b = key(right);
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** The people and the message of a new commit. */
export interface CommitWords {
  /** Author and committer. Default: docteur's own. */
  author?: Person | undefined;
  /** Default: none. */
  message?: string | undefined;
}

/**
 * Encodes the commit that stands for a plain directory. By default its bytes equal those of docteur 0.0.7: it
 * has no parent, no message, and no empty line before a message. With a message its bytes equal those of `git
 * commit-tree -m`.
 */
export function encodeSyntheticCommit(
  tree: Uint8Array,
  date: CommitDate,
  { author = GREENTHUMB, message }: CommitWords = {},
): Uint8Array {
  const who = `${identOf(author)} ${date.seconds} ${date.zone}`;
  const body = message === undefined ? "" : `\n${completeMessage(message)}`;
  return new TextEncoder().encode(`tree ${hexOid(tree)}\nauthor ${who}\ncommitter ${who}\n${body}`);
}
