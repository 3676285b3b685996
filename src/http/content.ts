/** Bodies of answers: a file, a part of it, or several parts. No more than a piece of a file is held in memory. */
import type { Body } from "./answer.js";
import { HOT_FILE_MAX, type HotFiles } from "./hot-files.js";
import type { Found, ServedVolume } from "./locate.js";
import { type ByteRange, contentRange } from "./ranges.js";

/** Bytes up to which content is read before the answer begins, so that an error has a status of its own. */
const PIECE = 256 << 10;

/** A source of chunks, which is asked for one at a time. */
export type Chunks = AsyncIterator<Uint8Array, unknown, undefined>;

/** A stream that asks for a chunk only if one is wanted, and ends the source if nobody wants more. */
export function streamOf(chunks: Chunks): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The chunks of a part of a file. */
async function* chunksOf(
  volume: ServedVolume,
  { path }: Found,
  { first, last }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = volume.stream(path, { offset: first, length: last - first + 1, follow: true, signal });
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // Without effect if the stream has ended.
    await reader.cancel().catch(() => undefined);
  }
}

/** Reads the first chunk, so that most errors come before the answer begins. */
export async function begun(chunks: AsyncGenerator<Uint8Array, void, undefined>): Promise<Chunks> {
  let first: IteratorResult<Uint8Array, void> | undefined = await chunks.next();
  return {
    next: async () => {
      const result = first ?? (await chunks.next());
      first = undefined;
      return result;
    },
    return: () => chunks.return(),
  };
}

/** The body that is a part of a file. @param hot remembers small files that are read whole */
export async function partOf(
  volume: ServedVolume,
  found: Found,
  range: ByteRange,
  signal: AbortSignal | undefined,
  hot?: HotFiles,
): Promise<Body> {
  const length = range.last - range.first + 1;
  if (length > PIECE) return begun(chunksOf(volume, found, range, signal));
  const options = { follow: true, maxSize: PIECE, signal };
  const bytes = new Uint8Array(await volume.getPartial(found.path, range.first, length, options));
  const isWhole = length === found.entry.size && length === bytes.length;
  if (isWhole && length <= HOT_FILE_MAX) hot?.keepContent(found.entry.oid, bytes);
  return bytes;
}

/** Several parts in one body. */
export interface Multipart {
  /** The field `Content-Type`. */
  type: string;
  /** Bytes. */
  length: number;
  body: Chunks;
}

function boundary(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The body `multipart/byteranges` of parts of a file (RFC 9110, section 14.6). */
export async function partsOf(
  volume: ServedVolume,
  found: Found,
  ranges: readonly ByteRange[],
  { type, signal }: { type: string; signal: AbortSignal | undefined },
): Promise<Multipart> {
  const encoder = new TextEncoder();
  const size = found.entry.size!;
  const mark = boundary();
  const heads = ranges.map((range, index) => {
    const start = index === 0 ? "" : "\r\n";
    const fields = `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}`;
    return encoder.encode(`${start}--${mark}\r\n${fields}\r\n\r\n`);
  });
  const end = encoder.encode(`\r\n--${mark}--\r\n`);
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for (const [index, range] of ranges.entries()) {
      // After the first content has been read, so that an error of it comes before the answer begins.
      let head: Uint8Array | undefined = heads[index]!;
      for await (const chunk of chunksOf(volume, found, range, signal)) {
        if (head !== undefined) yield head;
        head = undefined;
        yield chunk;
      }
    }
    yield end;
  };
  const content = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return {
    type: `multipart/byteranges; boundary=${mark}`,
    length: heads.reduce((sum, head) => sum + head.length, content + end.length),
    body: await begun(chunks()),
  };
}

/** Characters of a text that are collected before they are sent. */
const CHUNK = 32 << 10;

/** A text that comes in pieces, as UTF-8 in larger ones. */
export async function* encodedText(
  pieces: AsyncIterable<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(text);
}
