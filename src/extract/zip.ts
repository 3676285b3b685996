/**
 * A zip archive (PKWARE's APPNOTE.TXT 6.3.10): local headers with content, then the central directory. It is ZIP64
 * where sizes, offsets or counts need it. Times are in UTC, and again as Unix times (Info-ZIP's extra field `UT`);
 * modes are Unix modes.
 */
import { Deflate, deflateSync } from "fflate";
import { crc32 } from "../git/crc32.js";
import type { Member } from "./tar.js";

const STORED = 0;
const DEFLATED = 8;
/** Bit 3: sizes and checksum follow the content. Bit 11: the name is UTF-8. */
const FOLLOWS = 1 << 3;
const UTF8 = 1 << 11;
const UNIX = 3 << 8;
/** Versions of the format that a reader needs: 2.0, and 4.5 for ZIP64. */
const VERSION = 20;
const VERSION_64 = 45;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** Sizes from here on are ZIP64's: a stored block of deflate adds a few bytes. */
const LARGE = 0xff000000;

/** A member as the central directory lists it. */
interface Listed {
  name: Buffer;
  flags: number;
  method: number;
  crc: number;
  size: number;
  packed: number;
  offset: number;
  attributes: number;
  extra: Buffer;
}

/** Little-endian fields: widths in bytes and values. */
function fields(...pairs: readonly (readonly [width: 2 | 4 | 8, value: number])[]): Buffer {
  const buffer = Buffer.alloc(pairs.reduce((length, [width]) => length + width, 0));
  let at = 0;
  for (const [width, value] of pairs) {
    if (width === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, width);
    at += width;
  }
  return buffer;
}

/** Date and time of MS-DOS, in UTC: from 1980 to 2107, two seconds apart. */
function dosTime(seconds: number): number {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1980)) return (1 << 21) | (1 << 16);
  if (year > 2107) return 0xff9fbf7d;
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return day * 0x10000 + time;
}

/** The extra field `UT` with the modification time; nothing for a time that has no 32 bits. */
function unixTime(seconds: number): Buffer {
  if (seconds < -(2 ** 31) || seconds >= 2 ** 31) return Buffer.alloc(0);
  return Buffer.concat([fields([2, 0x5455], [2, 5]), Buffer.of(1), fields([4, seconds >>> 0])]);
}

const MODES = { file: 0o100644, executable: 0o100755, symlink: 0o120777, directory: 0o040755 } as const;
/** MS-DOS's mark of directories. */
const DOS_DIRECTORY = 0x10;

function isUtf8(name: Buffer): boolean {
  return name.equals(Buffer.from(name.toString("utf8")));
}

/** Writes one archive, member by member. */
export class ZipWriter {
  readonly #listed: Listed[] = [];
  readonly #seconds: number;
  #length = 0;

  /** @param seconds since 1970: the time of all members */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  *#out(bytes: Uint8Array): Generator<Uint8Array> {
    this.#length += bytes.length;
    if (bytes.length > 0) yield bytes;
  }

  #list({ kind, path }: Pick<Member, "kind" | "path">, crc: number, size: number, packed: number): Listed {
    const name = Buffer.from(path, "latin1");
    const attributes = MODES[kind] * 0x10000 + (kind === "directory" ? DOS_DIRECTORY : 0);
    const flags = name.some((byte) => byte > 0x7f) && isUtf8(name) ? UTF8 : 0;
    const extra = unixTime(this.#seconds);
    const listed = {
      name,
      flags,
      method: STORED,
      crc,
      size,
      packed,
      offset: this.#length,
      attributes,
      extra,
    };
    this.#listed.push(listed);
    return listed;
  }

  /** A member whose content is in memory: stored where deflating does not make it smaller. */
  *add(member: Pick<Member, "kind" | "path">, content: Uint8Array): Generator<Uint8Array> {
    const deflated = content.length === 0 || member.kind === "symlink" ? content : deflateSync(content);
    const isSmaller = deflated.length < content.length;
    const listed = this.#list(member, crc32(content), content.length, content.length);
    if (isSmaller) {
      listed.method = DEFLATED;
      listed.packed = deflated.length;
    }
    yield* this.#out(localHeader(listed, this.#seconds, false));
    yield* this.#out(isSmaller ? deflated : content);
  }

  /** A member whose content comes in pieces. @param size of all of them */
  async *addPieces(
    member: Pick<Member, "kind" | "path">,
    size: number,
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const listed = this.#list(member, 0, size, 0);
    listed.method = DEFLATED;
    listed.flags |= FOLLOWS;
    const isLarge = size >= LARGE;
    yield* this.#out(localHeader(listed, this.#seconds, isLarge));
    const ready: Uint8Array[] = [];
    const deflate = new Deflate((piece) => ready.push(piece.slice()));
    for await (const piece of pieces) {
      listed.crc = crc32(piece, listed.crc);
      deflate.push(piece);
      for (const out of ready.splice(0)) {
        listed.packed += out.length;
        yield* this.#out(out);
      }
    }
    deflate.push(new Uint8Array(0), true);
    for (const out of ready.splice(0)) {
      listed.packed += out.length;
      yield* this.#out(out);
    }
    const width = isLarge ? 8 : 4;
    yield* this.#out(fields([4, 0x08074b50], [4, listed.crc], [width, listed.packed], [width, size]));
  }

  /** The central directory, and the archive's end. @param comment of the archive */
  *finish(comment: string): Generator<Uint8Array> {
    const start = this.#length;
    for (const listed of this.#listed) yield* this.#out(centralHeader(listed, this.#seconds));
    const size = this.#length - start;
    const count = this.#listed.length;
    if (count >= MAX_16 || start >= MAX_32 || size >= MAX_32) {
      const end = this.#length;
      yield* this.#out(
        fields(
          [4, 0x06064b50],
          [8, 44],
          [2, UNIX | VERSION_64],
          [2, VERSION_64],
          [4, 0],
          [4, 0],
          [8, count],
          [8, count],
          [8, size],
          [8, start],
        ),
      );
      yield* this.#out(fields([4, 0x07064b50], [4, 0], [8, end], [4, 1]));
    }
    const few = Math.min(count, MAX_16);
    yield* this.#out(
      fields(
        [4, 0x06054b50],
        [2, 0],
        [2, 0],
        [2, few],
        [2, few],
        [4, Math.min(size, MAX_32)],
        [4, Math.min(start, MAX_32)],
        [2, comment.length],
      ),
    );
    yield* this.#out(Buffer.from(comment, "latin1"));
  }
}

/** @param isLarge whether the sizes, which follow, are ZIP64's */
function localHeader(listed: Listed, seconds: number, isLarge: boolean): Buffer {
  const { name, flags, method, crc, size, packed, extra } = listed;
  const follows = (flags & FOLLOWS) !== 0;
  const sizes = isLarge ? fields([2, 1], [2, 16], [8, 0], [8, 0]) : Buffer.alloc(0);
  const shown = isLarge ? MAX_32 : 0;
  return Buffer.concat([
    fields(
      [4, 0x04034b50],
      [2, isLarge ? VERSION_64 : VERSION],
      [2, flags],
      [2, method],
      [4, dosTime(seconds)],
    ),
    fields([4, follows ? 0 : crc], [4, follows ? shown : packed], [4, follows ? shown : size]),
    fields([2, name.length], [2, sizes.length + extra.length]),
    name,
    sizes,
    extra,
  ]);
}

function centralHeader(
  { name, flags, method, crc, size, packed, offset, attributes, extra }: Listed,
  seconds: number,
): Buffer {
  // Of the three values, the field has those that are too large for 32 bits.
  const large = [size, packed, offset].filter((value) => value >= MAX_32);
  const isLarge = large.length > 0 || size >= LARGE;
  const sizes =
    large.length > 0
      ? fields([2, 1], [2, 8 * large.length], ...large.map((value) => [8, value] as const))
      : Buffer.alloc(0);
  const small = (value: number): number => Math.min(value, MAX_32);
  const version = isLarge ? VERSION_64 : VERSION;
  return Buffer.concat([
    fields(
      [4, 0x02014b50],
      [2, UNIX | version],
      [2, version],
      [2, flags],
      [2, method],
      [4, dosTime(seconds)],
    ),
    fields(
      [4, crc],
      [4, small(packed)],
      [4, small(size)],
      [2, name.length],
      [2, sizes.length + extra.length],
    ),
    fields([2, 0], [2, 0], [2, 0], [4, attributes], [4, small(offset)]),
    name,
    sizes,
    extra,
  ]);
}
