/** Writes the man pages into `dist/man`, by the commands that were just built. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Writes all pages; those of commands that are gone go. */
export async function buildManPages(): Promise<void> {
  const { href } = pathToFileURL("dist/tools/man/pages.js");
  const { manPages } = (await import(href)) as typeof import("../man/pages.js");
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  rmSync("dist/man", { recursive: true, force: true });
  mkdirSync("dist/man", { recursive: true });
  for (const [name, page] of await manPages(version)) writeFileSync(join("dist/man", name), page);
}
