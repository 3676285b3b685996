/** `read` and `readv`: parts of open files into memory of the caller's. */
import type { Steps } from "../posix/steps.js";
import { fdOf, viewOf, wholeOf } from "./arguments.js";
import { asBuffer } from "./encoding.js";
import { invalidType, invalidValue, outOfRange } from "./errors.js";
import type { Reads } from "./reads.js";

/** Bytes of the buffer that `read` makes where none is given. */
const BUFFER_LEN = 16384;

/** The result of `read`. */
export interface ReadResult {
  bytesRead: number;
  buffer: ArrayBufferView;
}

/** The result of `readv`. */
export interface ReadvResult {
  bytesRead: number;
  buffers: readonly ArrayBufferView[];
}

interface ReadOptions {
  buffer?: unknown;
  offset?: unknown;
  length?: unknown;
  position?: unknown;
}

function isOptions(value: unknown): value is ReadOptions | null | undefined {
  return value === null || value === undefined || (typeof value === "object" && !ArrayBuffer.isView(value));
}

/** The place in the file; null for the one behind the last read. */
function positionOf(position: unknown): number | null {
  if (position === null || position === undefined) return null;
  const place = typeof position === "bigint" ? Number(position) : position;
  if (typeof place !== "number") throw invalidType("position", "an integer or of type bigint", position);
  if (!Number.isSafeInteger(place)) throw outOfRange("position", "an integer", position);
  if (place < -1) throw outOfRange("position", ">= -1 && <= 9007199254740991", position);
  return place === -1 ? null : place;
}

/**
 * Reads into a buffer: `(fd, buffer, offset, length, position)`, `(fd, buffer, options)`, `(fd, options)` or `(fd)`.
 * @param givenFd a descriptor
 */
export function* read(
  reads: Reads,
  givenFd: unknown,
  bufferOrOptions?: unknown,
  offsetOrOptions?: unknown,
  givenLength?: unknown,
  givenPosition?: unknown,
): Steps<ReadResult> {
  const fd = fdOf(givenFd);
  let options: ReadOptions = { offset: offsetOrOptions, length: givenLength, position: givenPosition };
  let buffer = bufferOrOptions;
  if (isOptions(buffer)) {
    options = buffer ?? {};
    buffer = options.buffer ?? asBuffer(new Uint8Array(BUFFER_LEN));
  } else if (isOptions(offsetOrOptions) && givenLength === undefined && givenPosition === undefined) {
    options = offsetOrOptions ?? {};
  }
  const view = viewOf(buffer);
  const result = { bytesRead: 0, buffer: buffer as ArrayBufferView };
  const offset = wholeOf(options.offset ?? 0, "offset", 0);
  const length = Math.trunc(Number(options.length ?? view.length - offset)) | 0;
  if (length === 0) return result;
  if (view.length === 0) throw invalidValue("buffer", "is empty and cannot be written", buffer);
  if (length < 0) throw outOfRange("length", ">= 0", length);
  if (offset + length > view.length) throw outOfRange("length", `<= ${view.length - offset}`, length);
  const bytes = yield* reads.part(fd, length, positionOf(options.position));
  view.set(bytes, offset);
  return { ...result, bytesRead: bytes.length };
}

/** Reads into several buffers, one after the other. */
export function* readv(
  reads: Reads,
  givenFd: unknown,
  buffers: unknown,
  position?: unknown,
): Steps<ReadvResult> {
  const fd = fdOf(givenFd);
  if (!Array.isArray(buffers) || !buffers.every((buffer) => ArrayBuffer.isView(buffer)))
    throw invalidType("buffers", "an instance of ArrayBufferView[]", buffers);
  const views = buffers.map((buffer) => viewOf(buffer));
  const length = views.reduce((sum, view) => sum + view.length, 0);
  const at = typeof position === "number" ? positionOf(position) : null;
  const bytes = yield* reads.part(fd, length, at);
  let done = 0;
  for (const view of views) {
    const piece = bytes.subarray(done, done + view.length);
    view.set(piece);
    done += piece.length;
  }
  return { bytesRead: bytes.length, buffers };
}
