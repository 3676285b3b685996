/**
 * The binary format of a WebAssembly module (core specification, chapter 5), as far as the tender must see
 * what the engine's API does not show: the types of imports and exports, and the limits of the memory, which
 * it narrows.
 */
import { DocteurError } from "../errors.js";

/** Bytes of a WebAssembly page. */
export const PAGE = 65536;
/** The most pages of a memory. */
const PAGES_MAX = 65536;

/** Section ids (5.5.2). */
const SECTION = { type: 1, import: 2, function: 3, memory: 5, export: 7 } as const;

const KINDS = ["function", "table", "memory", "global", "tag"] as const;
const VALUE_TYPES: Record<number, string> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** Something that a module imports or exports. */
export interface External {
  kind: (typeof KINDS)[number];
  /** What a module exports has its name alone. */
  module: string;
  name: string;
  /** A function's type, such as `(i32, i64) -> i32`; empty for the other kinds. */
  type: string;
}

/** What the tender needs to know of a module. */
export interface ModuleShape {
  imports: External[];
  exports: External[];
  /** The memory that the module defines. */
  memory?: {
    /** Pages. */
    minimum: number;
    /** Pages; none declared: undefined. */
    maximum: number | undefined;
    /** Where the memory section stands in the module: its id byte, and its end. */
    start: number;
    end: number;
  };
}

/** Reads a module's bytes forward, inside a bound. */
class Cursor {
  readonly #bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  fail(what: string): DocteurError {
    return new DocteurError("BadGuest", `malformed WebAssembly module: ${what} at byte ${this.at}`);
  }

  byte(): number {
    if (this.at >= this.end) throw this.fail("unexpected end");
    return this.#bytes[this.at++]!;
  }

  /** An unsigned LEB128 of at most 32 bits (5.2.2). */
  u32(): number {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw this.fail("integer too large");
  }

  name(): string {
    const length = this.u32();
    if (length > this.end - this.at) throw this.fail("name runs past its section");
    const bytes = this.#bytes.subarray(this.at, this.at + length);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      this.at += length;
      return text;
    } catch {
      throw this.fail("name is not UTF-8");
    }
  }

  /** A vector's elements, one by one. */
  *vector(): Generator<void> {
    for (let count = this.u32(); count > 0; count--) yield;
  }

  valueType(): string {
    const type = VALUE_TYPES[this.byte()];
    if (type === undefined) throw this.fail("unsupported value type");
    return type;
  }

  functionType(): string {
    if (this.byte() !== 0x60) throw this.fail("unsupported type");
    const params: string[] = [];
    const results: string[] = [];
    for (const _ of this.vector()) params.push(this.valueType());
    for (const _ of this.vector()) results.push(this.valueType());
    return `(${params.join(", ")}) -> ${results.length === 1 ? results[0] : `(${results.join(", ")})`}`;
  }

  /** Limits (5.3.11). Shared and 64-bit ones are no part of the ABI. */
  limits(): { minimum: number; maximum: number | undefined } {
    const flags = this.byte();
    if (flags > 1) throw this.fail("unsupported limits (shared, or 64-bit)");
    return { minimum: this.u32(), maximum: flags === 1 ? this.u32() : undefined };
  }
}

function readImport(cursor: Cursor, types: string[]): External {
  const module = cursor.name();
  const name = cursor.name();
  const kind = KINDS[cursor.byte()];
  let type = "";
  switch (kind) {
    case "function":
      type = types[cursor.u32()] ?? "";
      break;
    case "table":
      cursor.valueType();
      cursor.limits();
      break;
    case "memory":
      cursor.limits();
      break;
    case "global":
      cursor.valueType();
      cursor.byte();
      break;
    case "tag":
      cursor.byte();
      cursor.u32();
      break;
    default:
      throw cursor.fail("unknown kind of import");
  }
  return { kind, module, name, type };
}

/**
 * Reads a module's imports, exports and memory. It does not validate the module: compiling does.
 * @param bytes the module
 * @throws DocteurError `BadGuest` where the bytes are no core module, or use types or limits beyond the ABI
 */
export function readModuleShape(bytes: Uint8Array): ModuleShape {
  const magic = [0, 0x61, 0x73, 0x6d];
  if (bytes.length < 8 || magic.some((byte, index) => bytes[index] !== byte))
    throw new DocteurError("BadGuest", "not a WebAssembly module");
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (version !== 1)
    throw new DocteurError(
      "BadGuest",
      `not a WebAssembly core module of version 1 (0x${version.toString(16)})`,
    );
  const shape: ModuleShape = { imports: [], exports: [] };
  const types: string[] = [];
  const functions: string[] = [];
  const file = new Cursor(bytes, 8, bytes.length);
  while (file.at < file.end) {
    const start = file.at;
    const id = file.byte();
    const size = file.u32();
    if (size > file.end - file.at) throw file.fail("section runs past the end");
    const cursor = new Cursor(bytes, file.at, file.at + size);
    file.at = cursor.end;
    if (id === SECTION.type) {
      for (const _ of cursor.vector()) types.push(cursor.functionType());
    } else if (id === SECTION.import) {
      for (const _ of cursor.vector()) {
        const external = readImport(cursor, types);
        shape.imports.push(external);
        if (external.kind === "function") functions.push(external.type);
      }
    } else if (id === SECTION.function) {
      for (const _ of cursor.vector()) functions.push(types[cursor.u32()] ?? "");
    } else if (id === SECTION.memory) {
      for (const _ of cursor.vector()) {
        if (shape.memory !== undefined) throw cursor.fail("more than one memory");
        const limits = cursor.limits();
        if (limits.maximum !== undefined && limits.maximum > PAGES_MAX) throw cursor.fail("memory too large");
        shape.memory = { ...limits, start, end: cursor.end };
      }
      // `capMemory` writes this section anew: it must not make a module valid that is not.
      if (cursor.at !== cursor.end) throw cursor.fail("memory section longer than what it holds");
    } else if (id === SECTION.export) {
      for (const _ of cursor.vector()) {
        const name = cursor.name();
        const kind = KINDS[cursor.byte()];
        if (kind === undefined) throw cursor.fail("unknown kind of export");
        const index = cursor.u32();
        shape.exports.push({
          kind,
          module: "",
          name,
          type: kind === "function" ? (functions[index] ?? "") : "",
        });
      }
    }
  }
  return shape;
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}

/**
 * Narrows the maximum of a module's memory, so that the engine itself holds the guest to it. A memory that
 * belongs to the module can be capped in no other way.
 * @param bytes the module
 * @param shape what `readModuleShape` says of it
 * @param limit bytes
 * @returns the module's bytes, or new ones
 * @throws DocteurError `BadGuest` where the module's memory begins larger
 */
export function capMemory(bytes: Uint8Array, shape: ModuleShape, limit: number): Uint8Array {
  const { memory } = shape;
  if (memory === undefined) return bytes;
  const pages = Math.min(Math.floor(limit / PAGE), PAGES_MAX);
  if (memory.minimum > pages) {
    const needs = `${memory.minimum * (PAGE / 1024)} KB`;
    throw new DocteurError(
      "BadGuest",
      `guest needs ${needs} of memory, more than the ${pages * 64} KB it may have`,
    );
  }
  if (memory.maximum !== undefined && memory.maximum <= pages) return bytes;
  const content = [1, 1, ...leb128(memory.minimum), ...leb128(pages)];
  const section = [SECTION.memory, content.length, ...content];
  const result = new Uint8Array(bytes.length - (memory.end - memory.start) + section.length);
  result.set(bytes.subarray(0, memory.start));
  result.set(section, memory.start);
  result.set(bytes.subarray(memory.end), memory.start + section.length);
  return result;
}
