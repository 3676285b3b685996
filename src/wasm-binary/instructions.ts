/**
 * Walks over the instructions of WebAssembly (core specification, 5.4) to the indices and constants in them. It knows
 * release 2.0, SIMD, threads, tail calls and exceptions. It refuses others, such as those of the garbage collector.
 */
import type { Cursor } from "./cursor.js";

/** An index or a constant inside of an instruction. */
export interface Immediate {
  kind: "function" | "type" | "global" | "table" | "segment" | "i32";
  /** The places of its LEB128. */
  start: number;
  end: number;
  value: number;
}

type Visit = (immediate: Immediate) => void;

const TYPE_INDEX_BITS = 33;

function index(cursor: Cursor, kind: Immediate["kind"], visit: Visit): void {
  const start = cursor.at;
  const value = cursor.u32();
  visit({ kind, start, end: cursor.at, value });
}

/** A block's type: empty, a value type, or the index of a function's type (5.4.1). */
function blockType(cursor: Cursor, visit: Visit): void {
  const start = cursor.at;
  const value = cursor.signed(TYPE_INDEX_BITS);
  if (value >= 0) visit({ kind: "type", start, end: cursor.at, value });
}

/** Alignment, perhaps the index of a memory, and offset (5.4.6). */
function memoryArgument(cursor: Cursor): void {
  if (cursor.u32() & 0x40) cursor.u32();
  cursor.u32();
}

/** The instructions behind the prefix 0xfc: saturating conversions, bulk memory and tables. */
function miscellaneous(cursor: Cursor, visit: Visit): void {
  const code = cursor.u32();
  if (code <= 7) return;
  if (code === 8 || code === 12) {
    index(cursor, "segment", visit);
    if (code === 8) cursor.u32();
    else index(cursor, "table", visit);
  } else if (code === 9 || code === 13) index(cursor, "segment", visit);
  else if (code === 10) cursor.skip(2);
  else if (code === 11) cursor.skip(1);
  else if (code === 14) {
    index(cursor, "table", visit);
    index(cursor, "table", visit);
  } else if (code <= 17) index(cursor, "table", visit);
  else throw cursor.fail(`unsupported instruction 0xfc ${code}`);
}

/** The instructions behind the prefix 0xfd: vectors of 128 bits, relaxed ones too (5.4.8). */
function vector(cursor: Cursor): void {
  const code = cursor.u32();
  if (code <= 11 || code === 92 || code === 93) memoryArgument(cursor);
  else if (code === 12 || code === 13) cursor.skip(16);
  else if (code >= 21 && code <= 34) cursor.skip(1);
  else if (code >= 84 && code <= 91) {
    memoryArgument(cursor);
    cursor.skip(1);
  } else if (code > 275) throw cursor.fail(`unsupported instruction 0xfd ${code}`);
}

/** The instructions behind the prefix 0xfe: atomic accesses. */
function atomic(cursor: Cursor): void {
  const code = cursor.u32();
  if (code === 3) cursor.skip(1);
  else if (code <= 2 || (code >= 16 && code <= 78)) memoryArgument(cursor);
  else throw cursor.fail(`unsupported instruction 0xfe ${code}`);
}

/** The handlers of `try_table`. */
function handlers(cursor: Cursor): void {
  for (const _ of cursor.vector()) {
    if (cursor.byte() <= 1) cursor.u32();
    cursor.u32();
  }
}

/** Instructions without a prefix whose immediates matter to nobody: a skip for each opcode. */
const SKIPS: Record<number, (cursor: Cursor) => void> = {
  // throw, rethrow, delegate; br, br_if
  8: (cursor) => cursor.u32(),
  9: (cursor) => cursor.u32(),
  24: (cursor) => cursor.u32(),
  12: (cursor) => cursor.u32(),
  13: (cursor) => cursor.u32(),
  // catch
  7: (cursor) => cursor.u32(),
  // br_table
  14: (cursor) => {
    for (const _ of cursor.vector()) cursor.u32();
    cursor.u32();
  },
  // select with types
  28: (cursor) => {
    for (const _ of cursor.vector()) cursor.skip(1);
  },
  // local.get, local.set, local.tee
  32: (cursor) => cursor.u32(),
  33: (cursor) => cursor.u32(),
  34: (cursor) => cursor.u32(),
  // memory.size, memory.grow
  63: (cursor) => cursor.u32(),
  64: (cursor) => cursor.u32(),
  // i64.const, f32.const, f64.const
  66: (cursor) => cursor.skipI64(),
  67: (cursor) => cursor.skip(4),
  68: (cursor) => cursor.skip(8),
  // ref.null
  208: (cursor) => cursor.skip(1),
};

/** Opcodes without immediates: unreachable, nop, else, throw_ref, end, return, catch_all, drop, select, ref.is_null. */
const PLAIN = new Set([0, 1, 5, 10, 11, 15, 25, 26, 27, 209]);

/**
 * Walks over one instruction.
 * @param cursor stands at its opcode; stands behind it afterwards
 * @param visit called for each index and each `i32.const`, in their order
 * @returns the opcode
 * @throws DocteurError `BadGuest` for instructions that are malformed or unknown
 */
export function walkInstruction(cursor: Cursor, visit: Visit): number {
  const opcode = cursor.byte();
  if (PLAIN.has(opcode) || (opcode >= 0x45 && opcode <= 0xc4)) return opcode;
  const skip = SKIPS[opcode];
  if (skip !== undefined) skip(cursor);
  else if (opcode >= 0x28 && opcode <= 0x3e) memoryArgument(cursor);
  // block, loop, if, try
  else if ((opcode >= 2 && opcode <= 4) || opcode === 6) blockType(cursor, visit);
  else if (opcode === 0x1f) {
    blockType(cursor, visit);
    handlers(cursor);
  }
  // call, return_call, ref.func
  else if (opcode === 16 || opcode === 18 || opcode === 210) index(cursor, "function", visit);
  // call_indirect, return_call_indirect
  else if (opcode === 17 || opcode === 19) {
    index(cursor, "type", visit);
    index(cursor, "table", visit);
  } else if (opcode === 35 || opcode === 36) index(cursor, "global", visit);
  else if (opcode === 37 || opcode === 38) index(cursor, "table", visit);
  else if (opcode === 0x41) {
    const start = cursor.at;
    const value = cursor.signed(32);
    visit({ kind: "i32", start, end: cursor.at, value });
  } else if (opcode === 0xfc) miscellaneous(cursor, visit);
  else if (opcode === 0xfd) vector(cursor);
  else if (opcode === 0xfe) atomic(cursor);
  else throw cursor.fail(`unsupported instruction 0x${opcode.toString(16)}`);
  return opcode;
}

/** Walks over a constant expression, such as the offset of a segment, to behind its `end`. */
export function walkExpression(cursor: Cursor, visit: Visit): void {
  while (walkInstruction(cursor, visit) !== 11);
}

/**
 * Walks over a function's code: its local variables, then its instructions.
 * @param cursor stands behind the code's size, and ends where the code does
 */
export function walkCode(cursor: Cursor, visit: Visit): void {
  for (const _ of cursor.vector()) {
    cursor.u32();
    cursor.skip(1);
  }
  while (cursor.at < cursor.end) walkInstruction(cursor, visit);
}
