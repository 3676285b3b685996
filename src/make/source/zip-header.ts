/**
 * A member of a zip archive: what its two headers say (APPNOTE.TXT, 4.3.7 and 4.3.12). The central directory counts,
 * and the local header must agree: programs that read only one of them would see different archives.
 */
import type { Entry } from "yauzl";
import type { Archive } from "./archive.js";
import { HOST } from "./zip-names.js";

/** Bits of the flags. */
const FLAG = {
  encrypted: 1,
  descriptor: 8,
  patched: 0x20,
  strong: 0x40,
  utf8: 0x800,
  masked: 0x2000,
} as const;

/** Methods of compression that are read. */
export const METHOD = { stored: 0, deflated: 8 } as const;

/** Names of the others, for people. */
const METHODS: Record<number, string> = {
  1: "shrunk",
  6: "imploded",
  9: "Deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "xz",
  98: "PPMd",
  99: "AES encryption",
};

/** The local header's fixed part, and its signature. */
const LOCAL = { length: 30, signature: 0x04034b50 } as const;
/** A size that stands in a field of 64 bits elsewhere. */
const ELSEWHERE = 0xffffffff;

/** Types in the upper half of the attributes of archives from Unix, as in stat(2). */
const TYPE = {
  mask: 0o170000,
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  link: 0o120000,
  socket: 0o140000,
} as const;

/** The bit for directories in the lower half: MS-DOS's. */
const DOS_DIRECTORY = 0x10;

/** A member's kind. */
export type ZipKind = "file" | "executable" | "directory" | "link" | "fifo" | "socket" | "device";

/** The system that made the member's header. */
export const hostOf = ({ versionMadeBy }: Entry): number => versionMadeBy >> 8;

/** Whether a member's name is marked as UTF-8. */
export const isUtf8 = ({ generalPurposeBitFlag }: Entry): boolean =>
  (generalPurposeBitFlag & FLAG.utf8) !== 0;

/** A member's kind. @param name of the member */
export function kindOf(entry: Entry, name: string): ZipKind {
  if (name.endsWith("/")) return "directory";
  const { externalFileAttributes: attributes } = entry;
  const host = hostOf(entry);
  const mode = host === HOST.unix || host === HOST.macos ? attributes >>> 16 : 0;
  switch (mode & TYPE.mask) {
    case TYPE.directory:
      return "directory";
    case TYPE.link:
      return "link";
    case TYPE.fifo:
      return "fifo";
    case TYPE.socket:
      return "socket";
    case TYPE.character:
    case TYPE.block:
      return "device";
  }
  if (mode === 0 && (attributes & DOS_DIRECTORY) !== 0) return "directory";
  return (mode & 0o100) !== 0 ? "executable" : "file";
}

/** The reason why a member's content cannot be read, for people; undefined if it can. */
export function whyUnreadable({
  generalPurposeBitFlag: flags,
  compressionMethod: method,
}: Entry): string | undefined {
  if ((flags & (FLAG.encrypted | FLAG.strong | FLAG.masked)) !== 0) return "it is encrypted";
  if ((flags & FLAG.patched) !== 0) return "it is a patch";
  if (method === METHOD.stored || method === METHOD.deflated) return undefined;
  return `it is compressed by ${METHODS[method] ?? `method ${method}`}`;
}

/** The place of a member's bytes in the archive. */
export interface Extent {
  /** Of its local header. */
  start: number;
  /** Of its content, as it is stored. */
  contentStart: number;
  end: number;
}

const DISAGREE = "its local header says other things than the central directory";

/** Whether the fixed part of a local header agrees with the central directory. */
function agrees(local: Buffer, entry: Entry): boolean {
  const flags = local.readUInt16LE(6);
  const isSize = (field: number, size: number): boolean => field === size || field === ELSEWHERE;
  return (
    local.readUInt16LE(8) === entry.compressionMethod &&
    local.readUInt16LE(26) === entry.fileNameLength &&
    ((flags ^ entry.generalPurposeBitFlag) & (FLAG.encrypted | FLAG.utf8)) === 0 &&
    // A program that writes to a pipe knows sizes and checksum only after the content.
    ((flags & FLAG.descriptor) !== 0 ||
      (local.readUInt32LE(14) === entry.crc32 &&
        isSize(local.readUInt32LE(18), entry.compressedSize) &&
        isSize(local.readUInt32LE(22), entry.uncompressedSize)))
  );
}

/**
 * Finds the content of a member, and compares its two headers.
 * @returns the defect, for people, if they do not agree or the content is not in the archive
 */
export function locateContent(archive: Archive, entry: Entry): Extent | { defect: string } {
  const { relativeOffsetOfLocalHeader: start, compressedSize } = entry;
  if (start + LOCAL.length > archive.size) return { defect: "its local header lies outside the archive" };
  const fixed = archive.read(start, LOCAL.length);
  if (fixed.readUInt32LE(0) !== LOCAL.signature) return { defect: "it has no local header" };
  if (!agrees(fixed, entry)) return { defect: DISAGREE };
  const nameLen = entry.fileNameLength;
  const contentStart = start + LOCAL.length + nameLen + fixed.readUInt16LE(28);
  const end = contentStart + compressedSize;
  if (end > archive.size) return { defect: "its content lies outside the archive" };
  if (!archive.read(start + LOCAL.length, nameLen).equals(entry.fileNameRaw)) return { defect: DISAGREE };
  return { start, contentStart, end };
}
