/** Finds names in a tree object, for guests: one look-up in a directory does not pay for an index. */
import { Status } from "../../asm/base/status";
import { treeFind, treeStart } from "../../asm/git/tree";
import { GitObject } from "../../asm/objects/cache";

/** What `asm/objects/tree-search.ts` exports. */
export function treeSearch(tree: GitObject, name: usize, nameLen: u32): i32 {
  const data = tree.data;
  const status = treeFind(data, tree.found, data + tree.size, name, nameLen);
  if (status == Status.OK) tree.found = <u32>(treeStart - data);
  return status;
}
