/** Reads one object by a sound IDX: only the object and its bases are inflated. */

import { STATUS } from "../errors.js";
import { entryHeader, HEADER_MAX, KIND, OID, PACK_START, parseEntry } from "../git/entry.js";
import type { Idx } from "../pack-table/idx.js";
import { compareBytes } from "./compare.js";
import { BASE, createRows, isDelta, type Rows, rowAt, STATE } from "./entry-table.js";
import { counter } from "./proven.js";
import type { ImageReader } from "./reader.js";
import { CHAIN_DEPTH, Resolver } from "./resolve.js";

/** An object, alone. */
export interface Single {
  /** Undefined if there is no memory for it. */
  content: Uint8Array | undefined;
  /** A value of `KIND`. */
  type: number;
  /** The start of its entry in the image. */
  offset: number;
  /** The columns that it was resolved in. */
  rows: Rows;
}

/**
 * Inflates an object, and proves its id.
 * @param end the start of the PACK's trailer, from the PACK's start
 * @returns a status if that fails
 */
export async function inflateSingle(
  reader: ImageReader,
  idx: Idx,
  oid: Uint8Array,
  end: number,
): Promise<Single | number> {
  const rank = idx.rankOf(oid);
  if (rank < 0) return STATUS.MissingObject;
  const rows = createRows(idx.count);
  rows.end = end;
  idx.byOffset().forEach((each, row) => {
    rows.offsets[row] = idx.offset(each);
  });
  const first = rowAt(rows, idx.offset(rank));
  const chain = await chainOf(reader, idx, rows, first);
  if (typeof chain === "number") return chain;
  const root = chain.at(-1)!;
  rows.firstChild.fill(-1);
  rows.nextChild.fill(-1);
  for (let index = 1; index < chain.length; index++) rows.firstChild[chain[index]!] = chain[index - 1]!;
  const resolver = new Resolver(reader, rows);
  await resolver.run({ roots: Int32Array.of(root), groups: Int32Array.of(0, 1) }, counter());
  for (const row of chain) if (rows.states[row]! > STATE.ok) return rows.states[row]!;
  if (compareBytes(rows.oids.subarray(first * OID, first * OID + OID), oid) !== 0) return STATUS.OidMismatch;
  const offset = PACK_START + rows.offsets[first]!;
  return { content: await resolver.content(first), type: rows.kinds[root]!, offset, rows };
}

/**
 * Reads the headers of an object and of the bases below it.
 * @param rows the offsets are known; kinds and bases of the chain are filled
 * @returns the rows, the object's first; or a status
 */
async function chainOf(reader: ImageReader, idx: Idx, rows: Rows, first: number): Promise<number[] | number> {
  const header = entryHeader();
  const { end } = rows;
  const chain: number[] = [];
  const seen = new Set<number>();
  for (let row = first; ; ) {
    const offset = rows.offsets[row]!;
    if (offset >= end || seen.has(row) || chain.length > CHAIN_DEPTH) return STATUS.BadBase;
    seen.add(row);
    chain.push(row);
    const ptr = await reader.fetch(PACK_START + offset, Math.min(HEADER_MAX, end - offset));
    const { bytes } = reader.engine;
    const status = parseEntry(header, bytes, ptr, offset, end);
    if (status !== STATUS.Ok) return status;
    rows.kinds[row] = header.kind;
    rows.bases[row] = BASE.none;
    if (!isDelta(header.kind)) return chain;
    const base = idx.rankOf(bytes.slice(header.baseOidAt, header.baseOidAt + OID));
    const at = header.kind === KIND.ofsDelta ? header.base : base < 0 ? -1 : idx.offset(base);
    const next = rowAt(rows, at);
    if (next < 0) return header.kind === KIND.ofsDelta ? STATUS.BadBase : STATUS.MissingBase;
    rows.bases[row] = next;
    row = next;
  }
}
