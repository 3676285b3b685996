/**
 * Reads every file of an image over and over through a persistent cache, as a program of its own: `cached-reader.js URL
 * FOLDER BYTES ROUNDS`. It prints the digest of all that it read after each round.
 */
import { createHash } from "node:crypto";
import { open } from "../../src/index.js";

const [url, folder, bytes, rounds] = process.argv.slice(2) as [string, string, string, string];
for (let round = 0; round < Number(rounds); round++) {
  const volume = await open(url, { cache: { name: folder, size: Number(bytes) }, pageSize: 4096 });
  const hash = createHash("sha256");
  for await (const { kind, path } of volume.walk("/"))
    if (kind === "file") hash.update(path).update(await volume.get(path));
  await volume.close();
  console.log(hash.digest("hex"));
}
