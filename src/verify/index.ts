/** Verifies images: everything that the PACK says of itself, and the IDX against it. */
import { createHash } from "node:crypto";
import { type Core, INFO } from "../core.js";
import type { BlockDevice } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { buildIdx, type IdxEntries } from "../make/pack/idx.js";
import { mount, type Source, toDevice } from "../mount.js";
import { Volume } from "../volume.js";
import { type CommitText, parseCommit } from "./commit.js";
import { compareIdx, readBytes } from "./idx.js";
import { checkTrees, type ObjectTable } from "./trees.js";

/** A sound image. */
export interface Verified extends CommitText {
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string;
  tree: string;
  /** Objects in the PACK. */
  objectCount: number;
  /** Bytes of the PACK, trailer included. */
  packBytes: number;
  /** Bytes of the image. */
  imageBytes: number;
}

/** Options of `verify`. */
export interface VerifyOptions {
  /** Cap of the core's memory in bytes. */
  memoryLimit?: number;
  /** Bytes of a block, where the source is no device. */
  blockSize?: number;
}

const MEMORY_LIMIT = 1 << 30;
const BLOCK_SIZE = 512;
const PACK_START = 28;
/** Bytes of a record in the core (`asm/git/table.ts`): id, CRC-32 at 20, offset at 24, kind at 32. */
const RECORD = 40;

/** The rebuilt index, out of the core's memory. */
function readRecords(core: Core): ObjectTable {
  const { bytes, view } = core;
  const info = core.exports.info();
  const count = view.getUint32(info + INFO.count, true);
  const records = view.getUint32(info + INFO.records, true);
  const oids = new Uint8Array(count * 20);
  const crcs = new Uint32Array(count);
  const offsets = new Float64Array(count);
  const kinds = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const at = records + index * RECORD;
    oids.set(bytes.subarray(at, at + 20), index * 20);
    crcs[index] = view.getUint32(at + 20, true);
    offsets[index] = Number(view.getBigUint64(at + 24, true));
    kinds[index] = view.getUint8(at + 32);
  }
  return { count, oids, crcs, offsets, kinds };
}

/** Nothing but zeros may stand between the PACK and the IDX. */
async function checkPadding(device: BlockDevice, start: number, end: number): Promise<void> {
  const window = 1 << 20;
  for (let at = start; at < end; at += window) {
    const bytes = await readBytes(device, at, Math.min(window, end - at));
    const found = bytes.findIndex((byte) => byte !== 0);
    if (found < 0) continue;
    const offset = at + found;
    throw new DocteurError(
      "BadPack",
      `something stands between the PACK and the index (at offset ${offset})`,
      { offset },
    );
  }
}

function buildExpected(entries: IdxEntries, trailer: Uint8Array): Uint8Array {
  try {
    return buildIdx(entries, trailer, createHash("sha1"));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DocteurError("BadPack", "the PACK holds an object twice", { cause });
  }
}

async function verifyDevice(device: BlockDevice, options: VerifyOptions): Promise<Verified> {
  // The core proves header, PACK, its trailer, every object, its commit and the root tree, and rebuilds the
  // index.
  const core = await mount(device, "analyze", options.memoryLimit ?? MEMORY_LIMIT);
  const info = core.exports.info();
  const field = (offset: number): number => Number(core.view.getBigUint64(info + offset, true));
  const packEnd = PACK_START + field(INFO.packLen);
  const idx = field(INFO.idx);
  const entries = readRecords(core);
  await checkPadding(device, packEnd, idx);
  const trailer = await readBytes(device, packEnd - 20, 20);
  await compareIdx(device, idx, buildExpected(entries, trailer), entries.count);
  const volume = new Volume(core, device);
  await checkTrees(volume, entries);
  const { data } = await volume.object(volume.commit.oid);
  return {
    commit: volume.commit.oid,
    tree: volume.commit.tree,
    objectCount: entries.count,
    packBytes: packEnd - PACK_START,
    imageBytes: device.capacity,
    ...parseCommit(data),
  };
}

/**
 * Verifies an image: header, PACK and its checksum, every object inflated and its id and CRC-32 recomputed,
 * the IDX against what they give, byte for byte, the commit, its trees, and that every object which they name
 * is there.
 * @param source a path or a `file:` URL (Node), the image's bytes, or a block device, which is closed in the
 *   end
 * @returns what the image holds
 * @throws DocteurError the first thing that is wrong, with its offset where that is known
 */
export async function verify(source: Source, options: VerifyOptions = {}): Promise<Verified> {
  const device = await toDevice(source, options.blockSize ?? BLOCK_SIZE);
  try {
    return await verifyDevice(device, options);
  } finally {
    await device.close?.();
  }
}
