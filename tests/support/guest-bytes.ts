/** Guests made byte by byte, so that any part of one can be wrong. */

/** Value types by name. */
const TYPES: Record<string, number> = { i32: 0x7f, i64: 0x7e };

/** A function's type: parameters and results. */
export type Signature = [params: string[], results: string[]];

/** What a crafted guest is made of. The default is a sound guest without devices that returns 42. */
export interface GuestParts {
  /** Custom sections in order: name and content. */
  sections?: [name: string, content: string | Uint8Array][];
  imports?: { module: string; name: string; type: Signature }[];
  exports?: { name: string; kind: number; index: number }[];
  /** Content of the memory section; null: no such section. */
  memory?: number[] | null;
  /** Content of the table section; none by default. */
  tables?: number[];
  /** Content of the section of global variables; none by default. */
  globals?: number[];
  /** Local variables of `solo5_app_main`, all of them i32. */
  locals?: number;
  /** Instructions of `solo5_app_main`, which is the first function of the module's own. */
  body?: number[];
  main?: Signature;
  /** Instructions of a start function. */
  start?: number[];
}

export const ABI = '{"target":"wasm","version":1}';

/** Solo5's manifest that declares these block devices. */
export function manifestOf(...names: string[]): string {
  const devices = names.map((name) => ({ name, type: "BLOCK_BASIC" }));
  return JSON.stringify({ type: "solo5.manifest", version: 1, devices });
}

/** `i32.const 42` */
export const RETURN_42 = [0x41, 42];

export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

function vector(items: number[][]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function text(content: string | Uint8Array): number[] {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return [...leb(bytes.length), ...bytes];
}

export function section(id: number, content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function customSection(name: string, content: string | Uint8Array): number[] {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return section(0, [...text(name), ...bytes]);
}

/** Puts a guest together. */
export function guestBytes(parts: GuestParts = {}): Uint8Array<ArrayBuffer> {
  const {
    sections = [
      ["solo5.abi", ABI],
      ["solo5.manifest", manifestOf()],
    ],
    imports = [],
    memory = [1, 0, 1],
    body = RETURN_42,
    main = [[], ["i32"]],
    start,
    tables,
    globals,
    locals = 0,
  } = parts;
  const own = imports.length;
  const {
    exports = [
      { name: "memory", kind: 2, index: 0 },
      { name: "solo5_app_main", kind: 0, index: own },
    ],
  } = parts;
  const types = [...imports.map(({ type }) => type), main, [[], []] as Signature].map(([params, results]) => [
    0x60,
    ...vector(params.map((name) => [TYPES[name]!])),
    ...vector(results.map((name) => [TYPES[name]!])),
  ]);
  const code = (instructions: number[], count = 0): number[] => {
    const declared = count > 0 ? [1, ...leb(count), TYPES.i32!] : [0];
    const content = [...declared, ...instructions, 0x0b];
    return [...leb(content.length), ...content];
  };
  const functions = start === undefined ? [[own]] : [[own], [own + 1]];
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  module.push(...section(1, vector(types)));
  if (own > 0)
    module.push(
      ...section(
        2,
        vector(imports.map(({ module, name }, index) => [...text(module), ...text(name), 0, ...leb(index)])),
      ),
    );
  module.push(...section(3, vector(functions)));
  if (tables !== undefined) module.push(...section(4, tables));
  if (memory !== null) module.push(...section(5, memory));
  if (globals !== undefined) module.push(...section(6, globals));
  module.push(
    ...section(7, vector(exports.map(({ name, kind, index }) => [...text(name), kind, ...leb(index)]))),
  );
  if (start !== undefined) module.push(...section(8, leb(own + 1)));
  module.push(...section(10, vector([code(body, locals), ...(start === undefined ? [] : [code(start)])])));
  for (const [name, content] of sections) module.push(...customSection(name, content));
  return Uint8Array.from(module);
}
