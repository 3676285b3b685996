/** The course of verifying one image: frame, index, objects, commit, trees, and what it is held against. */

import { createHash } from "node:crypto";
import { DocteurError, STATUS } from "../errors.js";
import { buildIdx } from "../git/build-idx.js";
import { shown } from "../git/byte-string.js";
import { type CommitText, parseCommit, treeOf } from "../git/commit.js";
import { entryHeader, HEADER_MAX, KIND, OID, PACK_HEADER, PACK_START, parseEntry } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { BASE, createRows, isDelta, plantForest, type Rows, rowAt, STATE } from "./entry-table.js";
import type { Expected } from "./expected-commit.js";
import { checkIdx, compareIdx, Idx, readIdx } from "./idx.js";
import { Graph } from "./reachability.js";
import type { ImageReader } from "./reader.js";
import type { Counts, Findings, Sizes } from "./report.js";
import { Resolver } from "./resolve.js";
import { findTrailer, hashPack, isPackSound, landmarks, scanByIndex, scanByInflating } from "./scan.js";
import { loadTable, type Team } from "./threads.js";

/** The smallest PACK: header, one entry of 9 bytes, trailer; and the smallest IDX. */
const PACK_MIN = 41;
const IDX_MIN = 8 + 1024 + 28 + 40;
const ENTRY_MIN = 9;

/** What an examination finds beside findings. */
export interface Examined {
  commit: string | null;
  tree: string | null;
  text: CommitText | undefined;
  /** What the image was read by, which counts the work. */
  reader: ImageReader | undefined;
  counts: Counts;
  sizes: Sizes;
}

/** How far a phase has come; one may come again, where the image is damaged. */
export interface PhaseProgress {
  /** `read`: finding the PACK's entries; `hash`: its checksum; `resolve`: inflating objects, applying deltas, hashing. */
  phase: "read" | "hash" | "resolve";
  /** Bytes of the PACK; in `resolve` parts of the work, of about the same size, that are done or begun. */
  done: number;
  total: number;
}

/** The image's frame. */
interface Frame {
  commit: Uint8Array;
  idxStart: number;
  /** Objects that the PACK announces. */
  count: number;
}

/** Objects and their ids, all proven. */
interface Proven {
  rows: Rows;
  /** The ids, sorted, and the row of each. */
  index: Idx;
  rowOfRank: Uint32Array;
  trees: Uint32Array[];
  resolver: Resolver;
}

/** One image under examination. */
export class Examination {
  readonly #reader: ImageReader;
  readonly #findings: Findings;
  readonly #out: Examined;
  readonly #onProgress: ((progress: PhaseProgress) => void) | undefined;

  constructor(
    reader: ImageReader,
    findings: Findings,
    out: Examined,
    onProgress?: (progress: PhaseProgress) => void,
  ) {
    this.#reader = reader;
    this.#findings = findings;
    this.#out = out;
    this.#onProgress = onProgress;
  }

  /** What is read of the PACK from now on counts as progress of this phase. */
  #beginPhase(phase: "read" | "hash", { idxStart }: Pick<Frame, "idxStart">): void {
    this.#reader.onChunk = (offset) => {
      if (offset < idxStart)
        this.#onProgress?.({ phase, done: Math.max(0, offset - PACK_START), total: idxStart - PACK_START });
    };
  }

  /** Resolves all objects. @param first what a team's own thread does before @returns the trees that were read */
  async #resolveAll(
    rows: Rows,
    resolver: Resolver,
    team?: Team,
    oids: Uint8Array = new Uint8Array(0),
    first: () => Promise<void> = async () => undefined,
  ): Promise<Uint32Array[]> {
    const forest = plantForest(rows, (row) => rows.states[row] === STATE.pending);
    const task = { rows, forest, next: counter(), oids };
    const onGroup = (done: number, total: number): void => {
      this.#reader.onChunk = undefined;
      this.#onProgress?.({ phase: "resolve", done, total });
    };
    let trees: Uint32Array[] = [];
    if (team !== undefined) trees = await team.run(resolver, task, first, onGroup);
    else {
      await resolver.run(forest, task.next, onGroup);
      if (resolver.trees !== undefined) trees = [resolver.trees.words];
    }
    const total = forest.groups.length - 1;
    if (total > 0) onGroup(total, total);
    return trees;
  }

  /**
   * Everything.
   * @param team threads to resolve objects with, where there are many
   */
  async full(team: (packLen: number) => Team | undefined, expected?: Expected): Promise<void> {
    const frame = await this.#frame();
    const threads = team(frame.idxStart - PACK_START);
    try {
      const proven = (await this.#proveByIndex(frame, threads)) ?? (await this.#proveByPack(frame));
      this.#reportCollisions(proven.rows);
      await this.#trailing(frame);
      await this.#commit(frame, proven, expected);
    } finally {
      await threads?.close();
    }
  }

  /** Header, trailers, index and commit. */
  async quick(expected?: Expected): Promise<void> {
    const findings = this.#findings;
    const frame = await this.#frame();
    const idx = await this.#readIdx(frame);
    if (idx === undefined) throw new DocteurError("BadIdx", "the index (IDX) is damaged: it is cut off", {});
    const isSound = checkIdx(idx, frame.idxStart - PACK_START - OID, findings);
    const end = await findTrailer(this.#reader, frame.idxStart, idx.packTrailer);
    this.#beginPhase("hash", frame);
    const digest = end < 0 ? undefined : await hashPack(this.#reader, end);
    if (digest?.isCollision) this.#packCollision(end);
    if (digest === undefined || Buffer.compare(digest.bytes, idx.packTrailer) !== 0) {
      const offset = PACK_START + (end < 0 ? 0 : end);
      findings.add(
        "error",
        "BadTrailer",
        "the PACK does not match its checksum, or not the index's copy of it",
        {
          offset,
        },
      );
    }
    this.#out.counts.objects = frame.count;
    if (end >= 0) this.#out.sizes.pack = end + OID;
    await this.#trailing(frame);
    if (isSound)
      await this.#quickCommit(frame, idx, end < 0 ? frame.idxStart - PACK_START - OID : end, expected);
  }

  /** @throws DocteurError where there is no image to speak of */
  async #frame(): Promise<Frame> {
    const reader = this.#reader;
    const head = await reader.copy(0, PACK_START + PACK_HEADER);
    const view = new DataView(head.buffer);
    const version = view.getUint32(PACK_START + 4);
    if (view.getUint32(PACK_START) !== 0x5041434b || (version !== 2 && version !== 3))
      throw new DocteurError("BadPack", "not a docteur image: no valid PACK header");
    const idxStart = view.getBigUint64(20, true);
    if (idxStart < BigInt(PACK_START + PACK_MIN))
      throw new DocteurError("BadHeader", "not a docteur image: the header does not lead to an index");
    if (idxStart > BigInt(reader.capacity - IDX_MIN))
      throw new DocteurError("Truncated", "the image ends too early");
    const count = view.getUint32(PACK_START + 8);
    const room = Number(idxStart) - PACK_START - PACK_HEADER - OID;
    if (count * ENTRY_MIN > room)
      throw new DocteurError("BadPack", "the PACK announces more objects than it has bytes for");
    return { commit: head.slice(0, OID), idxStart: Number(idxStart), count };
  }

  async #readIdx({ idxStart, count }: Frame): Promise<Idx | undefined> {
    const idx = await readIdx(this.#reader, idxStart, count);
    if (idx !== undefined) this.#out.sizes.idx = idx.bytes.length;
    return idx;
  }

  /** Proves all objects by the IDX; undefined where anything at all is wrong with either, which a closer look will tell. */
  async #proveByIndex(frame: Frame, team: Team | undefined): Promise<Proven | undefined> {
    const reader = this.#reader;
    if (frame.count === 0) return undefined;
    const idx = await this.#readIdx(frame);
    if (idx === undefined || !checkIdx(idx, frame.idxStart - PACK_START - OID, silent())) return undefined;
    const end = await findTrailer(reader, frame.idxStart, idx.packTrailer);
    if (end < 0) return undefined;
    this.#beginPhase("read", frame);
    // Threads resolve objects while this one hashes the PACK; one alone hashes what it has just read.
    const rows = await scanByIndex(reader, idx, end, team === undefined);
    if (rows === undefined) return undefined;
    const ranks = idx.byOffset();
    const rowOfRank = new Uint32Array(idx.count);
    ranks.forEach((rank, row) => {
      rowOfRank[rank] = row;
    });
    const { oids } = idx;
    loadTable(reader, oids);
    const resolver = new Resolver(reader, rows, { readTrees: true });
    let isPackProven = true;
    const trees = await this.#resolveAll(rows, resolver, team, oids, async () => {
      this.#beginPhase("hash", frame);
      isPackProven = await isPackSound(reader, idx, end);
    });
    if (!isPackProven) return undefined;
    for (let row = 0; row < rows.count; row++) {
      if (rows.states[row] !== STATE.ok) return undefined;
      const at = ranks[row]! * OID;
      for (let index = 0; index < OID; index++)
        if (rows.oids[row * OID + index] !== oids[at + index]) return undefined;
    }
    this.#out.sizes.pack = end + OID;
    return { rows, index: idx, rowOfRank, trees, resolver };
  }

  /** Proves what can be proven by the PACK alone, and says what is wrong with it and with the IDX. */
  async #proveByPack(frame: Frame): Promise<Proven> {
    const { idxStart, count } = frame;
    const reader = this.#reader;
    const findings = this.#findings;
    const limit = idxStart - PACK_START - OID;
    const idx = await this.#readIdx(frame);
    this.#beginPhase("read", frame);
    const scan = await scanByInflating(reader, count, limit, landmarks(idx, limit), findings);
    const { rows } = scan;
    const first = new Resolver(reader, rows, { waiting: scan.waiting, readTrees: false });
    await this.#resolveAll(rows, first);
    this.#reportObjects(rows, scan.waiting);
    const trailer = await this.#packTrailer(scan.end, idxStart, idx);
    const { entries, rowOfOffset, isWhole } = this.#provenEntries(rows);
    const built = buildIdx(entries, trailer ?? new Uint8Array(OID), createHash("sha1"));
    const index = new Idx(idxStart, entries.count, built);
    if (isWhole && rows.count === count && trailer !== undefined) await compareIdx(reader, index, findings);
    else await this.#compareRows(rows, idx, limit);
    const rowOfRank = new Uint32Array(index.count);
    for (let rank = 0; rank < index.count; rank++) rowOfRank[rank] = rowOfOffset.get(index.offset(rank))!;
    loadTable(reader, index.oids);
    const resolver = new Resolver(reader, rows, { readTrees: true });
    const forest = plantForest(rows, (row) => rows.states[row] === STATE.ok && rows.types[row] === KIND.tree);
    await resolver.run(forest, counter());
    return { rows, index, rowOfRank, trees: [resolver.trees!.words], resolver };
  }

  /** What is wrong with objects: what resolving them said, and bases that never turned up. */
  #reportObjects(rows: Rows, waiting: ReadonlyMap<string, number[]>): void {
    const findings = this.#findings;
    const missing = new Set([...waiting.values()].flat());
    const told = new Set(findings.list.map(({ offset }) => offset));
    let unchecked = 0;
    for (let row = 0; row < rows.count; row++) {
      const state = rows.states[row]!;
      const offset = PACK_START + rows.offsets[row]!;
      if (state === STATE.pending && missing.has(row)) findings.addStatus(STATUS.MissingBase, { offset });
      else if (state === STATE.pending) unchecked++;
      else if (state !== STATE.ok && !told.has(offset)) findings.addStatus(state, { offset });
    }
    if (unchecked === 0) return;
    const what = unchecked === 1 ? "1 delta" : `${unchecked} deltas`;
    findings.add("warning", "Unchecked", `${what} could not be checked: what they are made from is damaged`);
  }

  /** Objects whose ids do not tell them from others. */
  #reportCollisions(rows: Rows): void {
    for (let row = rows.collisions.indexOf(1); row >= 0; row = rows.collisions.indexOf(1, row + 1)) {
      const oid = hexOid(rows.oids.subarray(row * OID));
      this.#findings.addStatus(STATUS.Collision, { oid, offset: PACK_START + rows.offsets[row]! });
    }
  }

  /** The PACK's own hash does not tell it from another. @param end where its trailer begins */
  #packCollision(end: number): void {
    const message = "the PACK is part of a SHA-1 collision attack";
    this.#findings.add("error", "Collision", message, { offset: PACK_START + end });
  }

  /** The PACK's checksum, and whether it is right. @returns undefined where it could not be found */
  async #packTrailer(end: number, idxStart: number, idx: Idx | undefined): Promise<Uint8Array | undefined> {
    if (end < 0) return undefined;
    const reader = this.#reader;
    const findings = this.#findings;
    const offset = PACK_START + end;
    const trailer = await reader.copy(offset, OID);
    this.#beginPhase("hash", { idxStart });
    const { bytes: digest, isCollision } = await hashPack(reader, end);
    if (isCollision) this.#packCollision(end);
    if (Buffer.compare(digest, trailer) !== 0) findings.addStatus(STATUS.BadTrailer, { offset });
    const found = await reader.firstNonZero(offset + OID, idxStart);
    if (found >= 0) {
      const message = `something stands between the PACK and the index (at offset ${found})`;
      findings.add("error", "BadPack", message, { offset: found });
    }
    this.#out.sizes.pack = end + OID;
    // Where it is the PACK's own copy that is wrong, the IDX has it right.
    return idx !== undefined && Buffer.compare(digest, idx.packTrailer) === 0 ? digest : trailer;
  }

  /** The rows whose ids are known, each id once. */
  #provenEntries(rows: Rows): {
    entries: { count: number; oids: Uint8Array; crcs: Uint32Array; offsets: Float64Array };
    rowOfOffset: Map<number, number>;
    isWhole: boolean;
  } {
    const seen = new Set<string>();
    const rowOfOffset = new Map<number, number>();
    const oids = new Uint8Array(rows.count * OID);
    const crcs = new Uint32Array(rows.count);
    const offsets = new Float64Array(rows.count);
    let count = 0;
    for (let row = 0; row < rows.count; row++) {
      if (rows.states[row] !== STATE.ok) continue;
      const id = rows.oids.subarray(row * OID, row * OID + OID);
      const oid = hexOid(id);
      if (seen.has(oid)) {
        this.#findings.add("error", "BadPack", `the PACK holds an object twice: ${oid}`, { oid });
        continue;
      }
      seen.add(oid);
      rowOfOffset.set(rows.offsets[row]!, row);
      oids.set(id, count * OID);
      crcs[count] = rows.crcs[row]!;
      offsets[count++] = rows.offsets[row]!;
    }
    return { entries: { count, oids, crcs, offsets }, rowOfOffset, isWhole: count === rows.count };
  }

  /** Where the PACK is not whole: what the IDX says of those objects that are there. */
  async #compareRows(rows: Rows, idx: Idx | undefined, limit: number): Promise<void> {
    const findings = this.#findings;
    if (idx === undefined) {
      findings.add("error", "BadIdx", "the index (IDX) is damaged: it is cut off");
      return;
    }
    checkIdx(idx, limit, findings);
    for (let rank = 0; rank < idx.count; rank++) {
      const row = rowAt(rows, idx.offset(rank));
      if (row < 0 || rows.states[row] !== STATE.ok) continue;
      const offset = PACK_START + rows.offsets[row]!;
      const oid = hexOid(rows.oids.subarray(row * OID));
      if (oid !== idx.oid(rank)) findings.addStatus(STATUS.OidMismatch, { offset, oid: idx.oid(rank) });
      if (rows.crcs[row] !== idx.crc(rank)) findings.addStatus(STATUS.CrcMismatch, { offset, oid });
    }
  }

  /** What follows the IDX. Readers never look there, so it does no harm; but nobody has put it there for a reason. */
  async #trailing({ idxStart }: Frame): Promise<void> {
    const length = this.#out.sizes.idx;
    if (length === null) return;
    const found = await this.#reader.firstNonZero(idxStart + length, this.#reader.capacity);
    if (found < 0) return;
    const message = `something that is not zero follows the index (at offset ${found})`;
    this.#findings.add("warning", "TrailingData", message, { offset: found });
  }

  /** The commit, its trees, and all counts. */
  async #commit({ commit }: Frame, proven: Proven, expected: Expected | undefined): Promise<void> {
    const { rows, index, rowOfRank, trees, resolver } = proven;
    const findings = this.#findings;
    const { counts, sizes } = this.#out;
    const graph = new Graph(rows, rowOfRank, trees, resolver);
    const rowOf = (oid: Uint8Array): number => {
      const rank = index.rankOf(oid);
      return rank < 0 ? -1 : rowOfRank[rank]!;
    };
    this.#out.commit = hexOid(commit);
    const row = rowOf(commit);
    const content = row < 0 ? undefined : await resolver.content(row);
    if (row >= 0) graph.mark(row);
    const offset = row < 0 ? undefined : PACK_START + rows.offsets[row]!;
    if (row < 0) graph.reportMissing(this.#out.commit, findings);
    const tree = row < 0 ? undefined : this.#readCommit(content, rows.types[row]!, offset);
    const root = tree === undefined ? -1 : rowOf(Buffer.from(tree, "hex"));
    if (tree !== undefined && root < 0) graph.reportMissing(tree, findings);
    if (root >= 0) this.#checkRoot(rows, root, tree!);
    if (root >= 0 && rows.types[root] === KIND.tree) {
      await graph.walk(root, findings);
      const { bytes, depth } = graph.count(root, counts);
      sizes.files = bytes;
      Graph.checkDepth(depth, findings);
    }
    graph.countObjects(counts, findings);
    sizes.objects = rows.sizes.reduce((sum, size) => sum + size, 0);
    if (expected !== undefined) this.#compareObjects(rows, graph, rowOf, expected);
  }

  /** What the commit's object says, checked. @returns its tree's id */
  #readCommit(content: Uint8Array | undefined, type: number, offset: number | undefined): string | undefined {
    const findings = this.#findings;
    const oid = this.#out.commit!;
    const where = offset === undefined ? { oid } : { oid, offset };
    if (type !== KIND.commit) findings.addStatus(STATUS.WrongKind, where);
    else if (content === undefined) findings.addStatus(STATUS.OutOfMemory, where);
    else {
      const tree = treeOf(content);
      if (tree === undefined) findings.addStatus(STATUS.BadCommit, where);
      else {
        this.#out.tree = tree;
        this.#out.text = parseCommit(content);
      }
      return tree;
    }
    return undefined;
  }

  #checkRoot(rows: Rows, root: number, oid: string): void {
    if (rows.types[root] !== KIND.tree)
      this.#findings.addStatus(STATUS.WrongKind, { oid, offset: PACK_START + rows.offsets[root]! });
  }

  /** The trees and blobs that the commit leads to are those of the repository's commit, and no others. */
  #compareObjects(rows: Rows, graph: Graph, rowOf: (oid: Uint8Array) => number, expected: Expected): void {
    const findings = this.#findings;
    const known = new Uint8Array(rows.count);
    for (const oid of [expected.commit, expected.tree]) {
      const row = rowOf(Buffer.from(oid, "hex"));
      if (row >= 0) known[row] = 1;
    }
    for (const [oid, path] of expected.objects) {
      const row = rowOf(Buffer.from(oid, "hex"));
      if (row >= 0 && graph.reached[row] === 1) known[row] = 1;
      else addLacking(findings, oid, path);
    }
    for (let row = 0; row < rows.count; row++) {
      if (graph.reached[row] !== 1 || known[row] === 1 || rows.types[row] === KIND.commit) continue;
      const oid = hexOid(rows.oids.subarray(row * OID));
      findings.add("error", "Mismatch", `the repository's commit has no object ${oid}`, { oid });
    }
  }

  /** The commit alone, by a sound IDX. */
  async #quickCommit(frame: Frame, idx: Idx, end: number, expected: Expected | undefined): Promise<void> {
    const oid = hexOid(frame.commit);
    this.#out.commit = oid;
    const found = await this.#inflateCommit(idx, frame.commit, end);
    if (typeof found === "number") {
      this.#findings.addStatus(found, { oid });
      return;
    }
    const { content, type, offset } = found;
    const tree = this.#readCommit(content, type, offset);
    if (tree !== undefined && idx.rankOf(Buffer.from(tree, "hex")) < 0)
      this.#findings.addStatus(STATUS.MissingObject, { oid: tree });
    for (const [id, path] of expected?.objects ?? [])
      if (idx.rankOf(Buffer.from(id, "hex")) < 0) addLacking(this.#findings, id, path);
  }

  /** Inflates the commit, and what it is a delta of, as rows of their own. @returns a status where that fails */
  async #inflateCommit(
    idx: Idx,
    commit: Uint8Array,
    end: number,
  ): Promise<{ content: Uint8Array | undefined; type: number; offset: number } | number> {
    const reader = this.#reader;
    const ranks = idx.byOffset();
    const offsets = Float64Array.from(ranks, (rank) => idx.offset(rank));
    const chain: number[] = [];
    const header = entryHeader();
    const rank = idx.rankOf(commit);
    if (rank < 0) return STATUS.MissingObject;
    const rows = createRows(idx.count);
    rows.end = end;
    rows.offsets.set(offsets);
    let row = rowAt(rows, idx.offset(rank));
    const first = row;
    for (;;) {
      const offset = rows.offsets[row]!;
      if (offset >= end || chain.includes(row) || chain.length > 4095) return STATUS.BadBase;
      chain.push(row);
      const ptr = await reader.fetch(PACK_START + offset, Math.min(HEADER_MAX, end - offset));
      const { bytes } = reader.engine;
      const status = parseEntry(header, bytes, ptr, offset, end);
      if (status !== STATUS.Ok) return status;
      rows.kinds[row] = header.kind;
      rows.bases[row] = BASE.none;
      if (!isDelta(header.kind)) break;
      const base = idx.rankOf(bytes.slice(header.baseOidAt, header.baseOidAt + OID));
      const at = header.kind === KIND.ofsDelta ? header.base : base < 0 ? -1 : idx.offset(base);
      const next = rowAt(rows, at);
      if (next < 0) return header.kind === KIND.ofsDelta ? STATUS.BadBase : STATUS.MissingBase;
      rows.bases[row] = next;
      row = next;
    }
    const type = rows.kinds[row]!;
    const resolver = new Resolver(reader, rows, { readTrees: false });
    for (const [index, each] of chain.entries()) if (index > 0) rows.firstChild[each] = chain[index - 1]!;
    rows.firstChild[first] = -1;
    rows.nextChild.fill(-1);
    await resolver.run({ roots: Int32Array.of(row), groups: Int32Array.of(0, 1) }, counter());
    for (const each of chain) if (rows.states[each]! > STATE.ok) return rows.states[each]!;
    if (Buffer.compare(rows.oids.subarray(first * OID, first * OID + OID), commit) !== 0)
      return STATUS.OidMismatch;
    this.#reportCollisions(rows);
    return { content: await resolver.content(first), type, offset: PACK_START + rows.offsets[first]! };
  }
}

/** @param path a byte string */
function addLacking(findings: Findings, oid: string, path: string): void {
  const where = { oid, path: shown(path) };
  findings.add("error", "Mismatch", `the image lacks ${oid}, ${where.path} in the repository`, where);
}

/** Findings that nobody wants. */
function silent(): Findings {
  return { add: () => undefined } as unknown as Findings;
}

/** A counter that threads can share. */
function counter(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}
