/**
 * The image around a pack and its index:
 *
 * ```
 *       0  the commit's id, 20 bytes
 *      20  u64, little-endian: offset of the IDX
 *      28  PACK, then zeros up to a block boundary
 *          IDX, then zeros up to a block boundary
 *          the layout section, unless it is left out
 * ```
 */
import type { Sink } from "../sink.js";

/** Bytes before the PACK. */
export const HEADER_LEN = 28;

/**
 * The number of zero bytes after `top` bytes: a whole block if `top` is already aligned, as in docteur 0.0.7.
 */
export function paddingLen(top: number, blockSize: number): number {
  return blockSize - (top % blockSize);
}

/** Encodes the image's header. */
export function encodeHeader(commit: Uint8Array, idxOffset: number): Uint8Array {
  const header = new Uint8Array(HEADER_LEN);
  header.set(commit);
  new DataView(header.buffer).setBigUint64(20, BigInt(idxOffset), true);
  return header;
}

/** The sizes of an image, in bytes. */
export interface ImageSizes {
  packBytes: number;
  idxBytes: number;
  /** The layout section; 0 if there is none. */
  layoutBytes: number;
  /** The whole image, padding included. */
  imageBytes: number;
}

/** An image that lacks only its layout section. */
export interface BareImage {
  idx: Uint8Array;
  packSize: number;
  idxStart: number;
  /** Bytes of all of it. */
  bareSize: number;
}

/**
 * Writes an image into an empty file. Its header comes last: until then the image has no index.
 * @param writePack appends the PACK to the sink and returns its IDX
 * @param writeLayout appends the layout section to the sink
 */
export async function writeImage(
  sink: Sink,
  blockSize: number,
  commit: Uint8Array,
  writePack: (sink: Sink) => Promise<Uint8Array>,
  writeLayout?: (image: BareImage) => Promise<unknown>,
): Promise<ImageSizes> {
  await sink.appendZeros(HEADER_LEN);
  const idx = await writePack(sink);
  const packBytes = sink.position - HEADER_LEN;
  await sink.appendZeros(paddingLen(sink.position, blockSize));
  const idxOffset = sink.position;
  await sink.append(idx);
  await sink.appendZeros(paddingLen(sink.position, blockSize));
  await sink.patch(encodeHeader(commit, idxOffset), 0);
  const bareSize = sink.position;
  await writeLayout?.({ idx, packSize: packBytes, idxStart: idxOffset, bareSize });
  const imageBytes = sink.position;
  return { packBytes, idxBytes: idx.length, layoutBytes: imageBytes - bareSize, imageBytes };
}
