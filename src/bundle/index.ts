/** Bundles: a guest and its image in one WebAssembly module. Writes them, and takes them apart. */
import { createHash } from "node:crypto";
import { type FileHandle, open as openFile, readFile } from "node:fs/promises";
import { DocteurError } from "../errors.js";
import { open } from "../index.js";
import { ioError } from "../node/io-error.js";
import { replaceFile } from "../node/replace-file.js";
import { Cursor } from "../wasm-binary/cursor.js";
import { readSections, SECTION } from "../wasm-binary/sections.js";
import { BLOCK_SIZE, BUNDLE_SECTION, bundleParts } from "./module.js";

/** The facts about the image in a bundle: the content of its custom section `docteur.bundle`. */
export interface BundleInfo {
  version: 1;
  /** The name of the guest's device that the image takes the place of. */
  device: string;
  /** Bytes of the device's blocks. */
  blockSize: number;
  /** Bytes of the image. */
  size: number;
  /** SHA-256 of the image, in hexadecimal digits. */
  sha256: string;
  /** The commit that the image holds. */
  commit: string;
}

/** A bundle taken apart. */
export interface Bundle {
  info: BundleInfo;
  /** The image, a view of the bundle's bytes. Its SHA-256 has been compared. */
  image: Uint8Array;
}

/** Options of `bundle`. */
export interface BundleOptions {
  /** The device that the image takes the place of; `docteur` by default. */
  device?: string | undefined;
  /** Ends the work. */
  signal?: AbortSignal | undefined;
}

/** Bytes of the image that are in memory at a time. */
const PIECE = 1 << 20;

/** Reads a file from its start to `size`, piece by piece. */
async function* pieces(handle: FileHandle, path: string, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(PIECE, size - at), at).catch((cause) => {
      throw ioError("read", path, cause);
    });
    if (bytesRead === 0) throw new DocteurError("Io", `${path} became shorter while it was read`, { path });
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The commit of an image, which is mounted for that. */
async function commitOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const volume = await open(path, { signal });
  try {
    return volume.commit.oid;
  } finally {
    await volume.close();
  }
}

/**
 * Writes a module that is a guest and its image. The file is there whole or not at all.
 * @param guest the guest's bytes: one for the tender, or a WASI command that imports `solo5.block_acquire` and
 *   `solo5.block_read`
 * @param image the path of the image
 * @param output the path of the module
 * @returns the facts, and whether the module is a WASI command
 * @throws DocteurError `BadGuest`; the errors of opening the image; `InvalidArgument` if the image is too large, or not a
 *   whole number of blocks; `Io`; the signal's reason
 */
export async function bundle(
  guest: Uint8Array,
  image: string,
  output: string,
  options: BundleOptions = {},
): Promise<{ info: BundleInfo; isWasi: boolean; size: number }> {
  const { device = "docteur", signal } = options;
  const commit = await commitOf(image, signal);
  const handle = await openFile(image).catch((cause) => {
    throw ioError("read", image, cause);
  });
  try {
    const { size } = await handle.stat();
    if (size === 0 || size % BLOCK_SIZE !== 0)
      throw new DocteurError(
        "InvalidArgument",
        `${image}: ${size} bytes are not whole blocks of ${BLOCK_SIZE}`,
        {
          path: image,
          hint: "docteur make pads images; this one was cut or extended",
        },
      );
    const { head, tail, isWasi } = bundleParts(guest, device, size);
    return await replaceFile(
      output,
      async ({ sink }) => {
        await sink.append(head);
        const hash = createHash("sha256");
        let oid = "";
        for await (const piece of pieces(handle, image, size)) {
          signal?.throwIfAborted();
          if (oid === "") oid = Buffer.from(piece.subarray(0, 20)).toString("hex");
          hash.update(piece);
          await sink.append(piece);
        }
        // The header begins with the commit's id (docs/FORMAT.md).
        if (oid !== commit)
          throw new DocteurError("ImageChanged", `${image} changed while it was read`, { path: image });
        const info: BundleInfo = {
          version: 1,
          device,
          blockSize: BLOCK_SIZE,
          size,
          sha256: hash.digest("hex"),
          commit,
        };
        await sink.append(tail(JSON.stringify(info)));
        return { info, isWasi, size: sink.position };
      },
      signal,
    );
  } finally {
    await handle.close();
  }
}

function malformed(why: string): DocteurError {
  return new DocteurError("BadGuest", `malformed bundle: ${why}`);
}

function parseInfo(bytes: Uint8Array): BundleInfo {
  let value: Partial<BundleInfo> | null;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Partial<BundleInfo> | null;
  } catch {
    throw malformed(`its section ${BUNDLE_SECTION} is not JSON in UTF-8`);
  }
  if (value?.version !== 1) throw malformed(`its section ${BUNDLE_SECTION} is not of version 1`);
  const { device, blockSize, size, sha256, commit } = value;
  if (
    typeof device !== "string" ||
    !Number.isSafeInteger(blockSize) ||
    !Number.isSafeInteger(size) ||
    !/^[0-9a-f]{64}$/.test(String(sha256)) ||
    !/^[0-9a-f]{40}$/.test(String(commit))
  )
    throw malformed(`its section ${BUNDLE_SECTION} lacks a field`);
  return { version: 1, device, blockSize: blockSize!, size: size!, sha256: sha256!, commit: commit! };
}

/** The content of the last data segment, if it ends where the section does. */
function lastSegment(bytes: Uint8Array, content: number, end: number, size: number): Uint8Array {
  const start = end - size;
  if (start <= content) throw malformed("the image is larger than the data section");
  // Kind and size stand before the content: 1, and the size as LEB128.
  const head = new Cursor(bytes, Math.max(content, start - 6), start);
  for (; head.at < start; head.at++) {
    const cursor = new Cursor(bytes, head.at, start);
    try {
      if (cursor.byte() === 1 && cursor.u32() === size && cursor.at === start)
        return bytes.subarray(start, end);
    } catch {
      // No segment begins here.
    }
  }
  throw malformed("the image is not the last data segment");
}

/**
 * Takes a bundle apart.
 * @param bytes the module
 * @throws DocteurError `BadGuest` if it is not a bundle; `Mismatch` if the image is not the one that was bundled
 */
export function readBundle(bytes: Uint8Array): Bundle {
  let info: BundleInfo | undefined;
  let data: { content: number; end: number } | undefined;
  for (const { id, name, content, end } of readSections(bytes)) {
    if (id === SECTION.data) data = { content, end };
    if (id !== SECTION.custom || name !== BUNDLE_SECTION) continue;
    if (info !== undefined) throw malformed(`it has two sections ${BUNDLE_SECTION}`);
    info = parseInfo(bytes.subarray(content, end));
  }
  if (info === undefined) throw new DocteurError("BadGuest", `not a bundle: no section ${BUNDLE_SECTION}`);
  if (data === undefined) throw malformed("no data section");
  const image = lastSegment(bytes, data.content, data.end, info.size);
  const sha256 = createHash("sha256").update(image).digest("hex");
  if (sha256 !== info.sha256)
    throw new DocteurError(
      "Mismatch",
      `the image in the bundle has the SHA-256 ${sha256}, not ${info.sha256}`,
    );
  return { info, image };
}

/** `readBundle` of a file. @throws DocteurError also `Io` */
export async function readBundleFile(path: string): Promise<Bundle> {
  const bytes = await readFile(path).catch((cause) => {
    throw ioError("read", path, cause);
  });
  return readBundle(bytes);
}
