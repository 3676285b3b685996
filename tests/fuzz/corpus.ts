/** The saved inputs of the fuzz targets: `tests/fuzz/corpus/TARGET/NAME`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SavedInput } from "./target.js";

const CORPUS = fileURLToPath(new URL("../../../tests/fuzz/corpus", import.meta.url));

/** All saved inputs of a target, by name; none where it has no folder. */
export function savedInputs(target: string): SavedInput[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: Uint8Array.from(readFileSync(join(folder, name))) }));
}
