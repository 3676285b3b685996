/** Images of long chains of deltas, and of chains that have others as legs. */
import { CraftedImage, copy, delta, insert, type Placed } from "./crafted-image.js";
import { gitOid } from "./fixtures.js";

/** Bytes of a blob, unless another size is asked for. */
export const BLOCK = 200_000;

/** A delta that gives its base another number at the end. */
export function numbered(base: Buffer, number: number): { content: Buffer; instructions: Buffer } {
  const text = String(number).padStart(8, "0");
  const content = Buffer.concat([base.subarray(0, -8), Buffer.from(text)]);
  const instructions = delta(
    base.length,
    content.length,
    ...pieces(base.length - 8).map(([at, length]) => copy(at, length)),
    insert(text),
  );
  return { content, instructions };
}

function pieces(length: number): [number, number][] {
  const parts: [number, number][] = [];
  for (let at = 0; at < length; at += 0xffff) parts.push([at, Math.min(0xffff, length - at)]);
  return parts;
}

/** What a comb is like. */
export interface Comb {
  /** Bytes of each blob. */
  size?: number;
  /** Deltas in a leg. */
  leg?: number;
  /** Whether deltas name their bases by ids. */
  isRef?: boolean;
  legsFirst?: boolean;
}

/**
 * Deltas on top of each other, each of which has legs: other chains of deltas.
 * @param depth deltas of the chain that has the legs
 * @returns the image, and its blobs in the PACK's order
 */
export function comb(
  depth: number,
  { size = BLOCK, leg = 1, isRef = true, legsFirst = true }: Comb,
): { image: CraftedImage; last: string; placed: Placed[] } {
  const image = new CraftedImage();
  let base: Buffer = Buffer.alloc(size, "content");
  let placed = image.object("blob", base);
  const all = [placed];
  let number = 0;
  const add = (from: Buffer, on: { oid: string; offset: number }): [Buffer, typeof placed] => {
    const { content, instructions } = numbered(from, number++);
    const oid = gitOid("blob", content);
    const next = isRef
      ? image.refDelta(oid, on.oid, instructions)
      : image.ofsDelta(oid, on.offset, instructions);
    all.push(next);
    return [content, next];
  };
  const addLeg = (from: Buffer, on: typeof placed): void => {
    let [content, at] = [from, on];
    for (let index = 0; index < leg; index++) [content, at] = add(content, at);
  };
  for (let index = 0; index < depth; index++) {
    if (legsFirst) addLeg(base, placed);
    const [content, next] = add(base, placed);
    if (!legsFirst) addLeg(base, placed);
    base = content;
    placed = next;
  }
  return { image, last: placed.oid, placed: all };
}
