/**
 * The binary format of a WebAssembly module (core specification, chapter 5), as far as the tender needs facts that
 * the engine's API does not show: the types of imports and exports, and the parts that cost the engine memory.
 */
import { Cursor } from "../wasm-binary/cursor.js";
import { readSections, SECTION } from "../wasm-binary/sections.js";

/** Bytes of a WebAssembly page. */
export const PAGE = 65536;
/** The most pages of a memory. */
export const PAGES_MAX = 65536;

const KINDS = ["function", "table", "memory", "global", "tag"] as const;
/** Types of a table's elements: funcref and externref. */
const REFERENCE_TYPES = [0x70, 0x6f];
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
  /** Empty for exports. */
  module: string;
  name: string;
  /** A function's type, such as `(i32, i64) -> i32`; empty for the other kinds. */
  type: string;
}

/** The first and the largest size of a memory (in pages) or a table (in elements). */
export interface Limits {
  minimum: number;
  /** Undefined if none is declared. */
  maximum: number | undefined;
}

/** The place of a section in the module: its id byte, and its end. */
export interface Place {
  start: number;
  end: number;
}

/** A table that the module defines. */
export interface Table extends Limits {
  /** The byte that stands for the type of its elements. */
  type: number;
}

/** A function's code. */
export interface Code {
  /** Among the functions that the module defines. */
  index: number;
  /** Parameters and local variables. */
  locals: number;
  /** Length of its code. */
  bytes: number;
}

/** The facts that the tender needs about a module. */
export interface ModuleShape {
  imports: External[];
  exports: External[];
  /** The memory that the module defines. */
  memory?: Limits & Place;
  /** The tables that the module defines, and their section. */
  tables?: Place & { each: Table[] };
  /** Global variables that the module defines. */
  globals: number;
  /** The most parameters and results that a function's type has in all. */
  widest: number;
  /** The function for which the product of its locals, with `widest` added, and its bytes is largest. */
  costliest?: Code;
}

/** A function's type, and how many parameters and results it has. */
interface FunctionType {
  text: string;
  params: number;
  width: number;
}

/** Reads the parts of a module that the tender looks at. */
class ModuleCursor extends Cursor {
  valueType(): string {
    const type = VALUE_TYPES[this.byte()];
    if (type === undefined) throw this.fail("unsupported value type");
    return type;
  }

  functionType(): FunctionType {
    if (this.byte() !== 0x60) throw this.fail("unsupported type");
    const params: string[] = [];
    const results: string[] = [];
    for (const _ of this.vector()) params.push(this.valueType());
    for (const _ of this.vector()) results.push(this.valueType());
    const text = `(${params.join(", ")}) -> ${results.length === 1 ? results[0] : `(${results.join(", ")})`}`;
    return { text, params: params.length, width: params.length + results.length };
  }

  /** Limits (5.3.11). Shared and 64-bit ones are not part of the ABI. */
  limits(): Limits {
    const flags = this.byte();
    if (flags > 1) throw this.fail("unsupported limits (shared, or 64-bit)");
    return { minimum: this.u32(), maximum: flags === 1 ? this.u32() : undefined };
  }

  /** A table's type (5.3.12), without an initial value: that is beyond the ABI. */
  table(): Table {
    const type = this.byte();
    if (!REFERENCE_TYPES.includes(type)) throw this.fail("unsupported type of a table");
    const limits = this.limits();
    if (limits.maximum !== undefined && limits.maximum < limits.minimum)
      throw this.fail("maximum of a table below its minimum");
    return { type, ...limits };
  }

  /** A function's code (5.5.13): the number of local variables and the length. Steps over it. */
  code(): { locals: number; bytes: number } {
    const bytes = this.u32();
    if (bytes > this.end - this.at) throw this.fail("function runs past its section");
    const next = this.at + bytes;
    let locals = 0;
    for (const _ of this.vector()) {
      locals += this.u32();
      this.valueType();
    }
    if (this.at > next) throw this.fail("local variables run past their function");
    this.at = next;
    return { locals, bytes };
  }
}

function readImport(cursor: ModuleCursor, types: readonly FunctionType[]): External {
  const module = cursor.name();
  const name = cursor.name();
  const kind = KINDS[cursor.byte()];
  let type = "";
  switch (kind) {
    case "function":
      type = types[cursor.u32()]?.text ?? "";
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

/** Reads the code section: finds the function that costs most to compile. */
function readCode(
  cursor: ModuleCursor,
  shape: ModuleShape,
  types: readonly (FunctionType | undefined)[],
): void {
  let most = -1;
  let index = 0;
  for (const _ of cursor.vector()) {
    const { locals, bytes } = cursor.code();
    const all = locals + (types[index]?.params ?? 0);
    const product = (all + shape.widest) * bytes;
    if (product > most) {
      most = product;
      shape.costliest = { index, locals: all, bytes };
    }
    index++;
  }
}

/**
 * Reads a module's imports, exports, memory, and the other parts that cost memory. Only compiling validates the module.
 * @param bytes the module
 * @throws DocteurError `BadGuest` if the bytes are not a core module, or use types or limits beyond the ABI
 */
export function readModuleShape(bytes: Uint8Array): ModuleShape {
  const shape: ModuleShape = { imports: [], exports: [], globals: 0, widest: 0 };
  const types: FunctionType[] = [];
  const functions: string[] = [];
  const defined: (FunctionType | undefined)[] = [];
  for (const { id, start, content, end } of readSections(bytes)) {
    const cursor = new ModuleCursor(bytes, content, end);
    if (id === SECTION.type) {
      for (const _ of cursor.vector()) {
        const type = cursor.functionType();
        types.push(type);
        shape.widest = Math.max(shape.widest, type.width);
      }
    } else if (id === SECTION.import) {
      for (const _ of cursor.vector()) {
        const external = readImport(cursor, types);
        shape.imports.push(external);
        if (external.kind === "function") functions.push(external.type);
      }
    } else if (id === SECTION.function) {
      for (const _ of cursor.vector()) {
        const type = types[cursor.u32()];
        functions.push(type?.text ?? "");
        defined.push(type);
      }
    } else if (id === SECTION.table) {
      if (shape.tables !== undefined) throw cursor.fail("more than one table section");
      if (shape.memory !== undefined) throw cursor.fail("table section after the memory section");
      const each: Table[] = [];
      for (const _ of cursor.vector()) each.push(cursor.table());
      // `capModule` writes this section anew, as it does the memory's.
      if (cursor.at !== cursor.end) throw cursor.fail("table section longer than what it holds");
      shape.tables = { each, start, end: cursor.end };
    } else if (id === SECTION.memory) {
      for (const _ of cursor.vector()) {
        if (shape.memory !== undefined) throw cursor.fail("more than one memory");
        const limits = cursor.limits();
        if (limits.maximum !== undefined && limits.maximum > PAGES_MAX) throw cursor.fail("memory too large");
        shape.memory = { ...limits, start, end: cursor.end };
      }
      // `capModule` writes this section anew: it must not make a module valid that is not.
      if (cursor.at !== cursor.end) throw cursor.fail("memory section longer than what it holds");
    } else if (id === SECTION.global) {
      shape.globals += cursor.u32();
    } else if (id === SECTION.code) {
      readCode(cursor, shape, defined);
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
