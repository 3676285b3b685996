/**
 * Fuzzes `verify` against `git index-pack --strict`, both ways: packs put together from sound objects in every form that
 * an entry can have, then spoilt. What git indexes is sound, and what it refuses is not, but for what docs/VERIFY.md lists,
 * each case of which is proven (`git-excuse.ts`).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, deflateSync } from "node:zlib";
import { type Report, verify } from "../../src/verify/index.js";
import {
  baseDistance,
  CraftedImage,
  copy,
  entryHeader,
  insert,
  KIND,
  treeEntry,
} from "../support/crafted-image.js";
import { encodeSize } from "../support/delta-encoder.js";
import { gitOid } from "../support/fixtures.js";
import { GIT_ENVIRONMENT, git } from "../support/git.js";
import type { Random } from "../support/random.js";
import { imageOfPack } from "../support/repository.js";
import { Judge } from "./git-excuse.js";
import { mutate } from "./mutate.js";
import type { Target } from "./target.js";

type ObjectKind = "commit" | "tree" | "blob" | "tag";

/** An object, and the entry that stands for it. */
interface Piece {
  kind: ObjectKind;
  content: Buffer;
  oid: string;
  /** What the entry says. */
  stored: number;
  size: number;
  /** Bytes of the size's field, at least. */
  sizeLen: number;
  /** The piece that it is a delta of. */
  base?: Piece;
  stream: Buffer;
}

const WHO = "A U Thor <author@example.org> 1717740550 +0200";

/** Git knows this tree without having it. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

function newPiece(kind: ObjectKind, content: Buffer, random: Random): Piece {
  return {
    kind,
    content,
    oid: gitOid(kind, content),
    stored: KIND[kind],
    size: content.length,
    sizeLen: 1,
    stream: compress(content, random),
  };
}

/** A zlib stream, as one of many makers would write it. */
function compress(content: Uint8Array, random: Random): Buffer {
  const level = random(10);
  return deflateSync(content, {
    level,
    windowBits: 9 + random(7),
    memLevel: 1 + random(9),
    strategy: random(4) ? constants.Z_DEFAULT_STRATEGY : random(5),
  });
}

function randomContent(random: Random): Buffer {
  const content = Buffer.alloc(random(8) ? random(200) : random(2) ? 0 : random(6000));
  const alphabet = random(3) ? 4 : 256;
  for (let at = 0; at < content.length; at++) content[at] = 97 + random(alphabet);
  return content;
}

/** Content that shares something with other content. */
function related(content: Buffer, random: Random): Buffer {
  const from = random(content.length + 1);
  const to = from + random(content.length - from + 1);
  return Buffer.concat([randomContent(random).subarray(0, random(30)), content.subarray(from, to)]);
}

/** A delta that makes `content` out of `base`: what they begin with is copied, the rest is inserted. */
function deltaOf(base: Buffer, content: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [];
  let common = 0;
  while (common < Math.min(base.length, content.length, 0xffff) && base[common] === content[common]) common++;
  if (common > 0 && random(4)) parts.push(copy(0, common));
  else common = 0;
  for (let at = common; at < content.length; ) {
    const found = random(3) ? base.indexOf(content.subarray(at, at + 8)) : -1;
    const length = 1 + random(Math.min(127, content.length - at));
    if (found >= 0 && content.length - at >= 8) {
      parts.push(copy(found, 8));
      at += 8;
    } else {
      parts.push(insert(content.toString("latin1", at, at + length)));
      at += length;
    }
  }
  const least = (): number => (random(6) ? 1 : 1 + random(random(3) ? 3 : 14));
  const head = [...encodeSize(base.length, least()), ...encodeSize(content.length, least())];
  return Buffer.concat([Buffer.from(head), ...parts]);
}

/** Stores a piece as a delta of another of its kind. */
function makeDelta(piece: Piece, base: Piece, random: Random): void {
  const instructions = deltaOf(base.content, piece.content, random);
  piece.stored = random(2) ? KIND.ofsDelta : KIND.refDelta;
  piece.base = base;
  piece.size = instructions.length;
  piece.stream = compress(instructions, random);
}

/** The objects of a snapshot, and some that nothing leads to. */
function randomPieces(random: Random): { pieces: Piece[]; commit: Piece } {
  const pieces: Piece[] = [];
  const add = (kind: ObjectKind, content: Buffer): Piece => {
    const oid = gitOid(kind, content);
    const known = pieces.find((piece) => piece.oid === oid);
    if (known !== undefined) return known;
    pieces.push(newPiece(kind, content, random));
    return pieces.at(-1)!;
  };
  const file = (index: number): Buffer => {
    const others = pieces.filter(({ kind }) => kind === "blob");
    const content =
      others.length > 0 && random(3)
        ? related(others[random(others.length)]!.content, random)
        : randomContent(random);
    const odd = ["100755", "120000", "100755", "120000", "100664", "0100644"];
    const mode = random(6) ? "100644" : odd[random(odd.length)]!;
    return treeEntry(mode, `f${index}`, add("blob", content).oid);
  };
  const folder = (depth: number): Piece => {
    const entries = Array.from({ length: random(5) }, (_, index) =>
      depth < 2 && random(4) === 0
        ? treeEntry("40000", `f${index}`, folder(depth + 1).oid)
        : random(12) === 0
          ? treeEntry("160000", `f${index}`, "1".repeat(40))
          : file(index),
    );
    return add("tree", Buffer.concat(entries));
  };
  const commit = add(
    "commit",
    Buffer.from(`tree ${folder(0).oid}\nauthor ${WHO}\ncommitter ${WHO}\n\n${random(1000)}\n`),
  );
  while (random(3) === 0) add("blob", randomContent(random));
  if (random(8) === 0)
    add("tag", Buffer.from(`object ${commit.oid}\ntype commit\ntag t\ntagger ${WHO}\n\nmessage\n`));
  for (let index = 1; index < pieces.length; index++) {
    const piece = pieces[index]!;
    const bases = pieces.slice(0, index).filter(({ kind }) => kind === piece.kind);
    if (bases.length > 0 && random(3)) makeDelta(piece, bases[random(bases.length)]!, random);
    if (random(8) === 0) piece.sizeLen = 1 + random(random(4) ? 9 : 14);
  }
  // Only ref-deltas may stand before their bases.
  for (let swaps = random(4); swaps > 0; swaps--) {
    const [from, to] = [random(pieces.length), random(pieces.length)];
    pieces.splice(to, 0, ...pieces.splice(from, 1));
  }
  for (const [index, piece] of pieces.entries())
    if (piece.stored === KIND.ofsDelta && pieces.indexOf(piece.base!) > index) piece.stored = KIND.refDelta;
  return { pieces, commit };
}

/** Gives a piece other content, and its entry with it. */
function replaceDelta(piece: Piece, instructions: Buffer, content: Buffer, random: Random): void {
  piece.content = content;
  piece.oid = gitOid(piece.kind, content);
  piece.size = instructions.length;
  piece.stream = compress(instructions, random);
}

/** Spoils one entry, or makes it odd. */
function spoil(pieces: Piece[], index: number, random: Random): void {
  const piece = pieces[index]!;
  const other = pieces[random(pieces.length)]!;
  switch (random(14)) {
    case 0:
      piece.stored = random(8);
      piece.base ??= other;
      break;
    case 1:
      piece.size = Math.max(0, piece.size + random(5) - 2);
      break;
    case 2:
      piece.stream = mutate(piece.stream, random, 2);
      break;
    case 3:
      piece.base = other;
      break;
    case 4:
      pieces.splice(index, 1);
      break;
    case 5:
      pieces.splice(random(pieces.length + 1), 0, { ...piece });
      break;
    case 6:
      piece.stream = Buffer.concat([piece.stream, Buffer.alloc(1 + random(3), random(256))]);
      break;
    case 7:
      piece.stream = piece.stream.subarray(0, random(piece.stream.length));
      break;
    case 8:
      piece.sizeLen = 8 + random(12);
      break;
    case 9:
    case 10:
      // Deltas of few bytes, which make nothing: whatever git says of them must be said.
      if (piece.base !== undefined) {
        const { length } = piece.base.content;
        const head = [...encodeSize(length, 1 + random(3)), ...encodeSize(0, 1 + random(3))];
        if (random(3) === 0) head[head.length - 1] = 0x80;
        replaceDelta(piece, Buffer.from(head), Buffer.alloc(0), random);
      }
      break;
    case 11:
      if (piece.base !== undefined) {
        const instructions = mutate(deltaOf(piece.base.content, piece.content, random), random, 1);
        piece.size = instructions.length;
        piece.stream = compress(instructions, random);
      }
      break;
    case 12:
      [piece.stream, other.stream] = [other.stream, piece.stream];
      break;
    default: {
      // An object of its own id that git may not like.
      const content = mutate(piece.content, random, 1);
      piece.content = content;
      piece.oid = gitOid(piece.kind, content);
      piece.stored = KIND[piece.kind];
      piece.size = content.length;
      piece.stream = compress(content, random);
    }
  }
}

function headerOf({ stored, size, sizeLen }: Piece): Buffer {
  const header = entryHeader(stored, size);
  if (header.length >= sizeLen) return header;
  const last = header.length - 1;
  header[last]! |= 0x80;
  const more = Buffer.alloc(sizeLen - header.length, 0x80);
  more[more.length - 1] = 0;
  return Buffer.concat([header, more]);
}

/** Puts the pieces into an image, whose index says what they should be. */
function assemble(pieces: readonly Piece[], commit: Piece, random: Random): Buffer {
  const image = new CraftedImage();
  const offsets = new Map<Piece, number>();
  const listed = new Set<string>();
  for (const [index, piece] of pieces.entries()) {
    const parts = [headerOf(piece)];
    const position = image.position;
    if (piece.stored === KIND.ofsDelta)
      parts.push(baseDistance(position - (offsets.get(piece.base!) ?? position - random(position))));
    else if (piece.stored === KIND.refDelta) parts.push(Buffer.from(piece.base!.oid, "hex"));
    offsets.set(piece, position);
    // An index cannot have an id twice.
    const oid = listed.has(piece.oid) ? gitOid("blob", Buffer.from(`again ${index}`)) : piece.oid;
    listed.add(oid);
    image.raw(oid, ...parts, piece.stream);
  }
  image.head({ oid: commit.oid, offset: 0 });
  const isFlipped = random(8) === 0;
  return Buffer.from(
    image.finish(
      isFlipped
        ? {
            editPack: (pack) => {
              const at = random(4) ? 12 + random(pack.length - 12) : 4 + random(8);
              pack[at]! ^= 1 << random(8);
            },
          }
        : {},
    ).bytes,
  );
}

/** What git says of a pack. */
interface Verdict {
  isTaken: boolean;
  said: string;
  idx: Buffer | undefined;
}

class Indexer {
  readonly #folder: string;
  readonly #pack: string;
  readonly #idx: string;
  readonly judge: Judge;

  constructor() {
    const place = mkdtempSync(join(tmpdir(), "docteur-fuzz-index-pack-"));
    process.once("exit", () => rmSync(place, { recursive: true, force: true }));
    this.#folder = join(place, "repository");
    mkdirSync(this.#folder);
    git(this.#folder, "init", "-q", "--bare");
    this.#pack = join(place, "a.pack");
    this.#idx = join(place, "a.idx");
    this.judge = new Judge(join(place, "judge"));
  }

  /** @param how with `--strict` git also judges what the objects say */
  index(pack: Uint8Array, ...how: "--strict"[]): Verdict {
    writeFileSync(this.#pack, pack);
    rmSync(this.#idx, { force: true });
    // Some packs make git abort ("BUG: zlib.c: total_in mismatch"): a pack that it does not index is not taken.
    const { status, stderr } = spawnSync("git", ["index-pack", ...how, "-o", this.#idx, this.#pack], {
      cwd: this.#folder,
      env: GIT_ENVIRONMENT,
      encoding: "utf8",
    });
    return { isTaken: status === 0, said: stderr, idx: status === 0 ? readFileSync(this.#idx) : undefined };
  }
}

function errorsOf({ findings }: Report): string[] {
  return findings.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

/** The id of the object that the image is of is in the index that git has made. */
function hasOid(idx: Buffer, oid: string): boolean {
  const count = idx.readUInt32BE(8 + 255 * 4);
  const wanted = Buffer.from(oid, "hex");
  for (let at = 1032; at < 1032 + count * 20; at += 20)
    if (idx.subarray(at, at + 20).equals(wanted)) return true;
  return false;
}

/** A case is one pack, seen by git and by `verify`. */
export const indexPack: Target = async () => {
  const indexer = new Indexer();
  return async ({ random, keep, count }) => {
    const { pieces, commit } = randomPieces(random);
    for (let left = random(3) ? random(3) : 0; left > 0 && pieces.length > 0; left--)
      spoil(pieces, random(pieces.length), random);
    if (pieces.length === 0) {
      count("nothing left");
      return;
    }
    const image = assemble(pieces, commit, random);
    keep(image);
    const idxStart = Number(image.readBigUInt64LE(20));
    const pack = packOf(image, idxStart);
    const { isTaken, said, idx } = indexer.index(pack, "--strict");
    if (isTaken) {
      const report = await verify(imageOfPack(commit.oid, pack, idx!));
      const errors = report.findings.filter(({ severity }) => severity === "error");
      if (!hasOid(idx!, commit.oid)) {
        assert.equal(report.status, "damaged");
        count("taken, without its commit");
        return;
      }
      if (
        errors.length > 0 &&
        errors.every(({ code, oid }) => code === "MissingObject" && oid === EMPTY_TREE)
      ) {
        count("documented: the empty tree that git has built in");
        return;
      }
      if (errors.some(({ code }) => code === "BadEntry") && !indexer.judge.canRead(pack, idx!)) {
        count("documented: a size of more than 9 bytes, which git cannot read again");
        return;
      }
      assert.equal(report.status, "sound", `git takes it, verify says ${JSON.stringify(report.findings)}`);
      count("taken by both");
      return;
    }
    const report = await verify(image, { maxFindings: 1000 });
    if (report.status === "damaged" && errorsOf(report).some((code) => code !== "BadIdx")) {
      count("refused by both");
      return;
    }
    const refusal = `git refuses it: ${said}; verify says ${JSON.stringify(report)}`;
    const loose = indexer.index(pack);
    assert.ok(loose.isTaken, refusal);
    if (!hasOid(loose.idx!, commit.oid)) {
      count("refused by git, without its commit");
      return;
    }
    const lenient = await verify(imageOfPack(commit.oid, pack, loose.idx!), { maxFindings: 1000 });
    assert.equal(lenient.status, "sound", refusal);
    const excuses = indexer.judge.excusesOf(pack, loose.idx!, commit.oid, lenient);
    assert.ok(excuses.size > 0, refusal);
    count(`documented: ${[...excuses].sort().join(" and ")}`);
  };
};

/** The PACK of an image, which ends with its checksum before the zeros that lead up to the IDX. */
function packOf(image: Buffer, idxStart: number): Buffer {
  const idxEnd = idxStart + 8 + 1024 + image.readUInt32BE(idxStart + 8 + 255 * 4) * 28;
  const trailer = image.subarray(idxEnd, idxEnd + 20);
  const end = image.subarray(0, idxStart).lastIndexOf(trailer);
  return image.subarray(28, end + 20);
}
