/** Random directories that try git's order of names, its modes, and everything a name may hold. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type Random, seeded } from "./random.js";

/** Names around "a/", which is where the directory "a" sorts; names in other scripts; names that are no UTF-8. */
const NAMES = [
  "a",
  "a-b",
  "a.txt",
  "a0",
  "a b",
  "ab",
  "A",
  "b",
  "b!",
  "B.c",
  "z~",
  "é",
  "日本語",
  "😀",
  ".hidden",
  "-dash",
  " lead",
  "new\nline",
  "tab\t",
  'quote"',
  "back\\slash",
  "\u0001\u0002",
].map((name) => Buffer.from(name));

const RAW_NAMES = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0xe9, 0x2d]), Buffer.from([0x80])];

interface Planned {
  path: Buffer;
  kind: "folder" | "file" | "executable" | "link";
  content: Buffer;
}

function plan(random: Random, folder: Buffer, depth: number, into: Planned[]): void {
  const names = [...NAMES, ...RAW_NAMES].filter(() => random(3) === 0);
  // Git knows no empty directories: each of ours holds a file.
  if (names.length === 0) names.push(NAMES[0]!);
  names.forEach((name, index) => {
    const path = Buffer.concat([folder, Buffer.from("/"), name]);
    const kind =
      index === 0 ? "file" : (["folder", "file", "file", "executable", "link"] as const)[random(5)]!;
    if (kind === "folder" && depth > 0) {
      into.push({ path, kind, content: Buffer.alloc(0) });
      plan(random, path, depth - 1, into);
      return;
    }
    const length = [0, 1, 15, 16, 300, 2048, 70_000][random(7)]!;
    // Some content is met twice, some is incompressible.
    const content =
      random(2) === 0
        ? Buffer.alloc(length, "line of text\n")
        : Buffer.from(Array.from({ length: Math.min(length, 2048) }, () => random(256)));
    if (kind === "link") into.push({ path, kind, content: Buffer.from("../a/nowhere\xff", "latin1") });
    else into.push({ path, kind: kind === "folder" ? "file" : kind, content });
  });
}

/**
 * Creates a random tree in an empty folder.
 * @param seed decides the tree
 * @param order decides the order in which its entries are created
 */
export function createRandomTree(folder: string, seed: number, order: number): void {
  const planned: Planned[] = [];
  plan(seeded(seed), Buffer.from(folder), 3, planned);
  const random = seeded(order);
  const shuffled = planned.map((entry) => ({ entry, rank: random(1 << 30) })).sort((a, b) => a.rank - b.rank);
  for (const { entry } of shuffled) {
    const { path, kind, content } = entry;
    mkdirSync(path.subarray(0, path.lastIndexOf(0x2f)), { recursive: true });
    if (kind === "folder") mkdirSync(path, { recursive: true });
    else if (kind === "link") symlinkSync(content, path);
    else writeFileSync(path, content, { mode: kind === "executable" ? 0o755 : 0o644 });
  }
}
