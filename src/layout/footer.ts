/** Reads the footer of a layout section, with everything that can be told of it without the pages. */
import { crc32 } from "../git/crc32.js";
import { OID } from "../git/entry.js";
import { FIELD, FOOTER, type Footer, MAGIC, PAGE_SIZES, VERSION } from "./format.js";

/** What to do about a section that is of no use. */
export const REMADE = "docteur layout --add makes the section again";

/**
 * The end of an image: no section, one of another version, a damaged footer, or a section of this version. Of an earlier
 * version it is known how many bytes the image has without it.
 */
export type ImageEnd =
  | { state: "none" }
  | { state: "unknown"; version: number; bareSize?: number }
  | { state: "damaged"; reason: string }
  | { state: "found"; footer: Footer };

/** Whether a footer's checksum is right. Every version has it in this place. */
function isWhole(footer: Uint8Array): boolean {
  const view = new DataView(footer.buffer, footer.byteOffset, FOOTER);
  return crc32(footer.subarray(0, FIELD.crc)) === view.getUint32(FIELD.crc, true);
}

function parse(bytes: Uint8Array): Footer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FOOTER);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  return {
    pageSize: view.getUint32(FIELD.pageSize, true),
    firstPage: u64(FIELD.firstPage),
    pages: view.getUint32(FIELD.pages, true),
    leaves: view.getUint32(FIELD.leaves, true),
    seekPages: view.getUint32(FIELD.seekPages, true),
    paths: u64(FIELD.paths),
    commit: bytes.slice(FIELD.commit, FIELD.commit + OID),
    trailer: bytes.slice(FIELD.trailer, FIELD.trailer + OID),
    commitOffset: u64(FIELD.commitOffset),
    treeOffset: u64(FIELD.treeOffset),
    imageSize: u64(FIELD.imageSize),
    packSize: u64(FIELD.packSize),
    bareSize: u64(FIELD.bareSize),
  };
}

/** The reason why a footer cannot be that of the image; undefined if it can. */
function whyForeign(footer: Footer, capacity: number): string | undefined {
  const { pageSize, firstPage, pages, bareSize, imageSize } = footer;
  if (imageSize !== capacity) return `it is that of an image of ${imageSize} bytes`;
  if (!PAGE_SIZES.some((size) => size === pageSize)) return `its pages have ${pageSize} bytes`;
  if (pages < 2 || firstPage !== capacity - FOOTER - pages * pageSize || bareSize > firstPage)
    return "its pages are not in their place";
  return undefined;
}

/**
 * Looks for a section at the end of an image.
 * @param last the last 512 bytes of the image
 * @param capacity bytes of the image
 */
export function endOf(last: Uint8Array, capacity: number): ImageEnd {
  if (last.length < FOOTER) return { state: "none" };
  if (MAGIC.some((byte, at) => last[at] !== byte)) {
    const repaired = last.slice();
    repaired.set(MAGIC);
    return isWhole(repaired) ? { state: "damaged", reason: "its magic is wrong" } : { state: "none" };
  }
  if (!isWhole(last)) return { state: "damaged", reason: "its checksum is wrong" };
  const version = new DataView(last.buffer, last.byteOffset).getUint32(FIELD.version, true);
  if (version > VERSION) return { state: "unknown", version };
  const footer = parse(last);
  const reason = whyForeign(footer, capacity);
  if (version < VERSION && reason === undefined)
    return { state: "unknown", version, bareSize: footer.bareSize };
  return reason === undefined ? { state: "found", footer } : { state: "damaged", reason };
}

/** What is said of a section of another version, and what to do. */
export function aboutVersion(version: number): { message: string; hint: string } {
  return {
    message: `the layout section has version ${version}, which this docteur does not read`,
    hint: version < VERSION ? REMADE : "use the docteur that wrote it, or a later one",
  };
}
