/**
 * Compressions of archives, found by their first bytes. Node inflates gzip's; the system's programs inflate the others.
 */
import { spawn } from "node:child_process";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DocteurError } from "../../errors.js";
import { systemCode } from "../../node/io-error.js";

/** A compression. */
export interface Compression {
  name: string;
  magic: Buffer;
  /** The program that inflates it, and its arguments; none for gzip. */
  command?: readonly [string, ...string[]];
  /** The package of that program in Debian. */
  debian?: string;
}

/** The most memory for xz's dictionary: an archive of the highest level needs 65 MiB. */
const XZ_MEMORY = "512MiB";

const COMPRESSIONS: readonly Compression[] = [
  { name: "gzip", magic: Buffer.from("1f8b", "hex") },
  {
    name: "xz",
    magic: Buffer.from("fd377a585a00", "hex"),
    command: ["xz", "--decompress", "--stdout", "--quiet", `--memlimit-decompress=${XZ_MEMORY}`],
    debian: "xz-utils",
  },
  {
    name: "zstd",
    magic: Buffer.from("28b52ffd", "hex"),
    command: ["zstd", "--decompress", "--stdout", "--quiet", "--no-progress"],
    debian: "zstd",
  },
  {
    name: "bzip2",
    magic: Buffer.from("BZh"),
    command: ["bzip2", "--decompress", "--stdout", "--quiet"],
    debian: "bzip2",
  },
];

/** The number of first bytes that tell the compression, and the format, of an archive. */
export const HEAD_LEN = 6;

/** @param head the first `HEAD_LEN` bytes, or fewer @returns undefined for an archive that is not compressed so */
export function compressionOf(head: Uint8Array): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.equals(head.subarray(0, magic.length)));
}

/** Others, which are not inflated here, and the programs for them. */
const OTHERS: readonly [name: string, magic: Buffer, program: string][] = [
  ["lzip", Buffer.from("LZIP"), "lzip -dc"],
  ["compress", Buffer.from("1f9d", "hex"), "uncompress -c"],
];

/** The error for bytes that are not a tar archive. @param name the archive's, for people @param head its first bytes */
export function notAnArchive(name: string, head: Buffer): DocteurError {
  for (const [what, magic, program] of OTHERS)
    if (head.subarray(0, magic.length).equals(magic))
      return new DocteurError("BadSource", `${name} is compressed by ${what}, which is not inflated here`, {
        path: name,
        hint: `${program} ARCHIVE | docteur make - IMAGE`,
      });
  const twice = compressionOf(head);
  if (twice !== undefined)
    return new DocteurError(
      "BadSource",
      `${name} is compressed by ${twice.name} inside another compression`,
      {
        path: name,
        hint: "inflate it once, and give the result",
      },
    );
  return new DocteurError("BadSource", `${name} is not an archive: neither tar nor zip`, {
    path: name,
    hint: "the source is a git repository, a directory, a tar archive, plain or compressed by gzip, xz, zstd or bzip2, or a zip archive",
  });
}

/** How much of a program's messages is kept. */
const MESSAGES_MAX = 1 << 12;

function damaged(name: string, reason: string, cause?: unknown): DocteurError {
  return new DocteurError("BadSource", `${name}: its compression is damaged: ${reason}`, {
    path: name,
    cause,
  });
}

/** The error for a program that could not be started. */
function notStarted(
  name: string,
  { name: compression, command, debian }: Compression,
  cause: unknown,
): DocteurError {
  const [program] = command!;
  if (systemCode(cause) !== "ENOENT")
    return new DocteurError("Io", `cannot run ${program}: ${(cause as Error).message}`, {
      path: name,
      cause,
    });
  return new DocteurError(
    "Io",
    `${name} is compressed by ${compression}: ${program}, which inflates it, is missing`,
    {
      path: name,
      hint: `install ${program} (on Debian: apt install ${debian}), or give the archive without its compression`,
      cause,
    },
  );
}

/** Inflates by a program of the system. */
async function inflateByProgram(
  name: string,
  compression: Compression,
  input: AsyncIterable<Buffer>,
  output: Writable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [program, ...args] = compression.command!;
  // The variables of xz and zstd hold options of the user's own.
  const { XZ_DEFAULTS: _, XZ_OPT: __, BZIP: ___, BZIP2: ____, ...env } = process.env;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...env, LC_ALL: "C" } });
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  let messages = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    messages = (messages + text).slice(0, MESSAGES_MAX);
  });
  try {
    const ended = new Promise<{ status: number | null; killer: string | null }>((resolve, reject) => {
      child.once("error", (cause) => reject(notStarted(name, compression, cause)));
      child.once("close", (status, killer) => resolve({ status, killer }));
    });
    // A program that ends early does not read the rest: its status tells more than the broken pipe.
    const fed = pipeline(Readable.from(input), child.stdin).catch((cause: unknown) => {
      if (!["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET"].includes(systemCode(cause) ?? "")) {
        kill();
        throw cause;
      }
    });
    const written = pipeline(child.stdout, output).catch((cause: unknown) => {
      kill();
      throw cause;
    });
    // All of them settle before this function does: the output's file is closed then.
    const [end, feed, write] = await Promise.allSettled([ended, fed, written]);
    signal?.throwIfAborted();
    if (end.status === "rejected") throw end.reason;
    if (feed.status === "rejected") throw feed.reason;
    if (write.status === "rejected") throw write.reason;
    const { status, killer } = end.value;
    if (killer !== null)
      throw new DocteurError("Io", `${program}, which inflates ${name}, was ended by ${killer}`, {
        path: name,
      });
    if (status !== 0)
      throw damaged(name, messages.trim().replaceAll("\n", "; ") || `${program} ended with ${status}`);
  } finally {
    signal?.removeEventListener("abort", kill);
    if (child.exitCode === null && child.signalCode === null) kill();
  }
}

/**
 * Inflates a stream.
 * @param name the archive's, for people
 * @param input all bytes of the archive
 * @param output ended in the end
 * @throws DocteurError `BadSource` if the compressed bytes are damaged or cut off, `Io` if there is no program;
 *   errors of input and output; the signal's reason
 */
export async function inflateTo(
  name: string,
  compression: Compression,
  input: AsyncIterable<Buffer>,
  output: Writable,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (compression.command !== undefined) return inflateByProgram(name, compression, input, output, signal);
  try {
    await pipeline(Readable.from(input), createGunzip(), output);
  } catch (cause) {
    if (systemCode(cause)?.startsWith("Z_")) throw damaged(name, (cause as Error).message, cause);
    throw cause;
  }
}
