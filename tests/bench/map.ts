/**
 * The tree's peer: a JavaScript `Map` from path to number. Run by itself, in a process with `--expose-gc`, it prints the
 * bytes of heap that one takes:
 *
 *     node --expose-gc dist/tests/bench/map.js COUNT
 */
import { pathToFileURL } from "node:url";
import { repositoryPaths } from "../support/paths.js";
import { seeded } from "../support/random.js";

/** The paths of every run, sorted as a walk of trees meets them. */
export function benchmarkPaths(count: number): string[] {
  return repositoryPaths(count, seeded(1)).sort();
}

/** A string in memory of its own, where `text` may be a part of another or a sum of several. */
export function freshString(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

function heapUsed(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc!();
  return process.memoryUsage().heapUsed;
}

function measureHeap(count: number): number {
  const lines = Buffer.from(benchmarkPaths(count).join("\n"));
  const before = heapUsed();
  const map = new Map(
    lines
      .toString("utf8")
      .split("\n")
      .map((path, index) => [freshString(path), index]),
  );
  const bytes = heapUsed() - before;
  if (map.size !== count) throw new Error("lost a path");
  return bytes;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(`${measureHeap(Number(process.argv[2]))}\n`);
