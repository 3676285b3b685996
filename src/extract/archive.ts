/** The files of an image as an archive: tar, compressed or not, or zip. */
import { Gzip } from "fflate";
import { checkOptions, checkValue, isOneOf } from "../arguments.js";
import type { ImageSource } from "../devices/open.js";
import { DocteurError } from "../errors.js";
import { shown } from "../git/byte-string.js";
import type { Volume } from "../volume.js";
import { SELECT, type SelectOptions, volumeOf } from "./options.js";
import { type Item, plan } from "./plan.js";
import { type Member, padding, tarEnd, tarHeader, tarStart } from "./tar.js";
import { contentOf, imagePath, PIECE } from "./write.js";
import { ZipWriter } from "./zip.js";

/** Formats of archives. */
export const FORMATS = ["tar", "tar.gz", "zip"] as const;
export type ArchiveFormat = (typeof FORMATS)[number];

/** Bytes of small pieces that become one. */
const GATHERED = 1 << 16;

/** The whole seconds of the commit's time; 0 if it has none. */
function secondsOf(volume: Volume): number {
  return Math.floor((volume.commit.date?.getTime() ?? 0) / 1000);
}

/** A file's content: its size, and its pieces. */
interface Content {
  size: number;
  pieces: AsyncIterable<Uint8Array>;
  /** All of it, if that is one piece. */
  whole: Uint8Array | undefined;
}

async function readContent(
  volume: Volume,
  { from, path }: Item,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const first = await volume.getPartial(imagePath(from), 0, PIECE, { signal });
  if (first.length < PIECE)
    return {
      size: first.length,
      whole: first,
      pieces: (async function* () {
        yield first;
      })(),
    };
  const size = await volume.size(imagePath(from), { signal });
  return { size, whole: undefined, pieces: exactly(size, contentOf(volume, from, signal), path) };
}

/** The pieces, which must have the size that was announced. */
async function* exactly(
  size: number,
  pieces: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length <= size) yield piece;
  }
  if (length === size) return;
  throw new DocteurError("BadInflatedSize", `${shown(path)}: ${length} bytes where ${size} are announced`, {
    path: shown(path),
  });
}

async function* tar(
  volume: Volume,
  items: AsyncIterable<Item>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const seconds = secondsOf(volume);
  let length = 0;
  const start = tarStart(volume.commit.oid, seconds);
  length += start.length;
  yield start;
  for await (const item of items) {
    const { kind, path } = item;
    const member: Member = { kind, path: kind === "directory" ? `${path}/` : path, size: 0, seconds };
    if (kind === "directory" || kind === "symlink") {
      if (kind === "symlink") member.target = await targetOf(volume, item, signal);
      const head = tarHeader(member);
      length += head.length;
      yield head;
      continue;
    }
    const { size, pieces } = await readContent(volume, item, signal);
    const head = tarHeader({ ...member, size });
    const pad = padding(size);
    length += head.length + size + pad.length;
    yield head;
    yield* pieces;
    yield pad;
  }
  yield tarEnd(length);
}

async function targetOf(volume: Volume, { from }: Item, signal: AbortSignal | undefined): Promise<string> {
  return Buffer.from(await volume.get(imagePath(from), { maxSize: PIECE, signal })).toString("latin1");
}

async function* zip(
  volume: Volume,
  items: AsyncIterable<Item>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const writer = new ZipWriter(secondsOf(volume));
  for await (const item of items) {
    const { kind, path } = item;
    if (kind === "directory") {
      yield* writer.add({ kind, path: `${path}/` }, new Uint8Array(0));
      continue;
    }
    const { size, whole, pieces } = await readContent(volume, item, signal);
    if (whole !== undefined) yield* writer.add(item, whole);
    else yield* writer.addPieces(item, size, pieces);
  }
  yield* writer.finish(volume.commit.oid);
}

/** Compresses. The bytes are the same on every machine, as those of zlib are not. */
async function* gzip(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const compress = new Gzip({ mtime: 0 }, (piece) => ready.push(piece.slice()));
  for await (const piece of pieces) {
    compress.push(piece);
    yield* ready.splice(0);
  }
  compress.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

/** Makes few pieces of many small ones. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let small: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    small.push(piece);
    length += piece.length;
    if (length < GATHERED) continue;
    yield small.length === 1 ? piece : Buffer.concat(small);
    small = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(small);
}

/**
 * The files of an image as an archive. The same image and options give the same bytes, on every machine: members are
 * in the image's order, times are the commit's, and owners are 0. A tar archive names the commit in its global
 * header, as those of `git archive` do, and a zip archive in its comment.
 * @param source what `open` takes, or an open volume, which stays open
 * @returns the archive's bytes, in pieces
 * @throws DocteurError what `extract` throws about names and the image
 */
export async function* archive(
  source: ImageSource | Volume,
  format: ArchiveFormat,
  options?: SelectOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const given = checkOptions("archive", options, SELECT);
  checkValue("format", format, isOneOf(...FORMATS));
  const { paths = [], stripComponents = 0, portable = false, signal } = given;
  const { volume, close } = await volumeOf(source, given);
  try {
    const items = plan(volume, {
      paths,
      strip: stripComponents,
      rules: { folds: portable, windows: portable },
      signal,
    });
    if (format === "zip") yield* gathered(zip(volume, items, signal));
    else if (format === "tar") yield* gathered(tar(volume, items, signal));
    else yield* gathered(gzip(gathered(tar(volume, items, signal))));
  } finally {
    await close();
  }
}
