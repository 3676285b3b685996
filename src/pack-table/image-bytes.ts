/** The bytes of an image, read from its device by their offsets, and its frame: header, PACK and IDX. */
import { type BlockDevice, RESULT, readWhenReady } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { OID, PACK_HEADER, PACK_START } from "../git/entry.js";
import { hexOid } from "../git/oid.js";
import { type Idx, readIdx } from "./idx.js";

/** Bytes that are read at once and kept. */
const WINDOW = 1 << 18;

/** The places of an image's parts, in bytes from its start. */
export interface Frame {
  /** 40 hexadecimal digits. */
  commit: string;
  /** The version of the PACK: 2 or 3. */
  packVersion: number;
  idxStart: number;
  /** Objects in the PACK. */
  count: number;
}

/** Reads parts of a device, from a window that moves over it. */
export class ImageBytes {
  readonly capacity: number;
  readonly #device: BlockDevice;
  readonly #window: Uint8Array;
  #start = 0;
  #end = 0;

  /** @param device nothing else reads it meanwhile */
  constructor(device: BlockDevice) {
    this.capacity = device.capacity;
    this.#device = device;
    this.#window = new Uint8Array(Math.max(WINDOW, device.blockSize));
  }

  /**
   * Bytes of the image, valid until the next call.
   * @param length fewer come at the image's end; up to half a window
   * @throws DocteurError `DeviceFailed`
   */
  async at(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.capacity);
    if (offset < this.#start || end > this.#end) {
      const { blockSize } = this.#device;
      const start = Math.floor(offset / blockSize) * blockSize;
      await this.#read(start, this.#window.subarray(0, Math.min(this.#window.length, this.capacity - start)));
      this.#start = start;
      this.#end = Math.min(start + this.#window.length, this.capacity);
    }
    return this.#window.subarray(offset - this.#start, Math.max(end, offset) - this.#start);
  }

  /** Copies bytes out, however many. @throws DocteurError `Truncated`, `DeviceFailed` */
  async copy(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.capacity)
      throw new DocteurError("Truncated", "the image ends too early", { offset: this.capacity });
    const { blockSize } = this.#device;
    const start = Math.floor(offset / blockSize) * blockSize;
    const bytes = new Uint8Array(Math.ceil((offset + length) / blockSize) * blockSize - start);
    for (let at = 0; at < bytes.length; at += this.#window.length)
      await this.#read(start + at, bytes.subarray(at, at + this.#window.length));
    return bytes.subarray(offset - start, offset - start + length);
  }

  async #read(offset: number, target: Uint8Array): Promise<void> {
    const result = await readWhenReady(this.#device, offset, target);
    if (result === RESULT.OK) return;
    const cause = this.#device.failure;
    throw new DocteurError("DeviceFailed", "the device failed to read", { offset, cause });
  }

  /** @throws DocteurError `BadPack`, `BadHeader`, `Truncated` for what is not an image */
  async frame(): Promise<Frame> {
    const head = (await this.copy(0, PACK_START + PACK_HEADER)).slice();
    const view = new DataView(head.buffer);
    const version = view.getUint32(PACK_START + 4);
    if (view.getUint32(PACK_START) !== 0x5041434b || (version !== 2 && version !== 3))
      throw new DocteurError("BadPack", "not a docteur image: no valid PACK header");
    const idxStart = view.getBigUint64(OID, true);
    if (idxStart > BigInt(this.capacity))
      throw new DocteurError("BadHeader", "not a docteur image: the header does not lead to an index");
    return {
      commit: hexOid(head.subarray(0, OID)),
      packVersion: version,
      idxStart: Number(idxStart),
      count: view.getUint32(PACK_START + 8),
    };
  }

  /** The IDX. @throws DocteurError `Truncated` */
  async idx({ idxStart, count }: Frame): Promise<Idx> {
    const idx = await readIdx(this, idxStart, count);
    if (idx !== undefined) return idx;
    throw new DocteurError("Truncated", "the image ends too early", { offset: this.capacity });
  }
}
