/**
 * Makes an object file of a finished module, for wasm-ld and other linkers
 * (https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md). AssemblyScript's compiler writes no
 * relocations. They are found by comparison: the module is compiled for several places of its static data, and a
 * constant that moves with the data is an address. Whatever else differs is an error.
 *
 * The static data is zeros for the most part. It becomes a segment of zeros (`.bss`), which linkers leave out of the
 * guest, and a short segment of what is not zero. The entry copies the latter into the former before it runs first.
 */
import { Cursor } from "../../src/wasm-binary/cursor.js";
import { type Immediate, walkCode, walkExpression } from "../../src/wasm-binary/instructions.js";
import { readSections, SECTION } from "../../src/wasm-binary/sections.js";
import { concat, customSection, leb128, nameBytes, section } from "../../src/wasm-binary/write.js";

/** A build of the module, whose static data begins at `base`. */
export interface Placed {
  base: number;
  bytes: Uint8Array;
}

/** Types of relocations. */
const RELOCATION = { functionIndex: 0, memoryAddress: 4, globalIndex: 7 } as const;
/** Kinds and flags of symbols. */
const SYMBOL = { function: 0, data: 1, global: 2 } as const;
const FLAG = { local: 2, hidden: 4, undefined: 16, explicitName: 64 } as const;
/** Subsections of `linking`. */
const LINKING = { version: 2, segments: 5, symbols: 8 } as const;

const I32 = 0x7f;
/** Bytes of a padded LEB128, in which a linker can write any index or address. */
const PADDED = 5;
const PAGE = 65536;
/** Zeros that are copied rather than another piece begun. */
const SHORT_GAP = 16;

interface Relocation {
  type: number;
  /** Where in the content of the code section. */
  offset: number;
  symbol: number;
  addend?: number;
}

/** A piece of static data. */
interface Piece {
  /** From the beginning of the static data. */
  offset: number;
  bytes: Uint8Array;
}

/** The parts of the module that the object file is made of. */
interface Parts {
  types: Uint8Array;
  import: { module: string; name: string; type: number };
  /** The types of the functions that the module defines. */
  functions: number[];
  /** The module's globals: type, mutability and value, as they are. */
  globals: Uint8Array[];
  exports: Map<number, string>;
  start: number | undefined;
  /** Each function's code, without its size. */
  codes: Uint8Array[];
  pieces: Piece[];
}

function signedLeb128(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const byte = rest & 0x7f;
    if (rest >> 7 === (byte & 0x40 ? -1 : 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

function padded(value: number): number[] {
  return Array.from({ length: PADDED }, (_, index) => {
    const bits = Math.floor(value / 2 ** (7 * index)) % 128;
    return index < PADDED - 1 ? bits | 0x80 : bits;
  });
}

function vectorOf(items: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return concat(leb128(items.length), ...items);
}

function readParts({ base, bytes }: Placed): Parts {
  const parts: Parts = {
    types: new Uint8Array(0),
    import: { module: "", name: "", type: 0 },
    functions: [],
    globals: [],
    exports: new Map(),
    start: undefined,
    codes: [],
    pieces: [],
  };
  const readers: Record<number, (cursor: Cursor) => void> = {
    [SECTION.type]: (cursor) => {
      parts.types = bytes.subarray(cursor.at, cursor.end);
    },
    [SECTION.import]: (cursor) => {
      if (cursor.u32() !== 1) throw cursor.fail("more than one import");
      const [module, name] = [cursor.name(), cursor.name()];
      if (cursor.byte() !== 0) throw cursor.fail("import that is not a function");
      parts.import = { module, name, type: cursor.u32() };
    },
    [SECTION.function]: (cursor) => {
      for (const _ of cursor.vector()) parts.functions.push(cursor.u32());
    },
    [SECTION.global]: (cursor) => {
      for (const _ of cursor.vector()) {
        const start = cursor.at;
        cursor.skip(2);
        walkExpression(cursor, () => {});
        parts.globals.push(bytes.subarray(start, cursor.at));
      }
    },
    [SECTION.export]: (cursor) => {
      for (const _ of cursor.vector()) {
        const name = cursor.name();
        const kind = cursor.byte();
        const number = cursor.u32();
        if (kind === 0) parts.exports.set(number, name);
      }
    },
    [SECTION.start]: (cursor) => {
      parts.start = cursor.u32();
    },
    [SECTION.code]: (cursor) => {
      for (const _ of cursor.vector()) {
        const size = cursor.u32();
        parts.codes.push(bytes.subarray(cursor.at, cursor.at + size));
        cursor.skip(size);
      }
    },
    [SECTION.data]: (cursor) => {
      for (const _ of cursor.vector()) {
        if (cursor.u32() !== 0) throw cursor.fail("segment that is not active");
        let address = -1;
        walkExpression(cursor, ({ value }) => {
          address = value;
        });
        const size = cursor.u32();
        parts.pieces.push({ offset: address - base, bytes: bytes.subarray(cursor.at, cursor.at + size) });
        cursor.skip(size);
      }
    },
    [SECTION.memory]: () => {},
    [SECTION.dataCount]: () => {},
    [SECTION.custom]: () => {},
  };
  for (const { id, content, end } of readSections(bytes)) {
    const read = readers[id];
    if (read === undefined) throw new Error(`object file: section ${id} is not expected`);
    read(new Cursor(bytes, content, end));
  }
  return parts;
}

function immediatesOf(code: Uint8Array): Immediate[] {
  const found: Immediate[] = [];
  walkCode(new Cursor(code, 0, code.length), (immediate) => found.push(immediate));
  return found;
}

/** Throws unless the parts that no address is in are alike in all builds. */
function checkAlike(builds: readonly Parts[]): void {
  const [first] = builds;
  const text = ({ types, functions, globals, exports, pieces, codes, start }: Parts): string =>
    JSON.stringify([
      [Buffer.from(types).toString("hex"), functions, [...exports], start, codes.length],
      globals.map((bytes) => Buffer.from(bytes).toString("hex")),
      pieces.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString("hex")]),
    ]);
  if (builds.some((build) => text(build) !== text(first!)))
    throw new Error("object file: builds for different addresses differ in more than addresses");
}

/** Pieces with few zeros between them become one. */
function joinPieces(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const { offset, bytes } of [...pieces].sort((left, right) => left.offset - right.offset)) {
    const last = joined.at(-1);
    const gap = last === undefined ? SHORT_GAP : offset - last.offset - last.bytes.length;
    if (last !== undefined && gap < SHORT_GAP) last.bytes = concat(last.bytes, new Uint8Array(gap), bytes);
    else joined.push({ offset, bytes });
  }
  return joined;
}

/** The end of the static data, which the module tells when it runs. */
function staticSize({ base, bytes }: Placed, name: string): number {
  const { module, name: field } = readParts({ base, bytes }).import;
  const imports = { [module]: { [field]: () => 0 } };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports);
  return (instance.exports[name] as WebAssembly.Global).value - base;
}

/** Gathers the code section and its relocations. */
class CodeWriter {
  readonly #chunks: Uint8Array[] = [];
  #length: number;
  readonly relocations: Relocation[] = [];

  /** @param count functions */
  constructor(count: number) {
    const head = Uint8Array.from(leb128(count));
    this.#chunks.push(head);
    this.#length = head.length;
  }

  /** Appends a function: bytes, and relocations with offsets into them. */
  add(code: Uint8Array, relocations: readonly Relocation[]): void {
    const size = leb128(code.length);
    for (const relocation of relocations)
      this.relocations.push({ ...relocation, offset: this.#length + size.length + relocation.offset });
    this.#chunks.push(Uint8Array.from(size), code);
    this.#length += size.length + code.length;
  }

  content(): Uint8Array {
    return concat(...this.#chunks);
  }
}

/** A function's code under construction. */
class Code {
  readonly #parts: number[] = [];
  readonly relocations: Relocation[] = [];

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  /** An index or an address that the linker sets. */
  relocated(type: number, symbol: number, value: number, addend?: number): this {
    this.relocations.push({
      type,
      symbol,
      offset: this.#parts.length,
      ...(addend === undefined ? {} : { addend }),
    });
    return this.raw(padded(value));
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

/** Writes one object file. */
class ObjectFile {
  readonly #parts: Parts;
  readonly #builds: readonly { base: number; parts: Parts }[];
  readonly #entry: string;
  readonly #size: number;
  readonly #pieces: Piece[];

  constructor(builds: readonly Placed[], entry: string, sizeName: string) {
    this.#builds = builds.map((build) => ({ base: build.base, parts: readParts(build) }));
    this.#parts = this.#builds[0]!.parts;
    checkAlike(this.#builds.map(({ parts }) => parts));
    this.#entry = entry;
    this.#size = staticSize(builds[0]!, sizeName);
    this.#pieces = joinPieces(this.#parts.pieces);
  }

  // Symbols: the import; the functions; the new entry; the globals; whether the data is there; zeros, and the rest.
  get #functionCount(): number {
    return this.#parts.functions.length + 1;
  }
  get #newEntry(): number {
    return this.#functionCount;
  }
  #globalSymbol(index: number): number {
    return this.#functionCount + 1 + index;
  }
  get #zerosSymbol(): number {
    return this.#globalSymbol(this.#parts.globals.length + 1);
  }
  get #restSymbol(): number {
    return this.#zerosSymbol + 1;
  }
  /** The place of the second segment behind the first, as the object file has them. */
  get #restPlace(): number {
    return Math.ceil(this.#size / 16) * 16;
  }
  get #oldEntry(): number {
    for (const [index, name] of this.#parts.exports) if (name === this.#entry) return index;
    throw new Error(`object file: no function ${this.#entry}`);
  }

  #address(code: Code, offset: number): void {
    code.raw([0x41]).relocated(RELOCATION.memoryAddress, this.#zerosSymbol, offset, offset);
  }

  /** A function of the module, with relocations in place of what a linker moves. */
  #relocate(index: number): Code {
    const variants = this.#builds.map(({ base, parts }) => {
      const bytes = parts.codes[index]!;
      return { base, bytes, immediates: immediatesOf(bytes), at: 0 };
    });
    const [first] = variants;
    const code = new Code();
    const differ = (): Error => new Error(`object file: function ${index} differs in more than addresses`);
    const between = (end: (variant: (typeof variants)[number]) => number): void => {
      const texts = variants.map((variant) => variant.bytes.subarray(variant.at, end(variant)));
      if (texts.some((text) => Buffer.compare(text, texts[0]!) !== 0)) throw differ();
      code.raw(texts[0]!);
    };
    if (variants.some(({ immediates }) => immediates.length !== first!.immediates.length)) throw differ();
    for (const [number, { kind, value }] of first!.immediates.entries()) {
      between(({ immediates }) => immediates[number]!.start);
      for (const variant of variants) variant.at = variant.immediates[number]!.end;
      const others = variants.map(({ base, immediates }) => ({ base, ...immediates[number]! }));
      if (others.some((other) => other.kind !== kind)) throw differ();
      const isFixed = others.every((other) => other.value === value);
      if (kind === "i32" && isFixed) code.raw(signedLeb128(value));
      else if (kind === "i32") {
        const offset = value - others[0]!.base;
        if (others.some((other) => other.value - other.base !== offset) || offset < 0 || offset > this.#size)
          throw differ();
        code.relocated(RELOCATION.memoryAddress, this.#zerosSymbol, offset, offset);
      } else if (!isFixed) throw differ();
      else if (kind === "function") code.relocated(RELOCATION.functionIndex, value, value);
      else if (kind === "global") code.relocated(RELOCATION.globalIndex, this.#globalSymbol(value), value);
      else throw new Error(`object file: function ${index} has a ${kind}'s index`);
    }
    between(({ bytes }) => bytes.length);
    return code;
  }

  /** The entry: before it runs first, it puts the data in its place and calls the start function. */
  #writeEntry(): Code {
    const code = new Code();
    const flag = this.#parts.globals.length;
    const isReady = (opcode: number): Code =>
      code.raw([opcode]).relocated(RELOCATION.globalIndex, this.#globalSymbol(flag), flag);
    code.raw([0]);
    isReady(0x23);
    // if (!isReady) isReady = 1
    code.raw([0x45, 0x04, 0x40, 0x41, 1]);
    isReady(0x24);
    let from = 0;
    for (const { offset, bytes } of this.#pieces) {
      this.#address(code, offset);
      code.raw([0x41]).relocated(RELOCATION.memoryAddress, this.#restSymbol, this.#restPlace + from, from);
      // memory.copy
      code.raw([0x41, ...signedLeb128(bytes.length), 0xfc, 10, 0, 0]);
      from += bytes.length;
    }
    const call = (index: number): Code => code.raw([0x10]).relocated(RELOCATION.functionIndex, index, index);
    if (this.#parts.start !== undefined) call(this.#parts.start);
    code.raw([0x0b]);
    for (let index = 0; index < this.#entryParameters(); index++) code.raw([0x20, ...leb128(index)]);
    call(this.#oldEntry);
    return code.raw([0x0b]);
  }

  get #entryType(): number {
    return this.#parts.functions[this.#oldEntry - 1]!;
  }

  #entryParameters(): number {
    const { types } = this.#parts;
    const cursor = new Cursor(types, 0, types.length);
    const counts: number[] = [];
    for (const _ of cursor.vector()) {
      cursor.skip(1);
      const count = cursor.u32();
      cursor.skip(count);
      cursor.skip(cursor.u32());
      counts.push(count);
    }
    return counts[this.#entryType]!;
  }

  #symbols(): Uint8Array {
    const { module, name } = this.#parts.import;
    const symbols: number[][] = [
      [SYMBOL.function, ...leb128(FLAG.undefined | FLAG.explicitName), 0, ...nameBytes(`${module}_${name}`)],
    ];
    for (let index = 1; index < this.#functionCount; index++) {
      const exported = index === this.#oldEntry ? undefined : this.#parts.exports.get(index);
      const flags = exported === undefined ? FLAG.local : FLAG.hidden;
      const symbol = exported ?? `docteur.function.${index}`;
      symbols.push([SYMBOL.function, flags, ...leb128(index), ...nameBytes(symbol)]);
    }
    symbols.push([SYMBOL.function, FLAG.hidden, ...leb128(this.#newEntry), ...nameBytes(this.#entry)]);
    for (let index = 0; index <= this.#parts.globals.length; index++)
      symbols.push([SYMBOL.global, FLAG.local, ...leb128(index), ...nameBytes(`docteur.global.${index}`)]);
    const rest = this.#pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [index, size] of [this.#size, rest].entries())
      symbols.push([
        SYMBOL.data,
        FLAG.local,
        ...nameBytes(`docteur.data.${index}`),
        index,
        0,
        ...leb128(size),
      ]);
    return vectorOf(symbols);
  }

  #linking(): Uint8Array {
    const alignment = 4;
    const segments = [".bss.docteur", ".rodata.docteur"].map((name) => [...nameBytes(name), alignment, 0]);
    return concat(
      [LINKING.version],
      section(LINKING.segments, vectorOf(segments)),
      section(LINKING.symbols, this.#symbols()),
    );
  }

  #data(): Uint8Array {
    const segment = (place: number, bytes: Uint8Array): Uint8Array =>
      concat([0, 0x41, ...signedLeb128(place), 0x0b, ...leb128(bytes.length)], bytes);
    const rest = concat(...this.#pieces.map(({ bytes }) => bytes));
    return vectorOf([segment(0, new Uint8Array(this.#size)), segment(this.#restPlace, rest)]);
  }

  write(): Uint8Array {
    const parts = this.#parts;
    const code = new CodeWriter(parts.codes.length + 1);
    for (let index = 0; index < parts.codes.length; index++) {
      const { relocations, bytes } = this.#withBytes(this.#relocate(index));
      code.add(bytes, relocations);
    }
    const entry = this.#withBytes(this.#writeEntry());
    code.add(entry.bytes, entry.relocations);
    const memory = [...nameBytes("env"), ...nameBytes("__linear_memory"), 2, 0, 1];
    const { module, name, type } = parts.import;
    const imported = [...nameBytes(module), ...nameBytes(name), 0, ...leb128(type)];
    const functions = [...parts.functions, this.#entryType].map(leb128);
    const flag = [I32, 1, 0x41, 0, 0x0b];
    const relocations = code.relocations.map(({ type: kind, offset, symbol, addend }) => [
      kind,
      ...leb128(offset),
      ...leb128(symbol),
      ...(addend === undefined ? [] : signedLeb128(addend)),
    ]);
    const features = ["bulk-memory", "mutable-globals", "sign-ext"].map((feature) => [
      0x2b,
      ...nameBytes(feature),
    ]);
    // In this order: the code section is the fifth.
    const codeSection = 4;
    return concat(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(SECTION.type, parts.types),
      section(SECTION.import, vectorOf([memory, imported])),
      section(SECTION.function, vectorOf(functions)),
      section(SECTION.global, vectorOf([...parts.globals, flag])),
      section(SECTION.code, code.content()),
      section(SECTION.data, this.#data()),
      customSection("linking", this.#linking()),
      customSection("reloc.CODE", concat([codeSection], vectorOf(relocations))),
      customSection("target_features", vectorOf(features)),
    );
  }

  #withBytes(code: Code): { bytes: Uint8Array; relocations: Relocation[] } {
    return { bytes: code.bytes(), relocations: code.relocations };
  }
}

/** The first places of static data to compile for: none is near a power of two, where constants change their shape. */
export const BASES = [33, 67, 131].map((pages) => pages * PAGE);

/**
 * Makes an object file.
 * @param builds the module, compiled for each of `BASES`
 * @param entry the exported function that has to be called before all others
 * @param sizeName an exported global that holds the end of the static data
 * @throws Error if the builds differ in more than addresses
 */
export function makeObjectFile(builds: readonly Placed[], entry: string, sizeName: string): Uint8Array {
  return new ObjectFile(builds, entry, sizeName).write();
}
