/** The frame of a WebAssembly module (core specification, 5.5): its magic number and its sections, in their order. */
import { DocteurError } from "../errors.js";
import { Cursor } from "./cursor.js";

/** Section ids (5.5.2). */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** A section: its id, and places in the module's bytes. */
export interface Section {
  id: number;
  /** The place of its id byte. */
  start: number;
  /** The place of its content, which ends at `end`. For a custom section, the content begins behind the name. */
  content: number;
  end: number;
  /** The name of a custom section; empty for others. */
  name: string;
}

/**
 * The sections of a module, one by one.
 * @throws DocteurError `BadGuest` if the bytes do not begin like a core module, or a section runs past the end
 */
export function* readSections(bytes: Uint8Array): Generator<Section> {
  const magic = [0, 0x61, 0x73, 0x6d];
  if (bytes.length < 8 || magic.some((byte, index) => bytes[index] !== byte))
    throw new DocteurError("BadGuest", "not a WebAssembly module");
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (version !== 1)
    throw new DocteurError(
      "BadGuest",
      `not a WebAssembly core module of version 1 (0x${version.toString(16)})`,
    );
  const file = new Cursor(bytes, 8, bytes.length);
  while (file.at < file.end) {
    const start = file.at;
    const id = file.byte();
    const size = file.u32();
    if (size > file.end - file.at) throw file.fail("section runs past the end");
    const content = new Cursor(bytes, file.at, file.at + size);
    const name = id === SECTION.custom ? content.name() : "";
    yield { id, start, content: content.at, end: content.end, name };
    file.at = content.end;
  }
}
