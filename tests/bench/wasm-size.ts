/** The size of what is shipped. */
import { statSync } from "node:fs";
import type { Benchmark } from "./benchmark.js";
import { createRow } from "./measure.js";

/** Bytes at most, by file of the build. */
const TARGETS = { "core.wasm": 40 * 1024, "guest/simple.wasm": 32 * 1024 };

const measureSize: Benchmark = async () =>
  Object.entries(TARGETS).map(([file, peer]) => {
    const ours = statSync(new URL(`../../${file}`, import.meta.url)).size;
    return createRow(
      { name: "wasm-size", corpus: file, unit: "bytes", ours, peer, peerName: "target" },
      "less",
    );
  });

export const WASM_SIZE: Record<string, Benchmark> = { "wasm-size": measureSize };
