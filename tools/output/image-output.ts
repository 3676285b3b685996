/** An image on standard output. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { withTemporaryFolder } from "../../src/node/temporary-folder.js";
import { writeAllUnder } from "../../src/node/write-all.js";

const STDOUT = 1;

/**
 * Makes an image in a temporary file, and writes it to standard output when it is complete.
 * @param makeInto makes it in the file of this path
 * @returns the result of `makeInto`
 */
export async function makeToOutput<T>(
  makeInto: (image: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const image = join(folder, "image");
    const made = await makeInto(image);
    for await (const piece of createReadStream(image, { highWaterMark: 1 << 20 }))
      await writeAllUnder(signal, STDOUT, piece as Buffer, "standard output");
    return made;
  });
}
