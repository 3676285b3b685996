/**
 * Archives without random access: a compressed one, or one from a pipe, is first written to a file. A small
 * archive may inflate to any size: that takes room on the disk, not in memory.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../node/io-error.js";

/** The first bytes of compressed files, and the program that decompresses them. */
const OTHERS: [string, Buffer, string][] = [
  ["bzip2", Buffer.from("BZh"), "bzip2 -dc"],
  ["xz", Buffer.from("fd377a585a00", "hex"), "xz -dc"],
  ["zstd", Buffer.from("28b52ffd", "hex"), "zstd -dc"],
  ["lzip", Buffer.from("LZIP"), "lzip -dc"],
  ["compress", Buffer.from("1f9d", "hex"), "uncompress -c"],
];

/** Whether a file with these first bytes is gzip's (RFC 1952, section 2.3.1). */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Refuses archives in an unsupported compression.
 * @param name the archive's, for people
 * @throws DocteurError `BadSource`
 */
export function refuseOtherCompressions(name: string, head: Buffer): void {
  for (const [what, magic, program] of OTHERS)
    if (head.subarray(0, magic.length).equals(magic))
      throw new DocteurError("BadSource", `${name} is compressed by ${what}: archives are plain, or gzip's`, {
        path: name,
        hint: `${program} ARCHIVE | docteur make - IMAGE`,
      });
}

/** At least the first two bytes of a stream, if it has so many, and the whole stream. */
async function peek(input: Readable): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
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
 * Writes an archive to a file. It inflates gzip's format, of one or more members.
 * @param path the archive; "-" is standard input
 * @param name the archive's, for people
 * @param target a new file
 * @returns whether the archive was in gzip's format, which proves its end
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
    if (isGzip(head)) await pipeline(Readable.from(all), createGunzip(), output);
    else await pipeline(Readable.from(all), output);
    return isGzip(head);
  } catch (cause) {
    signal?.throwIfAborted();
    if (systemCode(cause)?.startsWith("Z_"))
      throw new DocteurError(
        "BadSource",
        `${name}: its compression is damaged: ${(cause as Error).message}`,
        {
          path: name,
          cause,
        },
      );
    if ((cause as { syscall?: unknown }).syscall === "read") throw ioError("read", name, cause);
    throw cause;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    input.destroy();
  }
}
