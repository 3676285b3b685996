/**
 * Puts an image into a guest's module: a passive data segment, and the hypercalls `block_acquire` and `block_read` as
 * functions that read it. All of the module but the image itself is made here.
 */
import { DocteurError } from "../errors.js";
import { HYPERCALL_TYPES } from "../tender/hypercalls.js";
import { checkAbi, isDeviceName, type Manifest, parseManifest } from "../tender/manifest.js";
import { readModuleShape } from "../tender/wasm-module.js";
import { Cursor } from "../wasm-binary/cursor.js";
import { readSections, SECTION } from "../wasm-binary/sections.js";
import { concat, customSection, leb128, section } from "../wasm-binary/write.js";
import { acquireCode, type BlockDeviceFacts, readCode } from "./block-functions.js";
import { type Renumber, renumberSection } from "./renumber.js";

/** The most bytes of a module that engines take: V8 and SpiderMonkey have this limit. */
export const MODULE_MAX = 2 ** 30;
/** Bytes of the device's blocks. */
export const BLOCK_SIZE = 512;
/** The custom section that tells what is in a bundle. */
export const BUNDLE_SECTION = "docteur.bundle";

const TAG_SECTION = 13;
/** Sections in the order that a module has them in (5.5.16). */
const ORDER = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  TAG_SECTION,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

/** Custom sections that tell of functions by their index, or of places in the file: they would be wrong. */
const STALE =
  /^(?:name|linking|reloc\..*|\.debug_.*|sourceMappingURL|external_debug_info|metadata\.code\..*|dylink.*)$/;

/** The hypercalls that become functions of the module. */
const BLOCK_HYPERCALLS = ["block_acquire", "block_read"];

/** A guest's sections, taken apart. */
interface Guest {
  /** Contents by id. */
  sections: Map<number, Uint8Array>;
  custom: { name: string; content: Uint8Array }[];
  /** Undefined for a WASI command. */
  manifest: Manifest | undefined;
  importedFunctions: number;
  importedGlobals: number;
}

function refuse(why: string, hint?: string): DocteurError {
  return new DocteurError("BadGuest", why, { hint });
}

function contentsOf({ custom }: Pick<Guest, "custom">, wanted: string): ArrayBuffer[] {
  return custom.filter(({ name }) => name === wanted).map(({ content }) => new Uint8Array(content).buffer);
}

/** @throws DocteurError `BadGuest` */
function readGuest(bytes: Uint8Array): Guest {
  const { imports, memory } = readModuleShape(bytes);
  if (memory === undefined) throw refuse("the guest defines no memory");
  for (const { module, name, type } of imports)
    if (module === "solo5" && BLOCK_HYPERCALLS.includes(name) && type !== HYPERCALL_TYPES[name])
      throw refuse(`import solo5.${name} is of type ${type}, not ${HYPERCALL_TYPES[name]}`);
  try {
    new WebAssembly.Module(bytes as BufferSource);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^WebAssembly\.Module\(\): /, "");
    throw new DocteurError("BadGuest", `not a valid WebAssembly module: ${why}`, { cause });
  }
  const sections = new Map<number, Uint8Array>();
  const custom: Guest["custom"] = [];
  for (const { id, name, content, end } of readSections(bytes)) {
    if (id === SECTION.custom) custom.push({ name, content: bytes.subarray(content, end) });
    else if (!ORDER.includes(id as (typeof ORDER)[number])) throw refuse(`unsupported section ${id}`);
    else sections.set(id, bytes.subarray(content, end));
  }
  if (custom.some(({ name }) => name === BUNDLE_SECTION))
    throw refuse("an image is in this module already", "give the guest that it was made of");
  const isSolo5 = custom.some(({ name }) => name.startsWith("solo5."));
  if (isSolo5) checkAbi(contentsOf({ custom }, "solo5.abi"));
  return {
    sections,
    custom,
    manifest: isSolo5 ? parseManifest(contentsOf({ custom }, "solo5.manifest")) : undefined,
    importedFunctions: imports.filter(({ kind }) => kind === "function").length,
    importedGlobals: imports.filter(({ kind }) => kind === "global").length,
  };
}

/** An import of the two hypercalls: the index of its function, and of its type. */
interface BlockImport {
  name: string;
  index: number;
  type: number;
}

/** Where an import's bytes are in the section. */
interface ImportBytes {
  bytes: Uint8Array;
  block: BlockImport | undefined;
}

/** The imports one by one. The module is valid: what `readModuleShape` has read is not checked again. */
function readImports(content: Uint8Array): ImportBytes[] {
  const cursor = new Cursor(content, 0, content.length);
  const found: ImportBytes[] = [];
  let functions = 0;
  for (const _ of cursor.vector()) {
    const start = cursor.at;
    const [module, name] = [cursor.name(), cursor.name()];
    const kind = cursor.byte();
    let block: BlockImport | undefined;
    if (kind === 0) {
      const type = cursor.u32();
      const isBlock = module === "solo5" && BLOCK_HYPERCALLS.includes(name);
      if (isBlock) block = { name, index: functions, type };
      functions++;
    } else if (kind === 3) cursor.skip(2);
    else throw refuse("the guest imports a memory, a table or a tag");
    found.push({ bytes: content.subarray(start, cursor.at), block });
  }
  return found;
}

/** The count of a section that is a vector. */
function countOf(content: Uint8Array | undefined): number {
  return content === undefined ? 0 : new Cursor(content, 0, content.length).u32();
}

/** A section that is a vector, with more elements at its front or its end. */
function extend(content: Uint8Array | undefined, front: number[][], end: number[][] = []): Uint8Array {
  const bytes = content ?? Uint8Array.of(0);
  const cursor = new Cursor(bytes, 0, bytes.length);
  const count = cursor.u32() + front.length + end.length;
  return concat(leb128(count), ...front, bytes.subarray(cursor.at), ...end);
}

/** The bytes of a bundle around its image. */
export interface BundleParts {
  /** From the module's first byte to the image. */
  head: Uint8Array;
  /** Makes the rest of the module. @param info the content of `BUNDLE_SECTION` */
  tail(info: string): Uint8Array;
  /** Whether it is a WASI command, rather than a guest of the tender's. */
  isWasi: boolean;
}

/** The manifest section without the device. */
function manifestWithout(manifest: Manifest, device: string): Uint8Array {
  const devices = manifest.devices.filter(({ name }) => name !== device);
  return customSection("solo5.manifest", JSON.stringify({ type: "solo5.manifest", version: 1, devices }));
}

function checkDevice(guest: Guest, device: string): void {
  if (!isDeviceName(device)) throw new DocteurError("InvalidArgument", `not a device's name: ${device}`);
  const { manifest } = guest;
  if (manifest === undefined) return;
  const found = manifest.devices.find(({ name }) => name === device);
  const names = manifest.devices.map(({ name }) => name).join(", ") || "none";
  if (found === undefined) throw refuse(`the guest has no device '${device}'`, `its devices are: ${names}`);
  if (found.type !== "BLOCK_BASIC") throw refuse(`device '${device}' is of type ${found.type}`);
}

/** The imports of `block_acquire` and `block_read`. */
function blockImports(imports: readonly ImportBytes[]): BlockImport[] {
  const found = imports.flatMap(({ block }) => block ?? []);
  for (const wanted of BLOCK_HYPERCALLS)
    if (!found.some(({ name }) => name === wanted))
      throw refuse(`the guest reads no block device: it does not import solo5.${wanted}`);
  return found;
}

/**
 * Makes the bytes of a bundle around its image.
 * @param bytes the guest: one of the tender's, or a WASI command that imports `solo5.block_acquire` and `block_read`
 * @param device the name of the device that the image takes the place of
 * @param capacity bytes of the image, a multiple of `BLOCK_SIZE`
 * @throws DocteurError `BadGuest`; `InvalidArgument` if the module would be larger than `MODULE_MAX`
 */
export function bundleParts(bytes: Uint8Array, device: string, capacity: number): BundleParts {
  const guest = readGuest(bytes);
  checkDevice(guest, device);
  const { sections, manifest } = guest;
  const imports = readImports(sections.get(SECTION.import) ?? Uint8Array.of(0));
  const blocks = blockImports(imports);
  const first = (wanted: string): BlockImport => blocks.find(({ name }) => name === wanted)!;
  const hasOthers = manifest !== undefined && manifest.devices.length > 1;
  const removed = hasOthers ? [] : blocks.map(({ index }) => index);
  // Functions: the imports that stay, block_acquire, block_read, the guest's own.
  const acquire = guest.importedFunctions - removed.length;
  const renumber: Renumber = (index) => {
    const block = blocks.find((one) => one.index === index);
    if (block !== undefined) return block.name === "block_acquire" ? acquire : acquire + 1;
    if (index >= guest.importedFunctions) return index - guest.importedFunctions + acquire + 2;
    return index - removed.filter((one) => one < index).length;
  };
  const facts: BlockDeviceFacts = {
    name: device,
    capacity,
    blockSize: BLOCK_SIZE,
    segment: countOf(sections.get(SECTION.data)),
    acquired: guest.importedGlobals + countOf(sections.get(SECTION.global)),
    acquireOther: hasOthers ? first("block_acquire").index : undefined,
    readOther: hasOthers ? first("block_read").index : undefined,
  };
  const kept = imports.filter(({ block }) => hasOthers || block === undefined).map((one) => one.bytes);
  const types = [first("block_acquire").type, first("block_read").type].map(leb128);
  const renumbered = new Map([...sections].map(([id, one]) => [id, renumberSection(id, one, renumber)]));
  renumbered.set(SECTION.import, concat(leb128(kept.length), ...kept));
  renumbered.set(SECTION.function, extend(renumbered.get(SECTION.function), types));
  renumbered.set(SECTION.global, extend(renumbered.get(SECTION.global), [], [[0x7f, 1, 0x41, 0, 0x0b]]));
  renumbered.set(SECTION.dataCount, Uint8Array.from(leb128(facts.segment + 1)));
  const codes = [acquireCode(facts), readCode(facts)];
  renumbered.set(SECTION.code, extend(renumbered.get(SECTION.code), codes));
  // The data section ends with the image: a passive segment.
  const data = extend(renumbered.get(SECTION.data), [], [[1, ...leb128(capacity)]]);
  const parts: (Uint8Array | number[])[] = [[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]];
  for (const id of ORDER) {
    const content = renumbered.get(id);
    if (id === SECTION.data) parts.push([id, ...leb128(data.length + capacity)], data);
    else if (content !== undefined) parts.push(section(id, content));
  }
  const custom = guest.custom
    .filter(({ name }) => !STALE.test(name))
    .map(({ name, content }) =>
      name === "solo5.manifest" ? manifestWithout(manifest!, device) : customSection(name, content),
    );
  const head = concat(...parts);
  const size = head.length + capacity + custom.reduce((sum, one) => sum + one.length, 0) + 1024;
  if (size > MODULE_MAX)
    throw new DocteurError(
      "InvalidArgument",
      `the image of ${capacity} bytes is too large: engines take modules of ${MODULE_MAX} bytes at most`,
      { hint: "give the guest the image as a block device instead" },
    );
  const tail = (info: string): Uint8Array => concat(...custom, customSection(BUNDLE_SECTION, info));
  return { head, tail, isWasi: manifest === undefined };
}
