/** `docteur/fs` where there is no Node: Web streams alone. */
import { invalid } from "../arguments.js";
import type { VolumeSync } from "../sync/volume.js";
import type { Volume } from "../volume.js";
import type { FileSystem, FileSystemSync } from "./api.js";
import { fileSystemOf } from "./file-system.js";
import type { StreamClasses } from "./types.js";

export type { Encoding, FileSystem, FileSystemSync, GlobOptions, Promises, StatFs } from "./api.js";
export { Dir } from "./dir.js";
export type { SystemError } from "./errors.js";
export { FileHandle } from "./file-handle.js";
export { matchesGlob } from "./glob.js";
export type { ReadResult, ReadvResult } from "./read-into.js";
export { BigIntStats, Dirent, Stats } from "./stats.js";
export type { Bytes, PathLike, ReadStream, StreamOptions } from "./types.js";

function noStreams(): never {
  throw invalid(
    "streams of Node's are not there outside of Node",
    "(await fs.promises.open(path)).readableWebStream() gives a Web stream",
  );
}

/**
 * Checks the volume, and puts its `fs` together.
 * @internal
 */
export function fileSystemFor(volume: Volume | VolumeSync, streams: StreamClasses): FileSystemSync {
  const { commit, stat, list, getPartial } = (volume ?? {}) as Partial<Volume>;
  if (typeof commit !== "object" || [stat, list, getPartial].some((method) => typeof method !== "function"))
    throw invalid("createFs needs a volume, which open() or openSync() gives");
  return fileSystemOf(volume, streams);
}

/**
 * Gives an image the shape of Node's `fs`. Paths begin at the image's root, with or without a slash; symbolic links
 * lead to places inside of the image. Errors are Node's; those of a damaged image or its device are `EIO`, with the
 * `DocteurError` as their `cause`. Writes fail as on a file system that is mounted read-only.
 * @param volume an open image. The synchronous calls need one of `openSync`, and throw over others
 * @example const fs = createFs(await open("site.img")); await fs.promises.readFile("/index.html", "utf8");
 */
export function createFs(volume: VolumeSync): FileSystemSync;
export function createFs(volume: Volume): FileSystem;
export function createFs(volume: Volume | VolumeSync): FileSystem;
export function createFs(volume: Volume | VolumeSync): FileSystem {
  return fileSystemFor(volume, { read: noStreams, write: noStreams });
}
