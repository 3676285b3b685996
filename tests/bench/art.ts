/** The radix tree against a JavaScript `Map` of the same paths: time a lookup, and memory. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { benchmarkPaths, freshString } from "./map.js";
import { alternate, type Contestant, createRow, ROUNDS, type Row, timed } from "./measure.js";
import { releaseProbe } from "./probe.js";
import { shuffled } from "./sample.js";
import { NODE } from "./versions.js";

const COUNTS = [100_000, 1_000_000];
const HEAP_LIMIT = 1 << 30;
const ART_LIMIT = 512 << 20;
/** Bytes a path, beside those of its name. */
const TARGET = 24;

/** A tree that holds `paths`, inserted in their order. */
class Tree {
  readonly #wasm = releaseProbe("art");
  readonly #count: number;

  constructor(paths: readonly string[]) {
    const wasm = this.#wasm;
    wasm.heapInit(HEAP_LIMIT);
    wasm.artInit(ART_LIMIT);
    this.#count = paths.length;
    // Grows the memory at once: growing counts as pressure with V8, which then collects its garbage.
    wasm.heapFree(wasm.heapAlloc(paths.length * 160));
    const { start } = this.#write(paths);
    if (wasm.insertAll(start, paths.length) !== -1) throw new Error("out of memory");
    wasm.heapFree(start);
  }

  /** Lays paths into Wasm memory: a u16 length and UTF-8 each. */
  #write(paths: readonly string[]): { start: number; pointers: Uint32Array } {
    const size = paths.reduce((sum, path) => sum + 2 + Buffer.byteLength(path), 0);
    const start = this.#wasm.heapAlloc(size);
    const memory = Buffer.from(this.#wasm.memory.buffer);
    const pointers = new Uint32Array(paths.length);
    let at = start;
    for (const [index, path] of paths.entries()) {
      pointers[index] = at;
      const length = memory.write(path, at + 2, "utf8");
      memory.writeUInt16LE(length, at);
      at += 2 + length;
    }
    return { start, pointers };
  }

  /** Lays keys into Wasm memory. @returns what looks them all up by one call */
  prepare(keys: readonly string[]): () => void {
    const { pointers } = this.#write(keys);
    const list = this.#wasm.heapAlloc(pointers.length * 4);
    new Uint32Array(this.#wasm.memory.buffer, list, pointers.length).set(pointers);
    return () => {
      if (this.#wasm.findAll(list, pointers.length) !== pointers.length) throw new Error("lost a path");
    };
  }

  /** Bytes a path: of everything in use, and of names alone. Fails where an invariant is broken. */
  memory(): { all: number; names: number } {
    const wasm = this.#wasm;
    const counts = new Uint32Array(wasm.memory.buffer, wasm.inspect(), 8);
    if (counts[7] !== 0) throw new Error(`invariant ${counts[7]} is broken`);
    const held = wasm.artBytes() - wasm.slabUnused();
    return { all: held / this.#count, names: counts[6]! / this.#count };
  }
}

/** Looks up each of the keys that `supply` gives, which are not part of the time. */
function mapLookup(map: Map<string, number>, supply: () => readonly string[]): Contestant {
  return async () => {
    const keys = supply();
    let found = 0;
    const time = await timed(() => {
      for (const key of keys) if (map.get(key) !== undefined) found++;
    });
    if (found !== keys.length) throw new Error("lost a path");
    return keys.length / time / 1000;
  };
}

function decodedLookup(map: Map<string, number>, keys: readonly string[]): Contestant {
  const encoded = keys.map((key) => Buffer.from(key, "utf8"));
  return async () => {
    const decoder = new TextDecoder();
    let found = 0;
    const time = await timed(() => {
      for (const key of encoded) if (map.get(decoder.decode(key)) !== undefined) found++;
    });
    if (found !== keys.length) throw new Error("lost a path");
    return keys.length / time / 1000;
  };
}

async function measureLookup(count: number, signal: AbortSignal): Promise<Row[]> {
  const paths = benchmarkPaths(count);
  const order = shuffled(paths, seeded(2));
  const map = new Map(paths.map((path, index) => [freshString(path), index]));
  const own = shuffled([...map.keys()], seeded(2));
  const findAll = new Tree(paths).prepare(order);
  const results = await alternate(
    [
      async () => count / (await timed(findAll)) / 1000,
      mapLookup(map, () => order.map(freshString)),
      mapLookup(map, () => own),
      decodedLookup(map, order),
    ],
    signal,
    { ...ROUNDS, warmUp: 1 },
  );
  const [ours, ...theirs] = results;
  const peers = ["equal strings", "its own strings", "TextDecoder's strings, decoding included"];
  const row = {
    name: "art-lookup",
    corpus: `${count} generated paths`,
    unit: "million lookups/s",
    ours: ours!,
  };
  return peers.map((keys, index) =>
    createRow({ ...row, peer: theirs[index]!, peerName: `Map of ${keys} (${NODE})` }, "more"),
  );
}

async function mapHeap(count: number, signal: AbortSignal): Promise<number> {
  const program = fileURLToPath(new URL("map.js", import.meta.url));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--expose-gc", program, String(count)], { signal });
  return Number(stdout) / count;
}

async function measureMemory(count: number, signal: AbortSignal): Promise<Row[]> {
  const paths = benchmarkPaths(count);
  const tree = new Tree(paths);
  // A lookup makes the tree's shortcuts, which count.
  tree.prepare(paths)();
  const { all, names } = tree.memory();
  const row = { name: "art-memory", corpus: `${count} generated paths` };
  const peer = await mapHeap(count, signal);
  return [
    createRow({ ...row, unit: "bytes/path", ours: all, peer, peerName: `Map (${NODE})` }, "less"),
    createRow(
      { ...row, unit: "bytes/path beside names", ours: all - names, peer: TARGET, peerName: "target" },
      "less",
    ),
  ];
}

function forEachCount(measure: (count: number, signal: AbortSignal) => Promise<Row[]>): Benchmark {
  return async ({ signal }) => {
    const rows: Row[] = [];
    for (const count of COUNTS) rows.push(...(await measure(count, signal)));
    return rows;
  };
}

export const ART: Record<string, Benchmark> = {
  "art-lookup": forEachCount(measureLookup),
  "art-memory": forEachCount(measureMemory),
};
