/** Copies the sources of the guest kit: those that its entry imports, directly or through others. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const IMPORT = /^(?:import|export|\} from)[^;]*?"(\.{1,2}\/[^"]+)"/gm;

/**
 * @param entry the first source
 * @param folder gets the copies, at the same paths; its former sources are removed
 * @param sources modules that have another source than the file of that name
 */
export function copyKit(entry: string, folder: string, sources: Readonly<Record<string, string>>): void {
  for (const top of ["asm", "guest"]) rmSync(join(folder, top), { recursive: true, force: true });
  const copied = new Set([entry]);
  for (const path of copied) {
    const source = sources[path] ?? readFileSync(path, "utf8");
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, source);
    for (const [, specifier] of source.matchAll(IMPORT)) copied.add(`${join(dirname(path), specifier!)}.ts`);
  }
}
