/** The files of the images that browsers make: of each kind, and enough alike to become deltas. */
import type { MemoryFile } from "docteur/make";

function text(version: number): string {
  const lines = Array.from({ length: 800 }, (_, at) =>
    at % 97 === version ? `Changed in version ${version}.` : `Line ${at}: ${Math.imul(at, 0x9e3779b1)}`,
  );
  return `${lines.join("\n")}\n`;
}

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 0x915f77f5) + 1;
    return state >>> 24;
  });
}

export const FILES: Record<string, MemoryFile> = {
  "index.html": "<!doctype html><title>Hello</title><p>Hello\n",
  "docs/version-1.md": text(1),
  "docs/version-2.md": text(2),
  "docs/version-3.md": text(3),
  "docs/日本語.md": "# Names in any script\n",
  "data/noise.bin": noise(50_000),
  "data/zeros.bin": new ArrayBuffer(3 << 20),
  "bin/run": { content: "#!/bin/sh\nexec true\n", executable: true },
  latest: { link: "docs/version-3.md" },
  empty: { directory: true },
};

export const DATE = "2024-06-07T08:09:10+02:00";

function numbers(seed: number): string {
  let state = seed;
  return Array.from({ length: 30_000 }, () => {
    state = (Math.imul(state, 0x915f77f5) + 1) | 0;
    return state.toString(36);
  }).join("\n");
}

/** Files that take a while to pack: lines of random numbers. */
export const WORK = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`${at}.txt`, numbers(at)]));
