/** The largest things of a tree, without looking at all of it: parts of which each is at most as large as the whole. */

/** Something of a size. */
export interface Node {
  path: Uint8Array;
  /** Bytes: of a directory as many as its parts can have. */
  size: number;
  /** The id of its tree, if it is a directory. */
  tree?: string;
}

/** `told`: the node is a result; an array: its parts may be; an object: both. */
export type Opened = "told" | Node[] | { parts: Node[] };

/** Takes the largest out of a heap. */
function take(heap: Node[]): Node {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.size > heap[child]!.size) child++;
    if (heap[child]!.size <= last.size) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}

function put(heap: Node[], node: Node): void {
  let at = heap.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (heap[above]!.size >= node.size) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = node;
}

/**
 * The largest nodes, the largest first.
 * @param count the most nodes
 * @param open looks into a node
 */
export async function largestFirst(
  root: Node,
  count: number,
  open: (node: Node) => Promise<Opened>,
): Promise<{ path: Uint8Array; size: number }[]> {
  const heap = [root];
  const results: { path: Uint8Array; size: number }[] = [];
  while (heap.length > 0 && results.length < count) {
    const node = take(heap);
    const opened = await open(node);
    if (opened === "told" || !Array.isArray(opened)) results.push({ path: node.path, size: node.size });
    if (opened === "told") continue;
    for (const part of Array.isArray(opened) ? opened : opened.parts) put(heap, part);
  }
  return results;
}
