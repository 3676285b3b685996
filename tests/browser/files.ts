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
