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

/** A read whose bytes a test gives part by part. */
export interface AskedParts extends Asked {
  /** Gives the next bytes of the range, or others. */
  part(length: number, ...others: unknown[]): void;
  /** Ends the range. */
  end(): void;
}

/** A source that gives bytes as they come. Nothing calls its `read`. */
export class ScriptedParts extends ScriptedSource {
  override readonly asked: AskedParts[] = [];

  override read(): Promise<Uint8Array> {
    throw new Error("read is called, not readParts");
  }

  readParts(
    offset: number,
    length: number,
    signal: AbortSignal,
    take: (bytes: Uint8Array) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let at = offset;
      const part = (count: number, ...others: unknown[]): void => {
        const bytes = others.length > 0 ? (others[0] as Uint8Array) : this.bytes.slice(at, at + count);
        at += count;
        take(bytes);
        // The source may use its memory again.
        if (others.length === 0) bytes.fill(0);
      };
      const give = (): void => {
        part(offset + length - at);
        resolve();
      };
      this.asked.push({ offset, length, signal, part, give, end: () => resolve(), fail: reject });
    });
  }
}
