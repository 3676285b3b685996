/** A source whose every answer a test gives by hand. */
import type { RangeSource } from "../../src/index.js";

/** A read that waits for its answer. */
export interface Asked {
  offset: number;
  length: number;
  signal: AbortSignal;
  /** Gives the right bytes, or others. */
  give(...others: unknown[]): void;
  fail(error: unknown): void;
}

export class ScriptedSource implements RangeSource {
  readonly size: number;
  readonly name = "https://host.invalid/disk.img";
  readonly bytes: Uint8Array;
  /** Every read that has come. */
  readonly asked: Asked[] = [];
  closed = 0;

  constructor(size: number) {
    this.size = size;
    this.bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8) * 7 + (at >> 16)) & 255);
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.asked.push({
        offset,
        length,
        signal,
        give: (...others) =>
          resolve((others.length > 0 ? others[0] : this.bytes.slice(offset, offset + length)) as Uint8Array),
        fail: reject,
      });
    });
  }

  close(): void {
    this.closed++;
  }

  /** Ranges that were asked for, in pages: "first+count". */
  pages(pageSize: number): string[] {
    return this.asked.map(({ offset, length }) => `${offset / pageSize}+${Math.ceil(length / pageSize)}`);
  }
}
