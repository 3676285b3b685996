/**
 * Custom sections of a WebAssembly module (core specification, 5.5.3). The engine can read them; this file
 * appends them.
 */

function leb128(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) | (rest > 0 ? 0x80 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

/**
 * Appends a custom section to a module.
 * @param module the module's bytes
 * @param name the section's name
 * @param content its content, written as UTF-8
 * @returns the bytes of the new module
 */
export function appendCustomSection(module: Uint8Array, name: string, content: string): Uint8Array {
  const encoder = new TextEncoder();
  const nameBytes = encoder.encode(name);
  const contentBytes = encoder.encode(content);
  const nameLen = leb128(nameBytes.length);
  const size = leb128(nameLen.length + nameBytes.length + contentBytes.length);
  const section = [Uint8Array.of(0, ...size, ...nameLen), nameBytes, contentBytes];
  const result = new Uint8Array(module.length + section.reduce((sum, part) => sum + part.length, 0));
  result.set(module);
  let at = module.length;
  for (const part of section) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
