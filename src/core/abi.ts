/**
 * The library core's interface, for its hosts: exports, flags and the layout of structs (docs/ABI.md). A test compares
 * all of it with the AssemblyScript, the built module and that page. This file runs in browsers, too.
 */
import type { WasmMemory } from "../wasm/types.js";

/** The exports of the core except `ABI_VERSION`. docs/ABI.md describes each. Pointers are byte offsets in `memory`. */
export interface CoreExports extends Record<string, unknown> {
  memory: WasmMemory;
  input(): number;
  stats(): number;
  info(): number;
  operation(): number;
  result(operation: number): number;
  resume(operation: number): number;
  cancel(operation: number): void;
  release(operation: number): void;
  mountBegin(handle: bigint, capacity: bigint, blockSize: bigint, mode: number, memoryLimit: number): number;
  prove(level: number, commit: number): number;
  mount(operation: number): number;
  stat(operation: number, path: number, length: number, flags: number): number;
  list(
    operation: number,
    path: number,
    length: number,
    flags: number,
    after: number,
    afterLength: number,
    limit: number,
  ): number;
  read(
    operation: number,
    path: number,
    length: number,
    flags: number,
    position: bigint,
    count: number,
  ): number;
  object(operation: number, oid: number): number;
}

/** Flags of the core's operations (`asm/volume/volume.ts`). */
export const FLAG = { FOLLOW: 1, OID: 2, SIZE: 4, NAMES: 8 } as const;

/** Mount modes, as the core numbers them (`asm/volume/mount.ts`). */
export const MODE = { light: 0, fast: 1, analyze: 2 } as const;

/** Levels of proof, as the core numbers them (`asm/objects/proof.ts`): 3 is `oid` with collisions refused. */
export const PROOF = { none: 0, crc: 1, oid: 2 } as const;
export const PROOF_COLLISIONS = 3;

/** Offsets of the result struct's fields (`Result` in `asm/volume/operation.ts`; docs/ABI.md). */
export const RESULT = {
  kind: 0,
  mode: 4,
  size: 8,
  data: 24,
  dataLen: 28,
  count: 32,
  sizes: 36,
  errorOffset: 40,
  oidKnown: 48,
  left: 52,
  oid: 56,
  waitsFor: 76,
} as const;

/** Offsets of the mounted image's fields (`infoPtr` in `asm/volume/volume.ts`; docs/ABI.md). */
export const INFO = {
  time: 0,
  commit: 8,
  tree: 28,
  layout: 48,
} as const;

/** States of the layout section, by their numbers (`Layout` in `asm/layout/footer.ts`). */
export const LAYOUT_STATES = ["none", "used", "unknown", "damaged"] as const;

/** The fields of `stats`, each a u64, in their order. */
export const STATS = [
  "deviceReads",
  "deviceBytes",
  "sectorHits",
  "sectorMisses",
  "objectHits",
  "objectMisses",
  "objectBytes",
  "artBytes",
  "heapBytes",
  "inflatedBytes",
  "deltaBytes",
] as const;

/** Room for a path, or a path and a name, at the core's `input`. */
export const INPUT_MAX = 8192;

/** The version of the core's interface that this module speaks (`ABI_VERSION` in `asm/core.ts`). */
export const ABI_VERSION = 3;
