/** Whether the engine runs the SIMD builds of this package's Wasm. */

/**
 * A module of eight bytes and one function that uses `v128`: `WebAssembly.validate` accepts it if the engine
 * has SIMD.
 */
const PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Whether this engine runs Wasm SIMD (128-bit). */
export function hasSimd(): boolean {
  return WebAssembly.validate(PROBE);
}
