/** docteur: files by path out of one read-only disk image. */

export { compileCore, hasSimd } from "./core/builds.js";
export type { Mode, Verify } from "./core/mount.js";
export { type BlockDevice, RESULT, type ReadResult } from "./devices/device.js";
export { MemoryDevice } from "./devices/memory.js";
export type { ImageSource } from "./devices/open.js";
export { DocteurError, type ErrorCode, STATUS, type StatusCode } from "./errors.js";
export { type OpenOptions, open } from "./open.js";
export {
  type Commit,
  type Entry,
  type EntryKind,
  type FollowOptions,
  type GitObject,
  type ListOptions,
  type Path,
  type Stats,
  Volume,
} from "./volume.js";
