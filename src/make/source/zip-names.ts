/** Names of members of zip archives, as byte strings (APPNOTE.TXT, 4.4.2, 4.4.17, 4.6.9 and appendix D). */
import { crc32 } from "../../git/crc32.js";

/** The parts of a member's header that decide about its name. */
export interface ZipName {
  raw: Buffer;
  /** Whether the header says that the name is UTF-8. */
  isUtf8: boolean;
  /** The system of the program that made the archive: one of `HOST`, or another. */
  host: number;
  extraFields: readonly { id: number; data: Buffer }[];
}

/** Systems that make archives. */
export const HOST = { fat: 0, unix: 3, hpfs: 6, ntfs: 10, vfat: 14, macos: 19 } as const;

/** Systems on which a backslash separates the names of a path, and names were in the code page 437. */
const DOS_HOSTS: readonly number[] = [HOST.fat, HOST.hpfs, HOST.ntfs, HOST.vfat];

/** The characters 128 to 255 of the code page 437. */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
  "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** The extra field with a name in UTF-8 ("Info-ZIP Unicode Path"): version 1, a CRC-32 of the raw name, the name. */
const UNICODE_PATH = { id: 0x7075, version: 1, nameAt: 5 } as const;

function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function unicodePath({ raw, extraFields }: ZipName): Buffer | undefined {
  const { id, version, nameAt } = UNICODE_PATH;
  const data = extraFields.find((field) => field.id === id)?.data;
  if (data === undefined || data.length < nameAt || data[0] !== version) return undefined;
  // Another program may have renamed the member, and not this field.
  return data.readUInt32LE(1) === crc32(raw) ? data.subarray(nameAt) : undefined;
}

function fromCp437(raw: Buffer): string {
  let text = "";
  for (const byte of raw) text += byte < 0x80 ? String.fromCharCode(byte) : CP437[byte - 0x80]!;
  return Buffer.from(text).toString("latin1");
}

/**
 * The name of a member. Names of Unix systems that are not marked as UTF-8 are the bytes that the system had.
 * @returns undefined if the archive says that it is UTF-8, and it is not
 */
export function zipName(name: ZipName): string | undefined {
  const { raw, isUtf8, host } = name;
  const unicode = isUtf8 ? raw : unicodePath(name);
  if (unicode !== undefined && !isValidUtf8(unicode)) return undefined;
  const isDos = DOS_HOSTS.includes(host);
  const text = unicode?.toString("latin1") ?? (isDos ? fromCp437(raw) : raw.toString("latin1"));
  return isDos ? text.replaceAll("\\", "/") : text;
}
