/** Types that the parts of `docteur/fs` share. They need no declarations of Node's. */

/** `Buffer` in programs that know Node's types, else `Uint8Array`. */
export type Bytes = typeof globalThis extends { Buffer: { prototype: infer T extends Uint8Array } }
  ? T
  : Uint8Array;

/** A path: a string, which stands for its UTF-8, bytes, or a `file:` URL. It begins at the image's root. */
export type PathLike = string | Uint8Array | URL;

/** Options of read streams. `start` and `end` are bytes from the file's start; both are read. */
export interface StreamOptions {
  encoding?: string | undefined;
  start?: number | undefined;
  end?: number | undefined;
  /** Bytes that are read ahead; 65,536 by default. */
  highWaterMark?: number | undefined;
  autoClose?: boolean | undefined;
  emitClose?: boolean | undefined;
  signal?: AbortSignal | undefined;
  flags?: string | undefined;
  fd?: number | undefined;
}

/** A `fs.ReadStream`, as far as the declarations of other packages need not be there. */
export interface ReadStream extends AsyncIterable<Bytes | string> {
  readonly path: string | Bytes;
  readonly bytesRead: number;
  readonly pending: boolean;
  readable: boolean;
  destroyed: boolean;
  read(size?: number): Bytes | string | null;
  setEncoding(encoding: string): this;
  pause(): this;
  resume(): this;
  isPaused(): boolean;
  // biome-ignore lint/suspicious/noExplicitAny: any stream that can be written to
  pipe<T>(destination: T & { write: any; end: any }, options?: { end?: boolean }): T;
  // biome-ignore lint/suspicious/noExplicitAny: the arguments depend on the event
  on(event: string, listener: (...values: any[]) => void): this;
  // biome-ignore lint/suspicious/noExplicitAny: the arguments depend on the event
  once(event: string, listener: (...values: any[]) => void): this;
  destroy(error?: Error): this;
  close(callback?: (error?: unknown) => void): void;
}

/** Makes Node's streams over file systems of other kinds. */
export interface StreamClasses {
  read(path: unknown, options: object): ReadStream;
  write(path: unknown, options: object): unknown;
}
