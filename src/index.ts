/**
 * docteur: files by path out of one read-only disk image.
 * @module docteur
 */

export type { Path } from "./arguments.js";
export { compileCore } from "./core/compile-core.js";
export type { Mode, Proof } from "./core/mount.js";
export type { FileHandleLike } from "./devices/blob.js";
export { type BlockDevice, RESULT, type ReadResult } from "./devices/device.js";
export type { HeadersLike, HeadersOption, Sign } from "./devices/http/transport.js";
export { MemoryDevice } from "./devices/memory.js";
export type { ImageSource } from "./devices/open.js";
export type { DeviceOptions } from "./devices/options.js";
export { type Piece, type RangeSource, TransientError } from "./devices/range-source.js";
export type { PageStore } from "./devices/remote/kept-pages.js";
export type { RemoteStats } from "./devices/remote/statistics.js";
export { RemoteDevice, type RemoteOptions } from "./devices/remote.js";
export type { SyncHandle } from "./devices/sync-handle.js";
export {
  DocteurError,
  type ErrorCode,
  type ErrorWhere,
  type HostCode,
  STATUS,
  type StatusCode,
} from "./errors.js";
export { open } from "./open.js";
export type { OpenOptions } from "./opening.js";
export type { GitObject } from "./volume/calls.js";
export type { Commit, Person } from "./volume/commit.js";
export type { Entry, EntryKind } from "./volume/entry.js";
export type {
  EntriesOptions,
  FollowOptions,
  GetOptions,
  ListOptions,
  ObjectOptions,
  SignalOptions,
  StreamOptions,
  WalkOptions,
} from "./volume/options.js";
export type { WalkOrder } from "./volume/walk.js";
export { type Stats, Volume } from "./volume.js";
export { hasSimd } from "./wasm/simd.js";
