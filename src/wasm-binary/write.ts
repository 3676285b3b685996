/** Writes parts of WebAssembly's binary format (core specification, chapter 5). */
import { SECTION } from "./sections.js";

/** An unsigned LEB128 (5.2.2). */
export function leb128(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}

/** A name: its length, and its bytes in UTF-8 (5.2.4). */
export function nameBytes(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...leb128(bytes.length), ...bytes];
}

/** The bytes of several parts, one behind the other. */
export function concat(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** A section. */
export function section(id: number, content: Uint8Array | readonly number[]): Uint8Array {
  return concat([id, ...leb128(content.length)], content);
}

/** A custom section whose content is a text in UTF-8, or bytes. */
export function customSection(name: string, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return section(SECTION.custom, concat(nameBytes(name), bytes));
}
