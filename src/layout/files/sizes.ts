/** The sizes of blobs, from the headers of entries and the first bytes of deltas: no content is inflated whole. */
import { constants, inflateSync } from "node:zlib";
import { DocteurError } from "../../errors.js";
import { entryHeader, HEADER_MAX, KIND, PACK_START, parseEntry } from "../../git/entry.js";
import type { ImageBytes } from "../../pack-table/image-bytes.js";
import type { PackTable } from "../../pack-table/pack-table.js";

/** Bytes of a stream that nearly always give the first bytes of its content. */
const HEAD_LEN = 512;
/** Bytes of a stream within which its first bytes must come: a dynamic block's codes take some 300. */
const HEAD_MAX = 64 << 10;

/** The second number of a delta: its result's size (gitformat-pack). Undefined if the bytes end before it does. */
function resultSize(delta: Uint8Array): number | undefined {
  let size = 0;
  for (let at = 0, numbers = 0, scale = 1; at < delta.length; at++) {
    size += (delta[at]! & 0x7f) * scale;
    scale *= 128;
    if (delta[at]! >= 0x80) continue;
    if (++numbers === 2) return size;
    size = 0;
    scale = 1;
  }
  return undefined;
}

/** The first bytes of the content of a stream that may be cut off. */
function inflateHead(stream: Uint8Array): Uint8Array {
  return inflateSync(stream, { finishFlush: constants.Z_SYNC_FLUSH });
}

/**
 * Bytes of the content of each row's blob.
 * @throws DocteurError `BadDelta` and others for damaged entries
 */
export async function blobSizes(bytes: ImageBytes, table: PackTable): Promise<Float64Array> {
  const sizes = new Float64Array(table.count);
  const types = table.types();
  const header = entryHeader();
  for (let row = 0; row < table.count; row++) {
    if (types[row] !== KIND.blob) continue;
    const offset = table.offsets[row]!;
    const length = table.size(row);
    const read = (most: number): Promise<Uint8Array> => bytes.at(PACK_START + offset, Math.min(length, most));
    parseEntry(header, await read(HEADER_MAX + HEAD_LEN), 0, offset, table.end);
    sizes[row] = header.size;
    if (header.kind < KIND.ofsDelta) continue;
    let size: number | undefined;
    for (const most of [HEADER_MAX + HEAD_LEN, HEAD_MAX]) {
      const entry = await read(most);
      try {
        size ??= resultSize(inflateHead(entry.subarray(header.length)));
      } catch (cause) {
        throw damaged(offset, cause);
      }
    }
    if (size === undefined) throw damaged(offset);
    sizes[row] = size;
  }
  return sizes;
}

function damaged(offset: number, cause?: unknown): DocteurError {
  const at = PACK_START + offset;
  return new DocteurError("BadDelta", `a delta is damaged (at offset ${at})`, { offset: at, cause });
}
