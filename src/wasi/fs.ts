/** The part of a file system, in the shape of Node's `fs`, that programs are given: `docteur/fs` has it. */

/** Attributes of an entry, as `stat` with `bigint` gives them. */
export interface FsStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** A name in a directory. */
export interface FsDirent {
  readonly name: string;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** Synchronous calls, which throw errors with Node's codes. */
export interface ReadFs {
  statSync(path: string, options: { bigint: true }): FsStats;
  lstatSync(path: string, options: { bigint: true }): FsStats;
  fstatSync(fd: number, options: { bigint: true }): FsStats;
  readdirSync(path: string, options: { withFileTypes: true }): FsDirent[];
  readlinkSync(path: string): string;
  openSync(path: string, flags: "r"): number;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  closeSync(fd: number): void;
}

/** An error as Node's file systems throw it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
