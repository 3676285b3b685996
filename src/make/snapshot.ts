/**
 * The trees of a listed source, once the ids of its contents are known, and the order of everything in the pack. Only
 * computes: it runs wherever JavaScript does, and the caller brings the SHA-1.
 */
import { encodeTree, type Kind, MODE, OID_LEN, sortTree, type TreeEntry } from "./objects.js";
import type { Listing, SourceEntry, SourceFolder } from "./source/folder.js";

/** A tree to be packed. */
export interface SnapshotTree {
  oid: Uint8Array;
  content: Uint8Array;
  /** The first of its paths, as a blob's; the root's is empty. */
  path: string;
}

/** A blob to be packed. */
export interface SnapshotBlob {
  oid: Uint8Array;
  /** Where it is in `Listing.blobs`. */
  index: number;
  /** The first of its paths, from the root of the source, no slash in front; a byte string ("latin1"). */
  path: string;
}

/** A source as git objects. */
export interface Snapshot {
  /** Each once, breadth first: the root comes first. */
  trees: SnapshotTree[];
  /** Each content once, in the order of their paths. */
  blobs: SnapshotBlob[];
  /** Files and symbolic links, the same content counted every time; and bytes of them. */
  fileCount: number;
  contentBytes: number;
}

/** A folder on its way to a tree. */
interface Node {
  /** In git's order. */
  entries: SourceEntry[];
  /** Its subfolders, in the order of `entries`. */
  children: Node[];
  tree: SnapshotTree;
}

/** An object's id: 20 bytes. */
export type OidOf = (kind: Kind, content: Uint8Array) => Uint8Array;

/** Bytes as a map's key. */
const keyOf = (oid: Uint8Array): string => String.fromCharCode(...oid);

const EMPTY = new Uint8Array(0);

function nodeOf(folder: SourceFolder, path: string): Node {
  const entries = [...folder.entries];
  sortTree(entries);
  return { entries, children: [], tree: { oid: EMPTY, content: EMPTY, path } };
}

/**
 * Visits every folder and file in git's order, which is that of their whole paths. Nested as deep as they like: there is
 * no recursion.
 * @returns the folders, each before those in it
 */
function visit(root: SourceFolder, onFile: (path: string, blob: number) => void): Node[] {
  const nodes = [nodeOf(root, "")];
  const open = [{ node: nodes[0]!, next: 0, prefix: "" }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const entry = top.node.entries[top.next++];
    if (entry === undefined) {
      open.pop();
    } else if (entry.mode === MODE.directory) {
      const path = `${top.prefix}${entry.name}`;
      const node = nodeOf(entry.folder, path);
      top.node.children.push(node);
      nodes.push(node);
      open.push({ node, next: 0, prefix: `${path}/` });
    } else {
      onFile(`${top.prefix}${entry.name}`, entry.blob);
    }
  }
  return nodes;
}

/** Trees breadth first, each once. */
function breadthFirst(root: Node): SnapshotTree[] {
  const nodes = new Map([[keyOf(root.tree.oid), root]]);
  // A map's iteration visits what is added on the way.
  for (const node of nodes.values())
    for (const child of node.children) {
      const key = keyOf(child.tree.oid);
      if (!nodes.has(key)) nodes.set(key, child);
    }
  return Array.from(nodes.values(), ({ tree }) => tree);
}

/**
 * Encodes a source's trees and orders its objects. The order of the listing has no part in it.
 * @param oids the ids of `listing.blobs`, in their order, 20 bytes each
 * @param oidOf hashes the trees
 */
export function takeSnapshot(listing: Listing, oids: Uint8Array, oidOf: OidOf): Snapshot {
  const oidAt = (index: number): Uint8Array => oids.subarray(index * OID_LEN, (index + 1) * OID_LEN);
  const seen = new Set<string>();
  const blobs: SnapshotBlob[] = [];
  let fileCount = 0;
  let contentBytes = 0;
  const nodes = visit(listing.root, (path, index) => {
    fileCount++;
    contentBytes += listing.blobs[index]!.size;
    const oid = oidAt(index);
    const key = keyOf(oid);
    if (seen.has(key)) return;
    seen.add(key);
    blobs.push({ oid, index, path });
  });
  // Backwards: what is in a folder has its id before the folder.
  for (const node of nodes.reverse()) {
    let child = 0;
    const entries = node.entries.map(
      (entry): TreeEntry => ({
        mode: entry.mode,
        name: entry.name,
        oid: entry.mode === MODE.directory ? node.children[child++]!.tree.oid : oidAt(entry.blob),
      }),
    );
    const content = encodeTree(entries);
    node.tree = { ...node.tree, oid: oidOf("tree", content), content };
  }
  return { trees: breadthFirst(nodes.at(-1)!), blobs, fileCount, contentBytes };
}
