/** Gives a module's functions new indices: in code, elements, initial values of globals, exports and the start section. */
import { Cursor } from "../wasm-binary/cursor.js";
import { type Immediate, walkCode, walkExpression } from "../wasm-binary/instructions.js";
import { SECTION } from "../wasm-binary/sections.js";
import { concat, leb128 } from "../wasm-binary/write.js";

/** The new index of a function. */
export type Renumber = (index: number) => number;

/** Types that take one byte: numbers, vectors, funcref and externref. */
const PLAIN_TYPES = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);

function plainType(cursor: Cursor): void {
  if (!PLAIN_TYPES.has(cursor.byte())) throw cursor.fail("unsupported value type");
}

/** The bytes from `start` to `end`, with functions' indices replaced. */
function replaceIndices(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: readonly Immediate[],
  renumber: Renumber,
): Uint8Array {
  const parts: (Uint8Array | number[])[] = [];
  let at = start;
  for (const immediate of found) {
    if (immediate.kind !== "function") continue;
    parts.push(bytes.subarray(at, immediate.start), leb128(renumber(immediate.value)));
    at = immediate.end;
  }
  return concat(...parts, bytes.subarray(at, end));
}

/** One segment of the element section (5.5.12). */
function walkElement(cursor: Cursor, visit: (immediate: Immediate) => void): void {
  const flags = cursor.u32();
  if (flags > 7) throw cursor.fail("unsupported element segment");
  const isActive = (flags & 1) === 0;
  if (isActive && flags & 2) cursor.u32();
  if (isActive) walkExpression(cursor, visit);
  if (flags & 3) {
    // A kind of elements, or their type.
    if (flags & 4) plainType(cursor);
    else cursor.skip(1);
  }
  for (const _ of cursor.vector()) {
    if (flags & 4) walkExpression(cursor, visit);
    else {
      const start = cursor.at;
      const value = cursor.u32();
      visit({ kind: "function", start, end: cursor.at, value });
    }
  }
}

/** Walks over a section that is not the code section, to the functions' indices in it. */
const WALKS: Record<number, (cursor: Cursor, visit: (immediate: Immediate) => void) => void> = {
  [SECTION.global]: (cursor, visit) => {
    for (const _ of cursor.vector()) {
      plainType(cursor);
      cursor.skip(1);
      walkExpression(cursor, visit);
    }
  },
  [SECTION.export]: (cursor, visit) => {
    for (const _ of cursor.vector()) {
      cursor.name();
      const kind = cursor.byte();
      const start = cursor.at;
      const value = cursor.u32();
      if (kind === 0) visit({ kind: "function", start, end: cursor.at, value });
    }
  },
  [SECTION.start]: (cursor, visit) => {
    const start = cursor.at;
    const value = cursor.u32();
    visit({ kind: "function", start, end: cursor.at, value });
  },
  [SECTION.element]: (cursor, visit) => {
    for (const _ of cursor.vector()) walkElement(cursor, visit);
  },
};

/**
 * Renumbers the functions in a section.
 * @param content the section's content
 * @returns the new content; sections without functions' indices stay as they are
 * @throws DocteurError `BadGuest`
 */
export function renumberSection(id: number, content: Uint8Array, renumber: Renumber): Uint8Array {
  if (id === SECTION.code) return renumberCode(content, renumber);
  const walk = WALKS[id];
  if (walk === undefined) return content;
  const found: Immediate[] = [];
  const cursor = new Cursor(content, 0, content.length);
  walk(cursor, (immediate) => found.push(immediate));
  if (cursor.at !== cursor.end) throw cursor.fail("section longer than what it holds");
  return replaceIndices(content, 0, content.length, found, renumber);
}

function renumberCode(content: Uint8Array, renumber: Renumber): Uint8Array {
  const cursor = new Cursor(content, 0, content.length);
  const codes: Uint8Array[] = [];
  let count = 0;
  for (const _ of cursor.vector()) {
    const size = cursor.u32();
    const start = cursor.at;
    cursor.skip(size);
    const found: Immediate[] = [];
    walkCode(new Cursor(content, start, cursor.at), (immediate) => {
      if (immediate.kind === "function") found.push(immediate);
    });
    const code = replaceIndices(content, start, cursor.at, found, renumber);
    codes.push(Uint8Array.from(leb128(code.length)), code);
    count++;
  }
  return concat(leb128(count), ...codes);
}
