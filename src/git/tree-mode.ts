/** The modes of tree entries, read as git reads them (`get_mode` of tree-walk.c, `canon_mode` of cache.h). */

/** The kinds of entries (`Entry` in `asm/git/tree.ts`). */
export const ENTRY = { tree: 1, file: 2, executable: 3, symlink: 4, submodule: 5 } as const;

/** Modes by `ENTRY`, as git writes them. */
export const CANONICAL_MODES: readonly number[] = [0, 0o40000, 0o100644, 0o100755, 0o120000, 0o160000];

const SPACE = 0x20;
const ZERO = 0x30;

/**
 * Reads a mode: any number of octal digits, of which the last 32 bits count.
 * @param end the mode's end: at a space, or at the tree's end
 * @returns -1 if it is not an octal number
 */
export function parseMode(tree: Uint8Array, start: number, end: number): number {
  let mode = 0;
  for (let at = start; at < end; at++) {
    const digit = tree[at]! - ZERO;
    if (digit < 0 || digit > 7) return -1;
    mode = ((mode << 3) | digit) >>> 0;
  }
  return start === end ? -1 : mode;
}

/** The end of the mode that begins at `start`: the first byte that is not an octal digit. */
export function modeEnd(tree: Uint8Array, start: number): number {
  let at = start;
  while (at < tree.length && tree[at] !== SPACE && tree[at]! >= ZERO && tree[at]! < ZERO + 8) at++;
  return at;
}

/**
 * The kind of entry for a mode. Of a file's permissions only the owner's execution bit counts. A mode without
 * a type that git knows is a submodule's.
 * @returns one of `ENTRY`
 */
export function entryOfMode(mode: number): number {
  switch (mode & 0o170000) {
    case 0o040000:
      return ENTRY.tree;
    case 0o100000:
      return (mode & 0o100) !== 0 ? ENTRY.executable : ENTRY.file;
    case 0o120000:
      return ENTRY.symlink;
    default:
      return ENTRY.submodule;
  }
}
