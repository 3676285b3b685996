/**
 * `docteur/fs`: an image in the shape of Node's `fs`.
 * @module docteur/fs
 */
import { ReadStream as NodeReadStream, WriteStream } from "node:fs";
import type { VolumeSync } from "../sync/volume.js";
import type { Volume } from "../volume.js";
import type { FileSystem, FileSystemSync } from "./api.js";
import { fileSystemFor } from "./browser.js";
import type { ReadStream, StreamClasses } from "./types.js";

export * from "./browser.js";

/** Node's own streams take the calls of another `fs`. Their declarations do not know them as classes. */
type StreamClass = new (path: unknown, options: object) => unknown;

const streams: StreamClasses = {
  read: (path, options) => new (NodeReadStream as unknown as StreamClass)(path, options) as ReadStream,
  write: (path, options) => new (WriteStream as unknown as StreamClass)(path, options),
};

/**
 * Gives an image the shape of Node's `fs`. Paths begin at the image's root, with or without a slash; symbolic links
 * lead to places inside of the image. Errors are Node's; those of a damaged image or its device are `EIO`, with the
 * `DocteurError` as their `cause`. Writes fail as on a file system that is mounted read-only.
 * @param volume an open image. The synchronous calls need one of `openSync`, and throw over others
 * @example const fs = createFs(openSync("site.img")); fs.readFileSync("/index.html", "utf8");
 */
export function createFs(volume: VolumeSync): FileSystemSync;
export function createFs(volume: Volume): FileSystem;
export function createFs(volume: Volume | VolumeSync): FileSystem;
export function createFs(volume: Volume | VolumeSync): FileSystem {
  return fileSystemFor(volume, streams);
}
