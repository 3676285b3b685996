/**
 * Measures the tree against a JavaScript `Map` of the same paths: time a lookup, and memory.
 *
 *     node --expose-gc dist/tests/bench/art.js [FILE OF PATHS | COUNT]
 */
import { readFileSync } from "node:fs";
import { repositoryPaths } from "../support/paths.js";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const ROUNDS = 5;

/** CPU time in ms: other work on the machine counts less than in wall time. */
function now(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds for each of `per` steps. */
function median(run: () => void, per: number): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = now();
    run();
    return ((now() - start) * 1e6) / per;
  });
  return times.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function shuffled<T>(list: T[], seed: number): T[] {
  const random = seeded(seed);
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** Heap bytes of what `make` returns. */
function heapOf(make: () => unknown): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return Number.NaN;
  gc();
  const before = process.memoryUsage().heapUsed;
  const kept = make();
  gc();
  const bytes = process.memoryUsage().heapUsed - before;
  return kept === undefined ? 0 : bytes;
}

function measureMap(paths: string[], order: string[]): void {
  const lines = Buffer.from(paths.join("\n"));
  // Strings of its own: what split gives are slices of one string.
  const fresh = () =>
    lines
      .toString("latin1")
      .split("\n")
      .map((path) => Buffer.from(path, "latin1").toString("latin1"));
  const build = () => new Map(fresh().map((path, i) => [path, i * 1024]));
  const bytes = heapOf(build);
  const map = new Map(paths.map((path, i) => [path, i * 1024]));
  let found = 0;
  const lookup = (list: string[]) => () => {
    for (const path of list) found += map.get(path)! >= 0 ? 1 : 0;
  };
  const same = median(lookup(order), order.length);
  const encoded = order.map((path) => Buffer.from(path, "utf8"));
  const decoder = new TextDecoder();
  const decoded = median(() => {
    for (const path of encoded) found += map.get(decoder.decode(path))! >= 0 ? 1 : 0;
  }, order.length);
  // Equal strings that are not the map's own, hashed anew each time.
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const copies = encoded.map((path) => path.toString("latin1"));
    const start = now();
    lookup(copies)();
    times.push(((now() - start) * 1e6) / order.length);
  }
  if (found !== 3 * ROUNDS * order.length) throw new Error("lost a path");
  const equal = times.sort((a, b) => a - b)[ROUNDS >> 1]!;
  console.log(
    `  Map: ${same.toFixed(0)} ns (the very strings), ${equal.toFixed(0)} ns (equal strings), ${decoded.toFixed(0)} ns (from UTF-8); ` +
      `${(bytes / paths.length).toFixed(1)} bytes a path`,
  );
}

function measureTree(paths: string[], order: string[], sorted: boolean): void {
  for (const { label, debug, exports: e } of probeVariants("art")) {
    if (debug) continue;
    e.heapInit(1 << 30);
    e.artInit(512 << 20);
    const write = (list: string[]): [number, Int32Array] => {
      const size = list.reduce((sum, path) => sum + 2 + Buffer.byteLength(path), 0);
      const start = e.heapAlloc(size + 16);
      const memory = Buffer.from(e.memory.buffer);
      const pointers = new Int32Array(list.length);
      let at = start;
      for (let i = 0; i < list.length; i++) {
        pointers[i] = at;
        const len = memory.write(list[i]!, at + 2, "utf8");
        memory.writeUInt16LE(len, at);
        at += 2 + len;
      }
      return [start, pointers];
    };
    // Growing the memory counts as pressure with V8, which then collects its garbage: not to be measured here.
    e.heapFree(e.heapAlloc(paths.length * 160));
    const [keys] = write(sorted ? [...paths].sort() : paths);
    const start = now();
    if (e.insertAll(keys, paths.length) !== -1) throw new Error("out of memory");
    const insert = ((now() - start) * 1e6) / paths.length;
    e.heapFree(keys);
    const [, pointers] = write(order);
    const list = e.heapAlloc(pointers.length * 4);
    new Int32Array(e.memory.buffer, list, pointers.length).set(pointers);
    const batch = median(() => {
      if (e.findAll(list, order.length) !== order.length) throw new Error("lost a path");
    }, order.length);
    const lengths = order.map((path) => Buffer.byteLength(path));
    const call = median(() => {
      for (let i = 0; i < pointers.length; i++)
        if (!e.artFind(pointers[i]! + 2, lengths[i]!)) throw new Error("lost");
    }, order.length);
    const walk = median(() => {
      let met = 0;
      for (let more = e.artFirst(0, 0); more; more = e.artNext()) met++;
      if (met !== paths.length) throw new Error("lost");
    }, paths.length);
    const counts = new Uint32Array(e.memory.buffer, e.inspect(), 8);
    const [n4, n16, n48, n256, leaves, blocks, names, broken] = counts as unknown as number[];
    if (broken) throw new Error(`invariant ${broken}`);
    const held = e.artBytes() - e.slabUnused();
    const each = (bytes: number): string => (bytes / paths.length).toFixed(1);
    console.log(
      `  ${label}: ${batch.toFixed(0)} ns in Wasm, ${call.toFixed(0)} ns by call; insert ${insert.toFixed(0)} ns, next ${walk.toFixed(0)} ns; ` +
        `${each(held)} bytes a path (${each(e.artBytes())} with the reserve) of which names ${each(names!)}, ` +
        `so ${each(held - names!)} beside them (live blocks ${each(blocks! - names!)}); ` +
        `${n4} Node4, ${n16} Node16, ${n48} Node48, ${n256} Node256, ${leaves} leaves`,
    );
  }
}

function measure(name: string, paths: string[]): void {
  const order = shuffled(paths, 2);
  const length = paths.reduce((sum, path) => sum + path.length, 0) / paths.length;
  console.log(`${name}: ${paths.length} paths, ${length.toFixed(1)} bytes on average`);
  measureMap(paths, order);
  console.log(" inserted in sorted order");
  measureTree(paths, order, true);
  console.log(" inserted in random order");
  measureTree(shuffled(paths, 3), order, false);
}

const [file] = process.argv.slice(2);
const generated = /^\d+$/.test(file ?? "") ? [Number(file)] : [100_000, 1_000_000];
if (file !== undefined && !/^\d+$/.test(file)) {
  const paths = new Set([""]);
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const parts = line.replace(/^\.?\//, "").split("/");
    for (let i = 1; i <= parts.length; i++) paths.add(parts.slice(0, i).join("/"));
  }
  measure(file, [...paths]);
} else {
  for (const count of generated) measure("generated", repositoryPaths(count, seeded(1)));
}
