/**
 * `docteur/layout`: the layout sections of images in files, added, taken away and checked. For Node.
 * @module docteur/layout
 */
import { type Check, type Checks, checkOptions, checkValue, isSignal, isString } from "../../arguments.js";
import { DocteurError } from "../../errors.js";
import { hexOid } from "../../git/oid.js";
import { type Replacement, replaceFile } from "../../node/replace-file.js";
import { aboutVersion, REMADE } from "../footer.js";
import { FOOTER, type Footer } from "../format.js";
import { writeSection } from "../section.js";
import { type ImageObjects, OpenImage } from "./read.js";

/** An image and its layout section. */
export interface LayoutSummary {
  /** The commit's id, 40 hexadecimal digits. */
  commit: string;
  /** Entries of all directories, which the section has; 0 if there is none. */
  pathCount: number;
  /** Bytes of the section; 0 if there is none. */
  layoutBytes: number;
  /** Bytes of the whole image. */
  imageBytes: number;
}

/** Options of the functions. */
export interface LayoutOptions {
  /** Ends the work. The image stays as it was. */
  signal?: AbortSignal | undefined;
}

const OPTIONS: Checks & Record<keyof LayoutOptions, Check> = { signal: isSignal };
const COPY_LEN = 1 << 20;
const SECTOR = 512;
const VERIFY = "docteur verify tells all that is wrong with the image";

/** Opens an image for a function. @throws DocteurError errors of a damaged image, with advice */
async function withImage<T>(path: string, use: (image: OpenImage) => Promise<T>): Promise<T> {
  const image = await OpenImage.open(path);
  try {
    return await use(image);
  } catch (error) {
    if (!(error instanceof DocteurError) || error.hint !== undefined) throw error;
    const { code, message, oid, offset, cause } = error;
    throw new DocteurError(code, message, { path, oid, offset, cause, hint: VERIFY });
  } finally {
    await image.close();
  }
}

/** The error for a section that is not as it must be. */
function badLayout(path: string, message: string, offset?: number): DocteurError {
  return new DocteurError("BadLayout", message, { path, offset, hint: REMADE });
}

/** The error for a section of another version. */
function otherVersion(path: string, version: number): DocteurError {
  const { message, hint } = aboutVersion(version);
  return new DocteurError("BadLayout", message, { path, hint });
}

/**
 * The end of an image whose section has a damaged footer: behind the zeros that follow the IDX. They reach up to the end of
 * a block, whose size the image does not tell: the largest that fits it.
 */
async function endOfZeros({ bytes }: OpenImage): Promise<number> {
  const frame = await bytes.frame();
  const idx = await bytes.idx(frame);
  const end = idx.start + idx.bytes.length;
  const { capacity } = bytes;
  let block = SECTOR;
  while (2 * block <= capacity && idx.start % (2 * block) === 0 && capacity % (2 * block) === 0) block *= 2;
  for (; block > SECTOR; block /= 2) {
    const top = end + block - (end % block);
    if (top <= capacity - FOOTER && (await bytes.copy(end, top - end)).every((byte) => byte === 0))
      return top;
  }
  return end + SECTOR - (end % SECTOR);
}

/** Bytes of an image without its section. @throws DocteurError `BadLayout` for a section of a later version */
async function bareSizeOf(image: OpenImage): Promise<number> {
  const end = await image.end();
  if (end.state === "unknown" && end.bareSize === undefined) throw otherVersion(image.path, end.version);
  if (end.state === "unknown") return end.bareSize!;
  if (end.state === "damaged") return endOfZeros(image);
  return end.state === "found" ? end.footer.bareSize : image.bytes.capacity;
}

async function copyBare(
  { bytes }: OpenImage,
  bareSize: number,
  { sink }: Replacement,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < bareSize; at += COPY_LEN) {
    signal?.throwIfAborted();
    await sink.append(await bytes.copy(at, Math.min(COPY_LEN, bareSize - at)));
  }
}

function checked(name: string, path: unknown, options: LayoutOptions | undefined): LayoutOptions {
  checkValue("the image", path, isString);
  return checkOptions(name, options, OPTIONS);
}

/**
 * Adds a layout section to an image, or makes it again. The file is replaced whole.
 * @param path the image
 * @throws DocteurError errors of a damaged image; `BadLayout` if it has a section of a later version, `TreeTooDeep`,
 *   `TooManyObjects` if it cannot have one; `Io`; the signal's reason
 * @example
 * const { layoutBytes } = await addLayout("docs.img");
 */
export async function addLayout(path: string, options?: LayoutOptions): Promise<LayoutSummary> {
  const { signal } = checked("addLayout", path, options);
  return withImage(path, async (image) => {
    const bareSize = await bareSizeOf(image);
    const add =
      (replacement: Replacement) =>
      async (read: ImageObjects): Promise<LayoutSummary> => {
        let pathCount = 0;
        const append = (bytes: Uint8Array): Promise<void> => {
          signal?.throwIfAborted();
          return replacement.sink.append(bytes);
        };
        await copyBare(image, bareSize, replacement, signal);
        const layoutBytes = await writeSection(read.objects, read.frame, append, (counts) => {
          pathCount = counts.paths;
        });
        return {
          commit: hexOid(read.frame.commit),
          pathCount,
          layoutBytes,
          imageBytes: bareSize + layoutBytes,
        };
      };
    return replaceFile(path, (replacement) => image.withObjects(bareSize, add(replacement)), signal);
  });
}

/**
 * Takes the layout section away from an image, which then has the bytes that it had before. The file is replaced whole,
 * unless it has no section.
 * @param path the image
 * @throws DocteurError `BadLayout` if it has a section of a later version; errors of what is not an image; `Io`; the
 *   signal's reason
 */
export async function stripLayout(path: string, options?: LayoutOptions): Promise<LayoutSummary> {
  const { signal } = checked("stripLayout", path, options);
  return withImage(path, async (image) => {
    const { commit } = await image.bytes.frame();
    const bareSize = await bareSizeOf(image);
    if (bareSize < image.bytes.capacity)
      await replaceFile(path, (replacement) => copyBare(image, bareSize, replacement, signal), signal);
    return { commit, pathCount: 0, layoutBytes: 0, imageBytes: bareSize };
  });
}

/** Compares the section of an image with the one that its objects give. */
async function compare(image: OpenImage, { bareSize, paths }: Footer): Promise<LayoutSummary> {
  const { bytes, path } = image;
  const { capacity } = bytes;
  return image.withObjects(bareSize, async ({ objects, frame }) => {
    let at = bareSize;
    const append = async (expected: Uint8Array): Promise<void> => {
      const actual = await bytes.copy(at, Math.min(expected.length, capacity - at));
      const differs = expected.findIndex((byte, index) => byte !== actual[index]);
      if (differs >= 0) {
        const offset = at + differs;
        throw badLayout(
          path,
          `the layout section is not as the objects give it (at offset ${offset})`,
          offset,
        );
      }
      at += expected.length;
    };
    const layoutBytes = await writeSection(objects, frame, append, (counts) => {
      if (counts.paths !== paths)
        throw badLayout(
          path,
          `the layout section has ${paths} paths, not ${counts.paths}`,
          capacity - FOOTER,
        );
    });
    return { commit: hexOid(frame.commit), pathCount: paths, layoutBytes, imageBytes: capacity };
  });
}

/**
 * Checks the layout section of an image: makes it again, and compares. `verify` does so, too, from objects that it has
 * proven.
 * @param path the image
 * @throws DocteurError `BadLayout` if the section differs, has another version, or is missing; errors of a damaged image;
 *   `Io`; the signal's reason
 */
export async function checkLayout(path: string, options?: LayoutOptions): Promise<LayoutSummary> {
  const { signal } = checked("checkLayout", path, options);
  return withImage(path, async (image) => {
    signal?.throwIfAborted();
    const end = await image.end();
    const footerAt = image.bytes.capacity - FOOTER;
    if (end.state === "unknown") throw otherVersion(path, end.version);
    if (end.state === "damaged")
      throw badLayout(path, `the layout section is damaged: ${end.reason}`, footerAt);
    if (end.state === "found") return compare(image, end.footer);
    await image.bytes.frame();
    throw new DocteurError("BadLayout", "the image has no layout section", {
      path,
      hint: "docteur layout --add adds it",
    });
  });
}
