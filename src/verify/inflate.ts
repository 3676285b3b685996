/** Inflates entries of the PACK in the verifier's memory. */
import { STATUS } from "../errors.js";
import { PACK_START } from "../git/entry.js";
import type { ImageReader } from "./reader.js";

/** The inflater asks for more. */
const NEED_INPUT = -1;

/** Feeds bytes of the image to a stream that has begun. @returns its status; `Truncated` if they are too few */
async function feed(
  reader: ImageReader,
  start: number,
  end: number,
  run: (ptr: number, length: number) => number,
): Promise<number> {
  let at = start;
  while (at < end) {
    const length = Math.min(end - at, at === start ? reader.pieceLen : reader.restOfChunk(at));
    const ptr = reader.at(at, length) || (await reader.fetch(at, length));
    const status = run(ptr, length);
    if (status !== NEED_INPUT) return status;
    at += length;
  }
  return STATUS.Truncated;
}

/**
 * Inflates a zlib stream that must end where it should.
 * @param data its start, and `end` its end, from the PACK's start
 * @param out room for `size` bytes and the slack
 */
export async function inflateTo(
  reader: ImageReader,
  data: number,
  end: number,
  out: number,
  size: number,
): Promise<number> {
  const { wasm } = reader.engine;
  wasm.inflateBegin(out, size);
  const length = end - data;
  let status: number;
  if (length <= reader.pieceLen && length > 0) {
    const ptr = reader.at(PACK_START + data, length) || (await reader.fetch(PACK_START + data, length));
    status = wasm.inflateRun(ptr, length);
  } else status = await feed(reader, PACK_START + data, PACK_START + end, wasm.inflateRun);
  if (status === NEED_INPUT) return STATUS.Truncated;
  if (status === STATUS.Ok && wasm.inflateTaken() !== length) return STATUS.BadEntry;
  return status;
}

/**
 * Inflates a zlib stream and drops its content.
 * @param limit the latest place of its end, from the PACK's start
 * @param kind of the object whose id is wanted, or 0
 * @returns its status; `wasm.inflateTaken()` is then its length
 */
export async function inflateAway(
  reader: ImageReader,
  data: number,
  limit: number,
  size: number,
  kind: number,
): Promise<number> {
  const { wasm } = reader.engine;
  wasm.streamBegin(size, kind);
  return feed(reader, PACK_START + data, PACK_START + limit, wasm.streamRun);
}
