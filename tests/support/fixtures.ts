/** The images of `disk-fixtures/`, and what docteur 0.0.7 read out of them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Images that docteur 0.0.7 made. */
export const FIXTURES = ["tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes", "refdelta"] as const;

/** The path of a file of `disk-fixtures/`. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../../disk-fixtures/${name}`, import.meta.url));
}

/** Its bytes, in memory of their own. */
export function fixture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(fixturePath(name)));
}

/** Its lines. */
export function fixtureLines(name: string): string[] {
  return readFileSync(fixturePath(name), "utf8").trimEnd().split("\n");
}

/** Blob ids by path, of every file that docteur's reader returned. */
export function fixtureBlobs(name: string): Map<string, string> {
  return new Map(fixtureLines(`${name}.blobs.txt`).map((line) => [line.slice(42), line.slice(0, 40)]));
}

/** The id that git gives an object. */
export function gitOid(kind: "blob" | "tree" | "commit" | "tag", data: Uint8Array): string {
  return createHash("sha1").update(`${kind} ${data.length}\0`).update(data).digest("hex");
}
