/** An image taken apart by the letter of its format, for tests of the maker. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git.js";

/** The parts of an image. */
export interface ImageParts {
  commit: string;
  pack: Buffer;
  idx: Buffer;
  idxOffset: number;
  /** What is between the parts, and after them. */
  padding: [Buffer, Buffer];
  /** The layout section; empty if there is none. */
  layout: Buffer;
}

/** @param image of which the pack is not followed by anything but zeros up to its index */
export function takeApart(image: Buffer): ImageParts {
  const idxOffset = Number(image.readBigUInt64LE(20));
  const count = image.readUInt32BE(idxOffset + 8 + 255 * 4);
  const crcsAt = idxOffset + 1032 + count * 20;
  const offsetsAt = crcsAt + count * 4;
  let largeCount = 0;
  for (let row = 0; row < count; row++) if (image.readInt32BE(offsetsAt + row * 4) < 0) largeCount++;
  const idxEnd = offsetsAt + count * 4 + largeCount * 8 + 40;
  const packEnd = image.lastIndexOf(image.subarray(idxEnd - 40, idxEnd - 20), idxOffset - 20) + 20;
  const footer = image.subarray(-512);
  const hasLayout = footer.toString("latin1", 0, 8) === "docteurL";
  const bareSize = hasLayout ? Number(footer.readBigUInt64LE(120)) : image.length;
  return {
    commit: image.toString("hex", 0, 20),
    pack: image.subarray(28, packEnd),
    idx: image.subarray(idxOffset, idxEnd),
    idxOffset,
    padding: [image.subarray(packEnd, idxOffset), image.subarray(idxEnd, bareSize)],
    layout: image.subarray(bareSize),
  };
}

/** A bare repository that holds an image's pack and nothing else, with `refs/heads/image` on its commit. */
export function repositoryOf({ commit, pack, idx }: ImageParts, folder: string): string {
  mkdirSync(folder);
  git(folder, "init", "-q", "--bare");
  const stem = join(folder, "objects", "pack", `pack-${pack.toString("hex", pack.length - 20)}`);
  writeFileSync(`${stem}.pack`, pack);
  writeFileSync(`${stem}.idx`, idx);
  // The commit of a clone has parents that the pack lacks: as in a shallow clone.
  writeFileSync(join(folder, "shallow"), `${commit}\n`);
  git(folder, "update-ref", "refs/heads/image", commit);
  return folder;
}
