/** An earlier image, from which a new one takes entries as they are packed. Its ids are proven before they count. */

import { createSha1 } from "#sha1";
import { DocteurError } from "../errors.js";
import { soundReport, verifyImage } from "../verify/index.js";
import { OldPack } from "./pack/old-pack.js";
import { Reuse } from "./pack/reuse.js";
import type { Version } from "./pack/version.js";
import type { WrittenPack } from "./pack/writer.js";

/** An earlier image, open. */
export interface OldImage {
  reuse: Reuse;
  /** Makes sure that nobody wrote to it. @throws DocteurError `Io` */
  settle(): void;
  close(): void;
}

/** @throws DocteurError the first error that `verify` finds, with the image's name */
async function prove(path: string): Promise<void> {
  try {
    soundReport((await verifyImage(path, {}, createSha1)).report);
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    const { message, code, oid, offset, cause } = error;
    const hint = "--from takes a sound image: docteur verify tells all that is wrong with it";
    throw new DocteurError(code, `${path}: ${message}`, { path, oid, offset, hint, cause });
  }
}

/**
 * Opens an earlier image. Every object of it is hashed first: a wrong entry would become one of the new image.
 * @param trusted an image that this process has written itself, which needs no proof
 * @param depth the longest chain of deltas of the new image
 * @throws DocteurError errors of an image that is not sound; `Io`
 */
export async function openOld(
  path: string,
  trusted: { version: Version; pack: WrittenPack } | undefined,
  depth: number,
): Promise<OldImage> {
  const old = new OldPack(path);
  try {
    const version = old.version();
    const settle = (): void => {
      if (old.version() !== version) throw old.changed();
    };
    const isOurs = version === trusted?.version;
    if (!isOurs) await prove(path);
    settle();
    if (isOurs) old.know(trusted!.pack);
    else old.load();
    return { reuse: new Reuse(old, depth), settle, close: () => old.close() };
  } catch (error) {
    old.close();
    throw error;
  }
}
