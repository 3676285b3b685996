/** Writes zip archives, sound ones and others, header by header (APPNOTE.TXT). */
import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../src/git/crc32.js";

/** What a header says; a local one is like its central one, but for what `local` gives. */
interface ZipFields {
  name: string | Uint8Array;
  flags: number;
  method: number;
  crc: number;
  /** Bytes as they are stored, and as they are. */
  stored: number;
  size: number;
}

/** A member. What is not given is as Info-ZIP on Unix would have it. */
export interface ZipMember extends Partial<Omit<ZipFields, "name">> {
  name: string | Uint8Array;
  content?: string | Uint8Array;
  /** The bytes that stand for the content, where they are not the content's. */
  raw?: Uint8Array;
  host?: number;
  /** As stat(2) has it, with the type; in the upper half of the attributes. */
  mode?: number;
  /** All of the attributes. */
  attributes?: number;
  extra?: Uint8Array;
  local?: Partial<ZipFields>;
  /** The offset of the local header, where it is not the member's own. */
  offset?: number;
}

const bytes = (text: string | Uint8Array): Buffer =>
  typeof text === "string" ? Buffer.from(text) : Buffer.from(text);

/** The fields that both headers have, from the flags on. */
function shared({ name, flags, method, crc, stored, size }: ZipFields, extraLen: number): Buffer {
  const buffer = Buffer.alloc(24);
  buffer.writeUInt16LE(flags, 0);
  buffer.writeUInt16LE(method, 2);
  buffer.writeUInt16LE(0x6000, 4);
  buffer.writeUInt16LE(0x5821, 6);
  buffer.writeUInt32LE(crc, 8);
  buffer.writeUInt32LE(stored, 12);
  buffer.writeUInt32LE(size, 16);
  buffer.writeUInt16LE(bytes(name).length, 20);
  buffer.writeUInt16LE(extraLen, 22);
  return buffer;
}

function words(...numbers: [number, 2 | 4][]): Buffer {
  return Buffer.concat(
    numbers.map(([number, length]) => {
      const buffer = Buffer.alloc(length);
      buffer.writeUIntLE(number, 0, length);
      return buffer;
    }),
  );
}

/** An extra field. */
export function extraField(id: number, data: Uint8Array): Buffer {
  return Buffer.concat([words([id, 2], [data.length, 2]), data]);
}

/** Where a member begins, and its header in the central directory. */
function memberOf(member: ZipMember, at: number): { local: Buffer; central: Buffer } {
  const { method = 8, host = 3, mode = 0o100644, extra = new Uint8Array(0) } = member;
  const content = bytes(member.content ?? "");
  const raw = Buffer.from(member.raw ?? (method === 8 ? deflateRawSync(content) : content));
  const fields: ZipFields = {
    name: member.name,
    flags: member.flags ?? 0,
    method,
    crc: member.crc ?? crc32(content),
    stored: member.stored ?? raw.length,
    size: member.size ?? content.length,
  };
  const localFields = { ...fields, ...member.local };
  const local = Buffer.concat([
    words([0x04034b50, 4], [20, 2]),
    shared(localFields, 0),
    bytes(localFields.name),
    raw,
  ]);
  const attributes = member.attributes ?? mode * 0x10000;
  const central = Buffer.concat([
    words([0x02014b50, 4], [host * 256 + 30, 2], [20, 2]),
    shared(fields, extra.length),
    words([0, 2], [0, 2], [0, 2], [attributes, 4], [member.offset ?? at, 4]),
    bytes(fields.name),
    extra,
  ]);
  return { local, central };
}

/** An archive. @param count the number of members that it announces, where that is not theirs */
export function zipOf(members: readonly ZipMember[], count = members.length): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const member of members) {
    const { local, central } = memberOf(member, at);
    locals.push(local);
    centrals.push(central);
    at += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = words(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [directory.length, 4],
    [at, 4],
    [0, 2],
  );
  return Buffer.concat([...locals, directory, end]);
}
