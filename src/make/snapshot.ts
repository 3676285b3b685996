/**
 * The trees of a listed source, once the ids of its contents are known, and the order of everything in the pack. Only
 * computes: it runs wherever JavaScript does, and the caller brings the SHA-1.
 */

import { encodeTree, type Kind, MODE, type TreeEntry } from "../git/objects.js";
import { OID_LEN } from "../git/oid.js";
import type { Content } from "./base/content.js";
import { OidSet } from "./base/oid-set.js";
import { Places } from "./pack/pack-order.js";
import type { Listing, SourceFolder } from "./source/listing.js";

/** A tree to be packed. */
export interface SnapshotTree {
  oid: Uint8Array;
  /** Bytes. */
  size: number;
  content: Content;
  /** The first of its paths from the root of the source, a byte string ("latin1"); the root's is empty. */
  path: string;
}

/** A source as git objects. */
export interface Snapshot {
  /** Each once, breadth first: the root comes first. */
  trees: SnapshotTree[];
  /**
   * The commit, the trees breadth first, each content once in the order of its first path. By number the blobs of the
   * listing are first, then the trees, then the commit.
   */
  places: Places;
  /** Files and symbolic links, the same content counted every time; and bytes of them. */
  fileCount: number;
  contentBytes: number;
}

/** A folder on its way to a tree. */
interface Node {
  folder: SourceFolder;
  /** Its subfolders, in git's order. */
  children: Node[];
  tree: SnapshotTree;
}

/** An object's id: 20 bytes. */
export type OidOf = (kind: Kind, content: Uint8Array) => Uint8Array;

/** Bytes as a map's key. */
const keyOf = (oid: Uint8Array): string => String.fromCharCode(...oid);

const EMPTY = new Uint8Array(0);

/** The prefix of what is in a folder. */
const prefixOf = (path: string): string => (path === "" ? "" : `${path}/`);

function nodeOf(folder: SourceFolder, path: string): Node {
  return { folder, children: [], tree: { oid: EMPTY, size: 0, content: EMPTY, path } };
}

/** All folders, each before those in it, and its subfolders in git's order. Nested as deep as they like: no recursion. */
function nodesOf(root: SourceFolder): Node[] {
  const nodes = [nodeOf(root, "")];
  // An array's iteration visits what is added on the way.
  for (const { folder, children, tree } of nodes) {
    if (folder.folders.length === 0) continue;
    for (const entry of folder.entries()) {
      if (entry.mode !== MODE.directory) continue;
      const node = nodeOf(entry.folder, `${prefixOf(tree.path)}${entry.name}`);
      children.push(node);
      nodes.push(node);
    }
  }
  return nodes;
}

/** Visits every file in git's order, which is that of their whole paths. No recursion here, either. */
function visitFiles(root: Node, onFile: (path: string, blob: number) => void): void {
  const visitOf = ({ folder, children }: Node, prefix: string) => ({
    entries: folder.entries().values(),
    children: children.values(),
    prefix,
  });
  const open = [visitOf(root, "")];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value: entry } = top.entries.next();
    if (entry === undefined) open.pop();
    else if (entry.mode === MODE.directory)
      open.push(visitOf(top.children.next().value!, `${top.prefix}${entry.name}/`));
    else onFile(`${top.prefix}${entry.name}`, entry.blob);
  }
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
 * @param keep takes a tree's content, and tells where it is from then on: by default in memory
 */
export function takeSnapshot(
  listing: Listing,
  oids: Uint8Array,
  oidOf: OidOf,
  keep: (content: Uint8Array) => Content = (content) => content,
): Snapshot {
  const nodes = nodesOf(listing.root);
  // Backwards: what is in a folder has its id before the folder.
  for (let last = nodes.length - 1; last >= 0; last--) {
    const node = nodes[last]!;
    let child = 0;
    const entries = node.folder.entries().map(
      (entry): TreeEntry => ({
        mode: entry.mode,
        name: entry.name,
        oid:
          entry.mode === MODE.directory
            ? node.children[child++]!.tree.oid
            : oids.subarray(entry.blob * OID_LEN, (entry.blob + 1) * OID_LEN),
      }),
    );
    const content = encodeTree(entries);
    const { path } = node.tree;
    node.tree = { oid: oidOf("tree", content), size: content.length, content: keep(content), path };
  }
  const root = nodes[0]!;
  const trees = breadthFirst(root);
  const places = new Places();
  const blobCount = listing.blobs.length;
  // The root tree's path is empty; no other has this one.
  places.add(blobCount + trees.length, "/");
  for (const [index, { path }] of trees.entries()) places.add(blobCount + index, path);
  const seen = new OidSet(oids);
  let fileCount = 0;
  let contentBytes = 0;
  visitFiles(root, (path, index) => {
    fileCount++;
    contentBytes += listing.blobs.sizeOf(index);
    if (seen.add(index)) places.add(index, path);
  });
  return { trees, places, fileCount, contentBytes };
}
