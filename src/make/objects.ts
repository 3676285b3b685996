/** git's objects as bytes: their ids, trees and commits (gitformat-pack; git's tree.c and commit.c). */
import { createHash, type Hash } from "node:crypto";
import type { CommitDate } from "./date.js";

/** The kinds of objects, by the number that a pack gives them. */
export const KIND = { commit: 1, tree: 2, blob: 3 } as const;

/** A kind of object. */
export type Kind = keyof typeof KIND;

/** The modes of tree entries, as they are written. */
export const MODE = {
  directory: "40000",
  file: "100644",
  executable: "100755",
  symlink: "120000",
} as const;

/** One of `MODE`. */
export type Mode = (typeof MODE)[keyof typeof MODE];

/** A tree's entry. */
export interface TreeEntry {
  mode: Mode;
  /** The name's bytes, one to a character ("latin1"): comparing such strings compares bytes. */
  name: string;
  /** 20 bytes. */
  oid: Uint8Array;
}

/** A hash that has taken an object's header and waits for its `size` bytes. */
export function beginOid(kind: Kind, size: number): Hash {
  return createHash("sha1").update(`${kind} ${size}\0`);
}

/** The id of a whole object: 20 bytes. */
export function oidOf(kind: Kind, content: Uint8Array): Buffer {
  return beginOid(kind, content.length).update(content).digest();
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

/** Encodes a tree whose entries are in git's order. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { mode, name, oid } of entries) parts.push(Buffer.from(`${mode} ${name}\0`, "latin1"), oid);
  return Buffer.concat(parts);
}

/**
 * Encodes the commit that stands for a plain directory, byte for byte as docteur does: no parent and no message, not
 * even the empty line that would come before one.
 */
export function encodeSyntheticCommit(tree: Uint8Array, date: CommitDate): Buffer {
  const who = `Dr. Greenthumb <noreply@cypress.hill> ${date.seconds} ${date.zone}`;
  return Buffer.from(`tree ${Buffer.from(tree).toString("hex")}\nauthor ${who}\ncommitter ${who}\n`);
}
