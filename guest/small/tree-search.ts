/** Finds names in a tree object, for guests: one look-up in a directory does not pay for an index. */
import { treeFind } from "../../asm/git/tree";
import { GitObject } from "../../asm/objects/cache";

/** What `asm/objects/tree-search.ts` exports. */
export function treeSearch(tree: GitObject, name: usize, nameLen: u32): i32 {
  return treeFind(tree.data, tree.data + tree.size, name, nameLen);
}
