/** An image on standard output. */
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ioError } from "../../src/node/io-error.js";
import { removeAbandoned, temporaryPaths } from "../../src/node/temporary.js";
import { writeAllUnder } from "../../src/node/write-all.js";

const STDOUT = 1;

/**
 * Makes an image in a temporary file, and writes it to standard output when it is complete.
 * @param makeInto makes it in the file of this path
 * @returns what `makeInto` returned
 */
export async function makeToOutput<T>(
  makeInto: (image: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const parent = resolve(tmpdir());
  await removeAbandoned(parent);
  const { folder } = temporaryPaths(parent);
  await mkdir(folder, { mode: 0o700 }).catch((cause: unknown) => {
    throw ioError("write to", parent, cause, "TMPDIR names another folder for temporary files");
  });
  try {
    const image = join(folder, "image");
    const made = await makeInto(image);
    for await (const piece of createReadStream(image, { highWaterMark: 1 << 20 }))
      await writeAllUnder(signal, STDOUT, piece as Buffer, "standard output");
    return made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
