/** The custom sections that make a module a guest: written into it, and read from it (docs/ABI.md). */
import { DocteurError } from "../errors.js";
import { readSections, SECTION } from "../wasm-binary/sections.js";
import { concat, customSection } from "../wasm-binary/write.js";
import { loadGuest } from "./index.js";
import { checkAbi, type Manifest, parseManifest } from "./manifest.js";
import { PAGE, PAGES_MAX, readModuleShape } from "./wasm-module.js";

const ABI = "solo5.abi";
const MANIFEST = "solo5.manifest";

/** The sections of a guest, as they are written. */
export interface GuestSections {
  abi: { target: string; version: number };
  manifest: Manifest & { type: string; version: number };
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/**
 * Writes the sections of a guest into a module, in place of those that it has.
 * @param module the module's bytes
 * @param manifest Solo5's manifest, JSON in UTF-8
 * @returns the bytes of a guest that the tender accepts
 * @throws DocteurError `BadGuest` if the module or the manifest is malformed, or the module is not a guest: it lacks an
 *   export, or imports something else than hypercalls
 */
export function writeGuestSections(module: Uint8Array, manifest: Uint8Array): Uint8Array {
  parseManifest([bufferOf(manifest)]);
  const text = JSON.stringify(JSON.parse(new TextDecoder().decode(manifest)));
  readModuleShape(module);
  const kept = [...readSections(module)].filter(
    ({ id, name }) => id !== SECTION.custom || (name !== ABI && name !== MANIFEST),
  );
  const result = concat(
    module.subarray(0, 8),
    ...kept.map(({ start, end }) => module.subarray(start, end)),
    customSection(ABI, JSON.stringify({ target: "wasm", version: 1 })),
    customSection(MANIFEST, text),
  );
  loadGuest(result as Uint8Array<ArrayBuffer>, PAGES_MAX * PAGE);
  return result;
}

/**
 * Reads the sections of a guest.
 * @param module the module's bytes
 * @throws DocteurError `BadGuest` if they are missing or malformed, or the module's frame is
 */
export function readGuestSections(module: Uint8Array): GuestSections {
  const contents = (wanted: string): ArrayBuffer[] =>
    [...readSections(module)]
      .filter(({ id, name }) => id === SECTION.custom && name === wanted)
      .map(({ content, end }) => bufferOf(module.subarray(content, end)));
  const abi = contents(ABI);
  checkAbi(abi);
  const manifest = contents(MANIFEST);
  parseManifest(manifest);
  const json = ([content]: ArrayBuffer[]): unknown => JSON.parse(new TextDecoder().decode(content));
  return { abi: json(abi), manifest: json(manifest) } as GuestSections;
}

/** The error that names the file. */
export function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof DocteurError) || error.code !== "BadGuest") return error;
  return new DocteurError("BadGuest", `${path}: ${error.message}`, { hint: error.hint, cause: error });
}
