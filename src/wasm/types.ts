/**
 * WebAssembly's types as the program that uses this package knows them: lib dom declares them, which programs on servers
 * leave out. Without them, a module is any object.
 */

type Global = typeof globalThis;

/** A compiled module, `WebAssembly.Module`. */
export type WasmModule = Global extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** A linear memory, `WebAssembly.Memory`, as far as it is used. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
