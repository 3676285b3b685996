/**
 * Holds a guest to its memory limit before it is compiled. The engine enforces the maxima that a module declares: those
 * of its memory and its tables are narrowed. A module is refused if parts without a maximum cost the engine too much
 * memory.
 */
import { DocteurError } from "../errors.js";
import { SECTION } from "../wasm-binary/sections.js";
import { concat, leb128, section } from "../wasm-binary/write.js";
import { type ModuleShape, PAGE, PAGES_MAX, type Place, type Table } from "./wasm-module.js";

/**
 * Bytes of the memory limit for which a guest's tables may hold one element. An engine takes up to 32 bytes for one: the
 * tables add at most an eighth to the limit.
 */
export const BYTES_PER_ELEMENT = 256;

/** The most global variables of a guest. V8 takes up to 2.5 KB to initialise one. */
export const GLOBALS_MAX = 10000;

/**
 * The most that a function may cost to compile: local variables and the parameters and results of the widest type, times
 * bytes of code. A baseline compiler remembers where each variable is for every place that is jumped to.
 */
export const FUNCTION_COST_MAX = 2 ** 26;

function refuse(why: string, hint?: string): DocteurError {
  return new DocteurError("BadGuest", why, { hint });
}

/** The bytes with a section written anew. */
function replaceSection(bytes: Uint8Array, place: Place, id: number, content: number[]): Uint8Array {
  return concat(bytes.subarray(0, place.start), section(id, content), bytes.subarray(place.end));
}

function capMemory(bytes: Uint8Array, { memory }: ModuleShape, limit: number): Uint8Array {
  if (memory === undefined) return bytes;
  const pages = Math.min(Math.floor(limit / PAGE), PAGES_MAX);
  if (memory.minimum > pages) {
    const needs = `${memory.minimum * (PAGE / 1024)} KB`;
    throw refuse(`guest needs ${needs} of memory, more than the ${pages * 64} KB it may have`);
  }
  if (memory.maximum !== undefined && memory.maximum <= pages) return bytes;
  return replaceSection(bytes, memory, SECTION.memory, [1, 1, ...leb128(memory.minimum), ...leb128(pages)]);
}

/** The maximum of each table. A table takes no room that it does not need and another one does. */
function shareElements(tables: readonly Table[], room: number): number[] {
  const maxima = tables.map(({ minimum }) => minimum);
  const wanted = (index: number): number =>
    (tables[index]!.maximum ?? Number.POSITIVE_INFINITY) - maxima[index]!;
  // The modest tables come first: the others share the rest.
  const order = tables
    .map((_, index) => index)
    .sort((left, right) => Math.sign(wanted(left) - wanted(right)) || left - right);
  let left = room;
  for (const [served, index] of order.entries()) {
    const share = Math.max(0, Math.min(wanted(index), Math.floor(left / (order.length - served))));
    maxima[index]! += share;
    left -= share;
  }
  return maxima;
}

function capTables(bytes: Uint8Array, { tables }: ModuleShape, limit: number): Uint8Array {
  if (tables === undefined) return bytes;
  const most = Math.floor(limit / BYTES_PER_ELEMENT);
  const needed = tables.each.reduce((sum, { minimum }) => sum + minimum, 0);
  if (needed > most)
    throw refuse(
      `guest needs ${needed} table elements, more than the ${most} it may have`,
      `a guest may have a table element for each ${BYTES_PER_ELEMENT} bytes of its memory limit`,
    );
  const maxima = shareElements(tables.each, most - needed);
  const content = leb128(tables.each.length);
  for (const [index, { type, minimum }] of tables.each.entries())
    content.push(type, 1, ...leb128(minimum), ...leb128(maxima[index]!));
  return replaceSection(bytes, tables, SECTION.table, content);
}

/**
 * Narrows the maxima of a module's memory and tables, so that the engine itself holds the guest to them. A memory or
 * table of the module's own cannot be capped in another way.
 * @param bytes the module
 * @param shape the result of `readModuleShape`
 * @param limit bytes of memory; the tables follow from it
 * @returns the module's bytes, or new ones
 * @throws DocteurError `BadGuest` if the module begins larger, or costs the engine too much
 */
export function capModule(bytes: Uint8Array, shape: ModuleShape, limit: number): Uint8Array {
  if (shape.globals > GLOBALS_MAX)
    throw refuse(`guest has ${shape.globals} global variables, more than the ${GLOBALS_MAX} it may have`);
  const { costliest } = shape;
  if (costliest !== undefined && (costliest.locals + shape.widest) * costliest.bytes > FUNCTION_COST_MAX)
    throw refuse(
      `function ${costliest.index} has ${costliest.locals} local variables in ${costliest.bytes} bytes of code: ` +
        "too much to compile",
    );
  // The memory's section follows the tables' section, and is written first: the second write does not move it.
  return capTables(capMemory(bytes, shape, limit), shape, limit);
}
