/**
 * Reads an image into the verifier's memory: a window of chunks, each where its number says. Chunks are read whole until that
 * has taken some times the image's size; from then on, the pages that are asked for are read.
 */
import { type BlockDevice, RESULT } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { isZeros } from "./compare.js";
import type { Engine } from "./engine.js";
import { MORE_MEMORY } from "./out-of-memory.js";

const CHUNK = 1 << 18;
/** Chunks that are held; their bytes lie one after another. */
const SLOTS = 32;
/** Whole chunks are read up to so many times the image's size. */
const WHOLE_MAX = 4;
const PAGE = 4096;

/** The bytes of a device, by their offsets. */
export class ImageReader {
  /** Told of each chunk that is read from the device, by its offset. */
  onChunk: ((offset: number) => void) | undefined;
  /** Bytes that the device was asked for. */
  bytesRead = 0;
  readonly engine: Engine;
  readonly capacity: number;
  /** The most bytes that `at` takes. */
  readonly pieceLen: number;
  readonly #device: BlockDevice;
  readonly #slots: number;
  readonly #tags: Float64Array;
  /** The bytes of its chunk that each slot holds, from the chunk's start. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #start: number;
  readonly #joint: number;

  /** @throws DocteurError `OutOfMemory` */
  constructor(engine: Engine, device: BlockDevice) {
    this.engine = engine;
    this.capacity = device.capacity;
    this.pieceLen = Math.max(CHUNK, device.blockSize);
    this.#device = device;
    const chunks = Math.ceil(device.capacity / this.pieceLen);
    this.#slots = Math.max(2, Math.min(chunks, Math.floor((SLOTS * CHUNK) / this.pieceLen)));
    this.#tags = new Float64Array(this.#slots).fill(-1);
    this.#from = new Int32Array(this.#slots);
    this.#to = new Int32Array(this.#slots);
    this.#start = engine.alloc(this.#slots * this.pieceLen);
    this.#joint = engine.alloc(this.pieceLen);
    if (this.#start === 0 || this.#joint === 0)
      throw new DocteurError("OutOfMemory", "the memory limit is too small to read the image", {
        hint: MORE_MEMORY,
      });
  }

  /** Bytes from an offset on to the end of their chunk. */
  restOfChunk(offset: number): number {
    return this.pieceLen - (offset % this.pieceLen);
  }

  /**
   * The address of bytes in the engine's memory, until the next call; `SLACK` bytes more can be read.
   * @param length up to `pieceLen`; all of it within the image
   * @returns 0 if the device has no answer yet: `fetch` waits for it
   * @throws DocteurError `DeviceFailed`, `Truncated`
   */
  at(offset: number, length: number): number {
    if (offset + length > this.capacity)
      throw new DocteurError("Truncated", "the image ends too early", { offset: this.capacity });
    const chunk = Math.floor(offset / this.pieceLen);
    const slot = chunk % this.#slots;
    const within = offset - chunk * this.pieceLen;
    if (!this.#hold(chunk, slot, within, Math.min(within + length, this.pieceLen))) return 0;
    const ptr = this.#start + slot * this.pieceLen + within;
    if (within + length <= this.pieceLen) return ptr;
    const next = (slot + 1) % this.#slots;
    if (!this.#hold(chunk + 1, next, 0, within + length - this.pieceLen)) return 0;
    if (next !== 0) return ptr;
    // The window's last chunk, and its first: they do not lie together.
    const { bytes } = this.engine;
    const head = this.pieceLen - within;
    bytes.copyWithin(this.#joint, ptr, ptr + head);
    bytes.copyWithin(this.#joint + head, this.#start, this.#start + length - head);
    return this.#joint;
  }

  /** Like `at`, after as much waiting as it takes. */
  async fetch(offset: number, length: number): Promise<number> {
    for (;;) {
      const ptr = this.at(offset, length);
      if (ptr !== 0) return ptr;
      if (this.#device.ready === undefined)
        throw new DocteurError("DeviceFailed", "the device answers AGAIN and has no `ready`", { offset });
      try {
        await this.#device.ready();
      } catch (cause) {
        throw new DocteurError("DeviceFailed", "the device failed to read", { offset, cause });
      }
    }
  }

  /** Copies bytes out, however many. */
  async copy(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const piece = Math.min(length - done, this.restOfChunk(offset + done));
      const ptr = await this.fetch(offset + done, piece);
      bytes.set(this.engine.bytes.subarray(ptr, ptr + piece), done);
      done += piece;
    }
    return bytes;
  }

  /** The offset of the first byte from `start` to `end` that is not zero, or -1. */
  async firstNonZero(start: number, end: number): Promise<number> {
    for (let at = start; at < end; ) {
      const piece = Math.min(end - at, this.restOfChunk(at));
      const ptr = await this.fetch(at, piece);
      const bytes = this.engine.bytes.subarray(ptr, ptr + piece);
      if (!isZeros(bytes)) {
        const found = bytes.findIndex((byte) => byte !== 0);
        if (found >= 0) return at + found;
      }
      at += piece;
    }
    return -1;
  }

  /** The offset of the last byte from `start` to `end` that is not zero, or -1. */
  async lastNonZero(start: number, end: number): Promise<number> {
    for (let at = end; at > start; ) {
      const piece = Math.min(at - start, ((at - 1) % this.pieceLen) + 1);
      const ptr = await this.fetch(at - piece, piece);
      const bytes = this.engine.bytes.subarray(ptr, ptr + piece);
      if (!isZeros(bytes)) {
        const found = bytes.findLastIndex((byte) => byte !== 0);
        if (found >= 0) return at - piece + found;
      }
      at -= piece;
    }
    return -1;
  }

  /** Makes a slot hold bytes of a chunk. @returns whether they are there */
  #hold(chunk: number, slot: number, start: number, end: number): boolean {
    const isHeld = this.#tags[slot] === chunk;
    if (isHeld && this.#from[slot]! <= start && end <= this.#to[slot]!) return true;
    const most = Math.min(this.pieceLen, this.capacity - chunk * this.pieceLen);
    if (this.bytesRead <= WHOLE_MAX * this.capacity) return this.#load(chunk, slot, 0, most);
    const page = Math.max(PAGE, this.#device.blockSize);
    const to = Math.ceil(end / page) * page;
    const [held, heldEnd] = [this.#from[slot]!, this.#to[slot]!];
    if (!isHeld || start < held || start > heldEnd)
      return this.#load(chunk, slot, Math.floor(start / page) * page, Math.min(to, most));
    // It goes on where the last piece ended: each piece is twice as long as the one before.
    if (!this.#load(chunk, slot, heldEnd, Math.min(Math.max(to, 2 * heldEnd - held), most))) return false;
    this.#from[slot] = held;
    return true;
  }

  #load(chunk: number, slot: number, from: number, to: number): boolean {
    const offset = chunk * this.pieceLen + from;
    const length = to - from;
    const ptr = this.#start + slot * this.pieceLen + from;
    this.#tags[slot] = -1;
    this.bytesRead += length;
    let result: number;
    let cause: unknown;
    try {
      result = this.#device.read(offset, this.engine.bytes.subarray(ptr, ptr + length));
      cause = this.#device.failure;
    } catch (error) {
      result = RESULT.EUNSPEC;
      cause = error;
    }
    if (result === RESULT.AGAIN) return false;
    if (result !== RESULT.OK)
      throw new DocteurError("DeviceFailed", "the device failed to read", { offset, cause });
    this.#tags[slot] = chunk;
    this.#from[slot] = from;
    this.#to[slot] = to;
    this.onChunk?.(offset);
    return true;
  }
}
