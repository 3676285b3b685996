/** Deflates content in the packer's memory: whole, in parts, and in segments that a reader can begin at. */
import { joinedBytes } from "../../joined-bytes.js";
import { SEGMENT } from "../../layout/format.js";
import { type Engine, FLUSH_LEN, PART_END } from "./engine.js";
import { outOfMemory, type Room } from "./room.js";
import { ZLIB_HEADER } from "./zlib-header.js";

/** Segments of a stream. */
export interface Segments {
  stream: Uint8Array;
  /** Seek points: offsets from the stream's start. */
  points: number[];
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

  /** A zlib stream with seek points. */
  wholeSegments(ptr: number, len: number): Segments {
    const { stream, points } = this.segments(ptr, len, true);
    const adler = new Uint8Array(4);
    new DataView(adler.buffer).setUint32(0, this.#engine.adler32(1, ptr, len) >>> 0);
    return {
      stream: joinedBytes([ZLIB_HEADER, stream, adler]),
      points: points.map((point) => ZLIB_HEADER.length + point),
    };
  }

  /**
   * Deflates content segment by segment, each without history, so that a reader can begin at each.
   * @param isLast whether the stream ends with it
   */
  segments(ptr: number, len: number, isLast: boolean): Segments {
    const parts: Uint8Array[] = [];
    const points: number[] = [];
    let end = 0;
    for (let at = 0; at < len; at += SEGMENT) {
      const segment = Math.min(SEGMENT, len - at);
      const isEnd = isLast && at + segment === len;
      const part = this.part(ptr + at, 0, segment, isEnd ? PART_END.stream : PART_END.flush);
      parts.push(part);
      end += part.length;
      if (!isEnd) points.push(end);
    }
    return { stream: joinedBytes(parts), points };
  }

  /** A copy of what was written to the room. */
  #taken(to: number, streamLen: number, len: number): Uint8Array {
    if (streamLen === 0) throw outOfMemory(len);
    return new Uint8Array(this.#engine.memory.buffer, to, streamLen).slice();
  }
}
