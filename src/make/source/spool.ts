/**
 * Archives without random access: a compressed one, or one from a pipe, is first written to a file. A small
 * archive may inflate to any size: that takes room on the disk, not in memory.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ioError } from "../../node/io-error.js";
import { compressionOf, HEAD_LEN, inflateTo } from "./compression.js";

/** The first bytes of a stream, if it has so many, and the whole stream. */
async function peek(input: Readable): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD_LEN) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const all = async function* (): AsyncGenerator<Buffer, void, undefined> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  };
  return { head, all: all() };
}

/**
 * Writes an archive to a file, without its compression.
 * @param path the archive; "-" is standard input
 * @param name the archive's, for people
 * @param target a new file
 * @returns whether the archive was compressed, which proves its end
 * @throws DocteurError `BadSource`, `Io`; system errors about the target; the signal's reason
 */
export async function spoolArchive(
  path: string,
  name: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const input = path === "-" ? process.stdin : createReadStream(path);
  const onAbort = (): void => void input.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { head, all } = await peek(input);
    const output = createWriteStream(target, { flags: "wx", mode: 0o600 });
    const compression = compressionOf(head);
    if (compression === undefined) await pipeline(Readable.from(all), output);
    else await inflateTo(name, compression, all, output, signal);
    return compression !== undefined;
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as { syscall?: unknown }).syscall === "read") throw ioError("read", name, cause);
    throw cause;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    input.destroy();
  }
}
