/**
 * Columns that are needed together and for a short time, in one buffer. A buffer of tens of megabytes returns
 * to the system when it is freed; many smaller buffers would fragment memory.
 */
export class Scratch {
  readonly #buffer: ArrayBuffer;
  #end = 0;

  /** @param rows the rows of all columns together: there is room for this many of 8 bytes */
  constructor(rows: number) {
    this.#buffer = new ArrayBuffer(rows * 8);
  }

  /** A column of zeros. */
  float64(rows: number): Float64Array {
    return new Float64Array(this.#buffer, this.#take(rows * 8), rows);
  }

  float32(rows: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(rows * 4), rows);
  }

  uint32(rows: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(rows * 4), rows);
  }

  #take(byteLength: number): number {
    const start = this.#end;
    this.#end += Math.ceil(byteLength / 8) * 8;
    return start;
  }
}
