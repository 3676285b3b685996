/** Inflates the content of a zip archive's member, and proves its length and its CRC-32. */
import { createReadStream } from "node:fs";
import { createInflateRaw, inflateRawSync } from "node:zlib";
import type { Entry } from "yauzl";
import { crc32 } from "../../git/crc32.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { bytesOf } from "../base/file-contents.js";
import type { Archive } from "./archive.js";
import { type Extent, METHOD } from "./zip-header.js";

/** Members up to this length, stored and inflated, are read at once: for small ones that takes a fraction of the time. */
const AT_ONCE_LEN = 1 << 20;

/** The content is not what the headers say. */
export class BadContent extends Error {}

function checkEnd(entry: Entry, length: number, crc: number, consumed: number): void {
  if (length !== entry.uncompressedSize)
    throw new BadContent(`its content has ${length} bytes, and should have ${entry.uncompressedSize}`);
  if (consumed !== entry.compressedSize) throw new BadContent("its compressed content ends too early");
  if (crc !== entry.crc32) throw new BadContent("its content does not match its checksum");
}

function inflateAtOnce(archive: Archive, entry: Entry, { contentStart }: Extent): Uint8Array {
  const stored = archive.read(contentStart, entry.compressedSize);
  if (entry.compressionMethod === METHOD.stored) {
    checkEnd(entry, stored.length, crc32(stored), stored.length);
    return stored;
  }
  const options = { maxOutputLength: entry.uncompressedSize + 1, info: true };
  // With `info`, the result also tells how much was consumed; Node's types do not know that.
  const { buffer, engine } = inflateRawSync(stored, options) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  checkEnd(entry, buffer.length, crc32(buffer), engine.bytesWritten);
  return buffer;
}

async function inflateInPieces(
  archive: Archive,
  entry: Entry,
  { contentStart, end }: Extent,
  take: (bytes: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  // A stream of no bytes cannot be made.
  if (entry.compressedSize === 0) return checkEnd(entry, 0, 0, 0);
  const input = createReadStream(bytesOf(archive.path), { start: contentStart, end: end - 1 });
  const inflate = entry.compressionMethod === METHOD.stored ? undefined : createInflateRaw();
  let length = 0;
  let crc = 0;
  try {
    input.on("error", (error) => inflate?.destroy(error));
    for await (const piece of (inflate === undefined
      ? input
      : input.pipe(inflate)) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      length += piece.length;
      if (length > entry.uncompressedSize) break;
      crc = crc32(piece, crc);
      take(piece);
    }
  } finally {
    input.destroy();
    inflate?.destroy();
  }
  checkEnd(entry, length, crc, inflate === undefined ? length : inflate.bytesWritten);
}

/**
 * Passes the content of a member to `take`, in pieces that are valid until it returns.
 * @throws BadContent; DocteurError `Io`; system errors; the signal's reason
 */
export async function readContent(
  archive: Archive,
  entry: Entry,
  extent: Extent,
  take: (bytes: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    if (Math.max(entry.compressedSize, entry.uncompressedSize) <= AT_ONCE_LEN)
      take(inflateAtOnce(archive, entry, extent));
    else await inflateInPieces(archive, entry, extent, take, signal);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ERR_BUFFER_TOO_LARGE")
      throw new BadContent(`its content has more than ${entry.uncompressedSize} bytes`);
    if (["open", "read"].includes((cause as { syscall?: string }).syscall ?? ""))
      throw ioError("read", archive.name, cause);
    if (code?.startsWith("Z_")) throw new BadContent(`its content is damaged: ${(cause as Error).message}`);
    throw cause;
  }
}
