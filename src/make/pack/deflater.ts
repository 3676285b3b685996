/** Deflates content in the packer's memory: whole, in parts, and in segments that a reader can begin at. */
import { joinedBytes } from "../../joined-bytes.js";
import { CELLS } from "../../layout/format.js";
import { type Engine, FLUSH_LEN, PART_END } from "./engine.js";
import { outOfMemory, type Room } from "./room.js";
import { ZLIB_HEADER } from "./zlib-header.js";

/** Deflate looks back no further. */
export const WINDOW = 32 << 10;

/** A part of content, which lies at `ptr`: `len` bytes from `start` on, of `size` bytes in all. */
export interface ContentPart {
  ptr: number;
  start: number;
  len: number;
  size: number;
}

/** A part of a stream that has seek points. */
export interface Segments {
  stream: Uint8Array;
  /** The places where segments begin, from the stream's start: of all but the content's first one. */
  points: number[];
  /** The Adler-32 of the part up to each start of a cell in it, or at its end; and that of the whole part. */
  marks: number[];
  adler: number;
}

export class Deflater {
  readonly #engine: Engine;
  readonly #room: Room;

  /** @param room for streams */
  constructor(engine: Engine, room: Room) {
    this.#engine = engine;
    this.#room = room;
  }

  /** A zlib stream. */
  whole(ptr: number, len: number): Uint8Array {
    const room = this.#engine.deflateBound(len) >>> 0;
    const to = this.#room.reserve(room);
    return this.#taken(to, this.#engine.zlibDeflate(ptr, len, to, room), len);
  }

  /** A part of a stream. @param end one of `PART_END` */
  part(ptr: number, historyLen: number, len: number, end: number): Uint8Array {
    const room = (this.#engine.deflatePartBound(len) >>> 0) + FLUSH_LEN;
    const to = this.#room.reserve(room);
    return this.#taken(to, this.#engine.deflatePart(ptr, historyLen, len, end, to, room), len);
  }

  /** A zlib stream with seek points. @param segment bytes of a segment's content */
  wholeSegments(ptr: number, len: number, segment: number): Segments {
    const { stream, points, marks, adler } = this.segments({ ptr, start: 0, len, size: len }, segment);
    const trailer = new Uint8Array(4);
    new DataView(trailer.buffer).setUint32(0, adler);
    return {
      stream: joinedBytes([ZLIB_HEADER, stream, trailer]),
      points: points.map((point) => ZLIB_HEADER.length + point),
      marks,
      adler,
    };
  }

  /**
   * Deflates a part of content. No match reaches from a segment into the one before, so that a reader can begin at each.
   * @param part what is before it in its segment, up to `WINDOW` bytes, lies before it in memory
   * @param segment bytes of a segment's content
   */
  segments({ ptr, start, len, size }: ContentPart, segment: number): Segments {
    const parts: Uint8Array[] = [];
    const points: number[] = [];
    const end = start + len;
    let streamLen = 0;
    for (let at = start, to = start; at < end; at = to) {
      const within = at % segment;
      to = Math.min(end, at - within + segment);
      const isPoint = to % segment === 0 && to < size;
      const how = to === size ? PART_END.stream : isPoint ? PART_END.flush : PART_END.byte;
      const part = this.part(ptr + at - start, Math.min(WINDOW, within), to - at, how);
      parts.push(part);
      streamLen += part.length;
      if (isPoint) points.push(streamLen);
    }
    return { stream: joinedBytes(parts), points, ...this.#marks({ ptr, start, len, size }, segment / CELLS) };
  }

  /** The checksums of a part at the starts of cells. */
  #marks({ ptr, start, len, size }: ContentPart, cell: number): Pick<Segments, "marks" | "adler"> {
    const marks: number[] = [];
    const end = start + len;
    let adler = 1;
    for (let at = start, to = start; at < end; at = to) {
      to = Math.min(end, at - (at % cell) + cell);
      adler = this.#engine.adler32(adler, ptr + at - start, to - at) >>> 0;
      if (to % cell === 0 && to < size) marks.push(adler);
    }
    return { marks, adler };
  }

  /** A copy of what was written to the room. */
  #taken(to: number, streamLen: number, len: number): Uint8Array {
    if (streamLen === 0) throw outOfMemory(len);
    return new Uint8Array(this.#engine.memory.buffer, to, streamLen).slice();
  }
}
